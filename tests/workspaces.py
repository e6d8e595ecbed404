"""A small real workspace in a folder: tools whose effects are lines of a file, three agents, policies, two people."""

import fcntl
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import ModuleType

from interlock.bootstrap.beginning import initialise

_NUMBERS: Iterator[int] = count()

SETTINGS = """\
tenant: tests
modules: [{module}]
budgets: {{calls: 10000, EUR: 100000}}
timing: {{lease_margin: 1s, skew: 50ms}}
policy_tests: advised
"""

PEOPLE = """\
rita: [reviewer]
ria: [reviewer, lead]
ana: [reviewer]
"""

AGENT = """\
name: {name}
purpose: to be tested
owners: {{decision: rita, policy: rita, data: rita, engineering: rita}}
stage: {stage}
capabilities: [{capabilities}]
runtime: {{max_actions: 5000, max_task: 1h, max_repeats: 5000}}
approvals: {{within: 1h}}
"""

CAPABILITIES = ("box.put", "box.aput", "box.look", "box.mail", "box.drop", "box.lose", "box.stay")

POLICIES = """\
@id("all") @owner("tests") permit(principal, action, resource);
@id("ask") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("more than a hundred")
forbid(principal, action == Action::"box.put", resource) when { context.args.n > 100 };
@id("no") @owner("tests") @outcome("deny") @reason("more than a thousand")
forbid(principal, action == Action::"box.put", resource) when { context.args.n > 1000 };
"""

TOOLS = '''\
"""Tools whose effects are lines of `effects.txt`."""

import asyncio
import fcntl
import time
from pathlib import Path
from typing import Annotated

import msgspec

import interlock

HERE = Path(__file__).parent
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
KEYED = interlock.Keyed(retention_ms=interlock.DAY)


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """What was put where."""

    n: int
    word: str


def effect(call: interlock.Call, what: str) -> None:
    """One more line, never two at once."""
    with (HERE / "effects.txt").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{call.idempotency_key} {what}\\n")


@interlock.tool(
    name="box.put", effect="write", risk="low", idempotency=KEYED,
    reversal=interlock.Reversal(contract="box.take", arguments={"n": "$args.n"}),
)
def put(call: interlock.Call, n: Count, word: str = "x", wait_ms: Count = 0) -> Put:
    """Put something into the box."""
    time.sleep(wait_ms / 1000)
    effect(call, f"put {n}")
    return Put(n=n, word=word)


@interlock.tool(
    name="box.take", effect="write", risk="low", idempotency=KEYED, reversal=interlock.NoReversal(why="it is an undo"),
)
def take(call: interlock.Call, n: Count) -> int:
    """Take it out again."""
    effect(call, f"take {n}")
    return n


@interlock.tool(
    name="box.aput", effect="write", risk="low", idempotency=KEYED,
    reversal=interlock.Reversal(contract="box.take", arguments={"n": "$args.n"}),
)
async def aput(call: interlock.Call, n: Count, word: str = "x") -> Put:
    """Put something into the box, without waiting."""
    await asyncio.sleep(0)
    effect(call, f"put {n}")
    return Put(n=n, word=word)


@interlock.tool(name="box.look", effect="read", risk="low")
def look(word: str) -> str:
    """Look."""
    return word.upper()


@interlock.tool(name="box.mail", effect="external", risk="medium", reversal=interlock.NoReversal(why="it is sent"))
def mail(call: interlock.Call, to: str) -> None:
    """Send a mail."""
    effect(call, f"mail {to}")


@interlock.tool(
    name="box.drop", effect="write", risk="low", reversal=interlock.Reversal(contract="box.take", arguments={"n": 1}),
)
def drop(reason: str) -> None:
    """Do nothing, and say so."""
    raise interlock.NoEffect(reason)


@interlock.tool(
    name="box.lose", effect="write", risk="low", reversal=interlock.Reversal(contract="box.take", arguments={"n": 1}),
)
def lose(call: interlock.Call, reason: str) -> int:
    """Act, and break."""
    effect(call, "lost")
    raise RuntimeError(reason)


@interlock.tool(
    name="box.stay", effect="write", risk="low", idempotency=KEYED, timeout_ms=3_000,
    reversal=interlock.Reversal(contract="box.take", arguments={"n": 1}),
)
def stay(call: interlock.Call, s: Count) -> int:
    """Take long. `began` says that it began."""
    (HERE / "began").touch()
    time.sleep(s)
    effect(call, "stayed")
    return s
'''


class Place:
    """One workspace, ready to be opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = f"tools_of_test_{next(_NUMBERS)}"

    def write(self, name: str, text: str) -> None:
        """One file of it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def change(self, name: str, change: Callable[[str], str]) -> None:
        """One file of it, otherwise."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert change(text) != text
        self.write(name, change(text))

    def tools(self) -> ModuleType:
        """Its module of tools, as a program in the folder would import it."""
        if str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
        return importlib.import_module(self.module)

    def effects(self) -> list[str]:
        """What happened, in order, without the keys."""
        return [line.partition(" ")[2] for line in self._lines()]

    def by_key(self) -> Counter[str]:
        """How often each action happened, by its key."""
        return Counter(line.partition(" ")[0] for line in self._lines())

    def _lines(self) -> list[str]:
        path = self.folder / "effects.txt"
        if not path.exists():
            return []
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return file.read().splitlines()


def workspace(folder: Path) -> Place:
    """Make one."""
    place = Place(folder)
    capabilities = ", ".join(CAPABILITIES)
    place.write("interlock.yaml", SETTINGS.format(module=place.module))
    place.write("people.yaml", PEOPLE)
    place.write("policies/all.cedar", POLICIES)
    place.write(f"{place.module}.py", TOOLS)
    for name, stage in (("ag", "partial"), ("shade", "shadow"), ("helper", "assisted")):
        place.write(f"agents/{name}.yaml", AGENT.format(name=name, stage=stage, capabilities=capabilities))
    initialise(folder, "tests")
    return place


def forget(place: Place) -> None:
    """Take its module out of this process again."""
    sys.modules.pop(place.module, None)
    if str(place.folder) in sys.path:
        sys.path.remove(str(place.folder))
