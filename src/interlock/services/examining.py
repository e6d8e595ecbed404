"""What the doctor asks of a control plane: its clock, its log, what is in force, and what was left undone."""

from collections.abc import Mapping, Sequence
from typing import Final

from interlock.domain.checkup import Checked, doubtful, good, unasked, wrong
from interlock.domain.control import Control
from interlock.domain.duration import HOUR, MINUTE, SECOND, words
from interlock.domain.statement import observed
from interlock.ports.identity_provider import Round
from interlock.ports.store import ActionQuery
from interlock.services.doctor import Probe
from interlock.services.following import size_of
from interlock.services.plane import ControlPlane

NEWEST: Final = 8
"""So many of the log's last entries are proven,"""
DRAWN: Final = 8
"""and at most so many of all of it, drawn by lot."""
LATE_MS: Final = MINUTE
"""Work that fell due longer ago was left by everybody."""
SKEW_MS: Final = 5 * SECOND
"""By so much may the clock stand before the newest entry, which another process may have written by another clock."""
NOWHERE: Final = "https://doctor.invalid/"
"""Nobody is sent to the provider, and nobody comes back."""
UNANCHORED_MS: Final = HOUR
"""So much later than it was due may an anchor come."""


def live_probes(plane: ControlPlane) -> Mapping[str, Probe]:
    """What is asked of `plane`."""
    live = _Live(plane)
    return {
        "log": live.log,
        "clock": live.clock,
        "in force": live.in_force,
        "worker": live.worker,
        "left open": live.left_open,
        "anchors": live.anchors,
        "messages": live.notifications,
        "provider": live.provider,
    }


class _Live:
    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._means = plane.means

    async def log(self) -> Sequence[Checked]:
        """The head is signed by the log's key, and entries drawn by lot are in it, where it says. Raises IntegrityError."""
        size = await size_of(self._means.log)
        if not size:
            return (unasked("log", "it is empty"),)
        if self._means.verifying is None:
            return (unasked("log", "there are no public keys to verify it with"),)
        chance = int(self._means.ids.nonce(), 16)
        drawn = {(chance >> (each * 16)) * 65_521 % size for each in range(DRAWN)}
        asked = drawn | set(range(max(0, size - NEWEST), size))
        for index in sorted(asked):
            await self._plane.audit.proof_at(index)
        return (
            good(
                "log", f"{len(asked)} of its {size} entries are where its signed head says; `interlock verify` asks all"
            ),
        )

    async def clock(self) -> Sequence[Checked]:
        """It does not stand before what was recorded already."""
        size, now = await size_of(self._means.log), self._means.clock.now()
        last = await self._means.log.entries(size - 1, size) if size else []
        newest = observed(last[0].leaf) if last else None
        if newest is None:
            return (unasked("clock", "nothing was recorded that it could be held against"),)
        if newest - now > SKEW_MS:
            said = f"it stands {words(newest - now)} before the log's newest entry"
            return (wrong("clock", said, "set it, by NTP: expiries, deadlines and the order of things go by it"),)
        return (
            good(
                "clock", f"it stands after everything that was recorded, {words(max(0, now - newest))} after the last"
            ),
        )

    async def in_force(self) -> Sequence[Checked]:
        """Something is in force that decides, and by what it should."""
        control = await self._means.store.get(Control, "control")
        if control is None:
            return (wrong("in force", "nothing is in force, so everything is refused", "`interlock apply`", "yours"),)
        orders = await self._plane.orders.refresh()
        found: list[Checked] = []
        if orders.judge is None:
            said = f"the policies in force cannot be loaded, so everything is denied: {orders.judge_problem}"
            found.append(wrong("in force", said, "bring a bundle into force that loads: `interlock apply`"))
        if (alarm := control.alarm) is not None:
            said = f"the library answers instead of compiled policies: {alarm.why}"
            found.append(doubtful("in force", said, "look at it, then `interlock policy engine compiled --why ...`"))
        if control.stops:
            said = f"brakes that stand: {len(control.stops)}"
            found.append(doubtful("brakes", said, "see them: `interlock brakes`; lift one: `interlock resume`"))
        many = f"agents {len(control.agents)}, contracts {len(control.contracts)}, people {len(control.people)}"
        return found or (good("in force", f"bundle {control.bundle[:12]}; {many}"),)

    async def worker(self) -> Sequence[Checked]:
        """Somebody takes what falls due."""
        due, now = await self._means.store.next_due_at(("",)), self._means.clock.now()
        if due is not None and now - due > LATE_MS:
            said = f"work fell due {words(now - due)} ago, and nobody took it"
            return (wrong("worker", said, "start one: `interlock serve`, or `interlock work`"),)
        return (good("worker", "nothing that is due was left lying"),)

    async def left_open(self) -> Sequence[Checked]:
        """Nothing waits for somebody to say what happened."""
        store = self._means.store
        unknown = await store.count(ActionQuery(states=("unknown",)))
        failed = await store.count(ActionQuery(states=("undo_failed",)))
        found: list[Checked] = []
        if unknown:
            said = f"actions of which nobody knows whether they happened: {unknown}"
            found.append(doubtful("left open", said, "`interlock actions --state unknown`, then `interlock settle`"))
        if failed:
            said = f"actions whose undoing failed: {failed}"
            found.append(doubtful("left open", said, "`interlock actions --state undo_failed`, then `interlock show`"))
        return found or (good("left open", "it is known of every action what became of it"),)

    async def anchors(self) -> Sequence[Checked]:
        """The log is anchored as often as was asked."""
        anchoring = self._means.anchoring
        if anchoring is None or not anchoring.every_ms:
            return (unasked("anchors", "nobody asked for the log to be anchored by itself"),)
        last = [observed(each.leaf) for each in await self._means.log.marked("anchored")]
        now = self._means.clock.now()
        if not await anchoring.due_in() and (not last or now - (last[-1] or 0) > anchoring.every_ms + UNANCHORED_MS):
            said = f"the last is {words(now - (last[-1] or 0))} old" if last else "there is none yet"
            return (doubtful("anchors", said, "see what the witnesses say: `interlock log anchor`"),)
        return (good("anchors", "the log is anchored as often as interlock.yaml asks"),)

    async def notifications(self) -> Sequence[Checked]:
        """What people were to be told outside was told."""
        channels, now = self._plane.notifying.channels, self._means.clock.now()
        if not channels:
            return (unasked("messages", "no channel is named: people see what waits in the console alone"),)
        found: list[Checked] = []
        for box in await self._plane.notifying.outboxes():
            gone, next_at = len(box.dead) + box.forgotten, box.next_at
            if gone:
                said = f"`{box.channel}` gave up messages: {gone}"
                repair = f"see why: `interlock notifications list`; then `interlock notifications resend {box.channel}`"
                found.append(doubtful("messages", said, repair))
            if next_at is not None and now - next_at > LATE_MS:
                said = f"`{box.channel}` has had something to tell for {words(now - next_at)}"
                found.append(wrong("messages", said, "start a worker: `interlock serve`, or `interlock work`"))
        return found or (good("messages", f"channels that told all they had to: {len(channels)}"),)

    async def provider(self) -> Sequence[Checked]:
        """People can be sent to the identity provider. Raises EffectorError where it cannot be had."""
        provider, ids = self._means.provider, self._means.ids
        if provider is None:
            return (unasked("provider", "none is named: people sign in by password and link"),)
        way = Round(state=ids.nonce(), nonce=ids.nonce(), verifier=ids.nonce() * 2)
        await provider.address(way, back=NOWHERE)
        return (good("provider", f"{provider.called} answers, and says where people sign in"),)
