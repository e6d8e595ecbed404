"""The records of `dispatch-fence`: one exclusive dispatch each, lived through by a gate of ours. See `decisions`.

The hold is our lease, taken at once for as long as the record's was with its renewals; what happened to the state the check
had read is that policies which deny come into force; another attempt is another process that takes up whatever is due.
"""

from typing import Any

import msgspec

from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Blind, Facts, PythonTarget
from interlock.domain.settlement import Timing
from interlock.services.plane import ControlPlane, plane
from interlock.testing.world import World, contract, permit
from tests.foreign.decisions import Object, denies, ms

_USUAL_S = 60
"""How long a tool may run of which the record does not say it."""
_FACTS = Facts(source=PythonTarget(target="world:facts"), schema={"type": "object"})


async def dispatch(record: Object) -> str:
    """`allow` where it was run once, and to its commit was nobody else's."""
    return await _Dispatch(record).verdict()


class _Dispatch:
    def __init__(self, record: Object) -> None:
        self._record, self._world = record, World()
        fence, effect = record["fence"], record["effect"]
        begun = ms(fence["acquiredAt"])
        ends = max(begun + fence["ttlSeconds"] * 1_000, *(ms(each["expiresAt"]) for each in fence["renewals"]), 0)
        runs = effect.get("declaredMaxRuntimeSeconds", _USUAL_S) * 1_000
        self._timing = Timing(lease_margin_ms=ends - begun - runs, skew_ms=0)
        self._thing = contract(effect="read", reversal=None, idempotency=Blind(), facts=_FACTS, timeout_ms=runs)
        self._others: list[Any] = []
        self._raised = 0

    async def verdict(self) -> str:
        world, record = self._world, self._record
        first, self._second = self._process("first"), self._process("second")
        world.effectors.on("thing.put", "facts", self._checked)
        world.effectors.on("thing.put", "run", self._called)
        self._to(record["check"]["at"])
        await world.apply(self._thing)
        self._task = await world.task()
        action = await world.propose_on(first, self._task, key=record["proposalId"], here=False)
        self._checking = True
        self._to(record["fence"]["acquiredAt"])
        await world.work(first)
        done = (await world.action(action)).state == "done"
        return "allow" if done and not self._others and world.effectors.calls["thing.put", "run"] == 1 else "deny"

    _checking = False

    async def _checked(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        """The state is read for the check; what the record says came between it and the fence comes now."""
        del arguments, call
        if self._checking:
            await self._raise(upto=self._record["fence"]["appendSeq"])
        return Landed({})

    async def _called(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        """The effect, to its commit; meanwhile the others."""
        del arguments, call
        effect, attempts = self._record["effect"], self._record["otherAttempts"]
        await self._raise(upto=1 << 30)
        for each in attempts:
            self._to(each["beganAt"])
            if each["proposalId"] == self._record["proposalId"]:
                await self._world.propose_on(self._second, self._task, key=each["proposalId"])
            self._others += await self._world.work(self._second)
        for time in (effect["endedAt"], self._record["commit"]["at"]):
            self._to(time)
            self._others += await self._world.work(self._second)
        return Landed(None)

    async def _raise(self, upto: int) -> None:
        """Bring what changed the state after the check had read it, once."""
        read = max(self._record["check"]["readSeq"], self._raised)
        for event in self._record["stateEvents"]:
            if read < event["seq"] <= upto:
                self._raised = event["seq"]
                await self._world.apply(self._thing, rules=(permit(), denies("raised")), bundle=f"b{self._raised}")

    def _to(self, time: str) -> None:
        clock = self._world.clock
        clock.advance(max(0, ms(time) - clock.now()))

    def _process(self, worker: str) -> ControlPlane:
        return plane(msgspec.structs.replace(self._world.another(worker).means, timing=self._timing))
