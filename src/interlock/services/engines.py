"""Which engine answers for the policies: compiled functions, or the library that is their oracle.

Where the two disagreed, the library answers in every process until a person has looked. That is part of the standing
orders, so that it holds after a restart and for those who never saw the disagreement.
"""

from typing import Final

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.control import Alarm, Control
from interlock.domain.errors import Conflict, ContractError, NotAllowed, NotFound, StoreError
from interlock.domain.evidence import Phase
from interlock.domain.ids import Person
from interlock.domain.names import instead
from interlock.domain.people import roles_of
from interlock.domain.policy import ENGINES, Engine
from interlock.domain.recording import control_fact
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

WATCH: Final = "interlock.engine"
"""Who raises an alarm that no person raised."""
ROUNDS: Final = 20


class Engines:
    """Raises alarms, and ends them on a person's word."""

    def __init__(self, store: Store, orders: StandingOrders, clock: Clock) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._unwritten = ""
        """An alarm that could not be written down. This process answers by the library already."""

    async def heard(self, alarm: str) -> None:
        """Write down that compiled policies were found wrong, and have the library answer everywhere; raises nothing.

        Called with every answer. What the store could not take is written with the next one.
        """
        self._unwritten = alarm or self._unwritten
        if not self._unwritten:
            return
        try:
            for _ in range(ROUNDS):
                control = (await self._orders.refresh()).control
                # Somebody else may have written it down first, or a person may answer by the library as it is.
                if control.engine != "compiled" or await self._switched(
                    control, "cedarpy", self._unwritten, WATCH, "alarm"
                ):
                    self._unwritten = ""
                    return
        except StoreError:
            return

    async def use(self, engine: Engine, *, by: Person, why: str) -> Control:
        """Have `engine` answer from now on, in every process. The library stays until somebody says otherwise; `compiled`
        ends an alarm, and then what was published answers. Saying what is so already changes nothing.

        Raises NotFound for an engine that there is not, ContractError where nobody said why. Raises NotAllowed for somebody
        who holds no role, or under a rule that names roles none of those; and where the library is what was published: that
        is changed by as many people as it took.
        """
        if engine not in ENGINES:
            raise NotFound(f"there is no engine `{engine}`", next_step=instead(str(engine), ENGINES, ""))
        if not why.strip():
            raise ContractError("`why` is empty", path="/why", next_step="say in a few words why the engine changes")
        while True:
            control = (await self._orders.refresh()).control
            roles_of(by, control)
            control.publishing.must_count(by, control.roles(by))
            if control.engine == engine:
                return control
            if engine == "compiled" and control.alarm is None:
                raise NotAllowed(
                    "the library is what was published here, and no alarm stands that could be ended",
                    next_step="publish the other one: `engine: compiled` in interlock.yaml, then `interlock apply`",
                )
            if await self._switched(control, engine, why, by, "engine"):
                return (await self._orders.refresh()).control

    async def _switched(self, control: Control, engine: Engine, why: str, by: str, phase: Phase) -> bool:
        now = self._clock.now()
        asked: Engine = control.alarm.instead_of if control.alarm is not None else control.engine
        alarm = None if engine == "compiled" else Alarm(why=why, by=by, since_at=now, instead_of=asked)
        after = msgspec.structs.replace(control, engine=asked if alarm is None else engine, alarm=alarm)
        body: dict[str, JsonValue] = {"engine": after.engine}
        fact = control_fact(after, phase, body, by, now)
        if by == WATCH:
            # Names of policies and of a contract, no values: whoever reads the log alone must be able to look for it.
            fact = msgspec.structs.replace(fact, body={**fact.body, "why": why})
        else:
            fact = msgspec.structs.replace(fact, private={**fact.private, "why": why})
        try:
            await save(self._store, Change(puts=(after,), facts=(fact,)))
        except Conflict:
            return False
        await self._orders.refresh()
        return True
