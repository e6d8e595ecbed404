"""What is promised of the adapter of every framework, asked of a real agent of it whose model follows a script.

Each framework's folder says how such an agent is made (`driver.py`) and runs this battery, in that framework's environment.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import pytest

import interlock
from tests.frameworks.kit import KILLS, KillAt, Place, in_a_process, opened, place_in

Act: TypeAlias = Callable[[str, int], Awaitable[Any]]
"""What the tools of an agent do in a test, given `order` and `cents`."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One call that the scripted model makes."""

    order: str = "o1"
    cents: int = 5
    tool: str = "refund"
    id: str = "c1"

    @property
    def arguments(self) -> dict[str, Any]:
        """As the model writes them."""
        return {"order": self.order, "cents": self.cents}


Script: TypeAlias = Sequence[Sequence[Ask]]
"""The calls of each of the model's turns; after the last of them it says that it is done."""


@dataclass(kw_only=True)
class Saw:
    """What came of a run."""

    results: list[str] = field(default_factory=list[str])
    """What the model was given for each of its calls, in their order."""
    paused: bool = False
    final: str = ""


Drive: TypeAlias = Callable[..., Coroutine[Any, Any, Saw]]
"""`await drive(task, script, act, **options)`: a run of an agent with the tools `refund`, `keyed` and `wipe`, all of which `act`.
`session`, where the framework can resume, is the folder in which it keeps its runs; `options` are the adapter's."""


def acting(place: Place) -> Act:
    """A tool that acts; an order named `bad` raises afterwards, one named `none` before, one named `slow` takes its time."""

    async def act(order: str, cents: int) -> str:
        if order == "none":
            raise interlock.NoEffect("sold out")
        place.effect(f"{order} {cents}")
        if order == "bad":
            raise ValueError("boom")
        if order.startswith("slow"):
            await asyncio.sleep(0.3)
        return f"ok {order}"

    return act


class Battery:
    """The promises. `resumes` says whether the framework resumes a run that was killed."""

    drive: ClassVar[Drive]
    resumes: ClassVar[bool] = False
    pauses: ClassVar[bool] = False
    folder: ClassVar[str]

    @pytest.fixture
    def place(self, tmp_path: Path) -> Place:
        """A workspace of tools that the agent's own program has."""
        return place_in(tmp_path)

    def run(self, place: Place, script: Script, by: str = "ag", **options: Any) -> Saw:
        """One run of an agent, in a task of its own."""

        async def program() -> Saw:
            given = client.task(by, purpose="test", budgets=options.pop("budgets", None))
            async with client, given as task:
                return await type(self).drive(task, script, acting(place), **options)

        client = interlock.open(place.folder, apply=True)
        return asyncio.run(program())

    def test_a_synchronous_program_is_governed_alike(self, place: Place) -> None:
        """Where the task is of a synchronous program, on no event loop, the agent runs on its own as ever; without a task of its
        own the adapter acts in the one that is open."""
        script = [[Ask(order="slow1"), Ask(order="slow2", id="c2")]]
        with interlock.open(place.folder, apply=True) as client:
            with client.task("ag", purpose="test") as task:
                saw = asyncio.run(type(self).drive(task, script, acting(place)))
            with client.task("ag", purpose="test"):
                again = asyncio.run(type(self).drive(None, [[Ask(order="o3")]], acting(place)))

        assert saw.results == ["ok slow1", "ok slow2"]
        assert again.results == ["ok o3"]
        assert place.effects() == {"slow1 5": 1, "slow2 5": 1, "o3 5": 1}

    def decided(
        self, place: Place, script: Script, decide: Callable[[Any, str], Awaitable[object]], **options: Any
    ) -> Saw:
        """One run, in which `decide(rita, action)` says of whatever is held what she says of it."""

        async def program() -> Saw:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                run = asyncio.ensure_future(type(self).drive(task, script, acting(place), **options))
                rita = client.person("rita").aio
                said: set[str] = set()
                while not run.done():
                    for each in await rita.waiting():
                        if each.id not in said:
                            said.add(each.id)
                            assert not place.effects()
                            await decide(rita, each.id)
                    await asyncio.sleep(0.02)
                return await run

        return asyncio.run(program())

    def test_a_call_that_is_allowed_runs_once_inside_the_gate(self, place: Place) -> None:
        """The tool runs, its result reaches the model, and the call stands in the log as an action that is done."""
        saw = self.run(place, [[Ask()]])

        assert saw.results == ["ok o1"]
        assert "done" in saw.final
        assert place.effects() == {"o1 5": 1}
        with interlock.open(place.folder) as client:
            assert client.person("rita").waiting() == []
        told = _shell(place, "actions")
        assert "refund" in told
        assert "done" in told

    @pytest.mark.parametrize(
        ("ask", "agent", "words"),
        [
            (Ask(cents=1001), "ag", "denied: more than a thousand"),
            (Ask(cents=-1), "ag", "refused"),
            (Ask(tool="wipe"), "ag", "not among what this agent may use"),
            (Ask(), "shade", "acts in shadow"),
        ],
    )
    def test_a_no_never_reaches_the_tool(self, place: Place, ask: Ask, agent: str, words: str) -> None:
        """What is denied, does not fit its contract, has none or runs in shadow touches nothing; the model is told why, and the
        agent goes on."""
        saw = self.run(place, [[ask]], agent)

        (told,) = saw.results
        assert words in told
        assert "Not done" in told
        assert not place.effects()
        assert "done" in saw.final

    def test_a_budget_ends_the_calls(self, place: Place) -> None:
        """Two calls of three fit into the task's budget; the third touches nothing."""
        script = [[Ask(order=f"o{number}", id=f"c{number}")] for number in range(3)]
        saw = self.run(place, script, budgets={"calls": 2})

        assert saw.results[:2] == ["ok o0", "ok o1"]
        assert "budget" in saw.results[2]
        assert place.effects() == {"o0 5": 1, "o1 5": 1}

    def test_a_stopped_agent_touches_nothing(self, place: Place) -> None:
        """Under a brake no call of the agent reaches its tool; lifted, they do again."""
        self.run(place, [[Ask(order="o0")]])
        _shell(place, "stop", "agent:ag", "--as", "rita", "--why", "test")
        saw = self.run(place, [[Ask()]])
        assert place.effects() == {"o0 5": 1}
        assert "Not done" in saw.results[0]

        _shell(place, "resume", "agent:ag", "--as", "rita")
        self.run(place, [[Ask()]])
        assert place.effects() == {"o0 5": 1, "o1 5": 1}

    def test_a_held_call_waits_and_runs_when_it_is_approved(self, place: Place) -> None:
        """While people decide nothing happens; approved, it runs, and the model gets its result."""
        saw = self.decided(place, [[Ask(cents=500)]], lambda rita, action: rita.approve(action))

        assert saw.results == ["ok o1"]
        assert place.effects() == {"o1 500": 1}

    def test_a_reviewer_changes_the_arguments(self, place: Place) -> None:
        """What runs are the arguments that the reviewer gave, never those of the model."""
        saw = self.decided(
            place, [[Ask(cents=500)]], lambda rita, action: rita.modify(action, {"order": "o9", "cents": 90})
        )

        assert saw.results == ["ok o9"]
        assert place.effects() == {"o9 90": 1}

    def test_a_rejected_call_never_runs(self, place: Place) -> None:
        """Rejected, the tool does not run, and the model is told."""
        saw = self.decided(place, [[Ask(cents=500)]], lambda rita, action: rita.reject(action, note="no"))

        assert "rejected" in saw.results[0]
        assert not place.effects()

    def test_a_call_that_nobody_answers_expires(self, tmp_path: Path) -> None:
        """Where nobody answers in time the tool does not run."""
        place = place_in(tmp_path, within="1s")
        saw = self.run(place, [[Ask(cents=500)]])

        assert "expired" in saw.results[0]
        assert not place.effects()

    def test_a_told_model_asks_again(self, place: Place) -> None:
        """With `tell` the model hears that people decide, and goes on; when it asks again with the same arguments it is that
        action."""

        async def program() -> Saw:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                rita, told = client.person("rita").aio, {"hold": "tell", "run": "r"}
                first = await type(self).drive(task, [[Ask(cents=500, id="c1")]], acting(place), **told)
                assert "waits until a person agrees" in first.results[0]
                assert "done" in first.final
                (held,) = await rita.waiting()
                await rita.approve(held.id)
                return await type(self).drive(task, [[Ask(cents=500, id="c2")]], acting(place), **told)

        assert asyncio.run(program()).results == ["ok o1"]
        assert place.effects() == {"o1 500": 1}

    def test_calls_at_once_run_each_once(self, place: Place) -> None:
        """Calls of one turn run at once, each once, and each result reaches its own call; a no among them stops none."""
        asks = [Ask(order=f"slow{number}", id=f"c{number}") for number in range(4)]
        saw = self.run(place, [[*asks, Ask(order="no", cents=2000, id="n")]])

        assert saw.results[:4] == [f"ok slow{number}" for number in range(4)]
        assert "denied" in saw.results[4]
        assert place.effects() == {f"slow{number} 5": 1 for number in range(4)}

    def test_a_tool_that_raises_is_not_run_again(self, place: Place) -> None:
        """A tool that raises may have acted: it is not run again, the model is told not to repeat it, and the agent goes on;
        `NoEffect` says that nothing happened."""
        saw = self.run(place, [[Ask(order="bad")], [Ask(order="none", id="c2")]])

        assert "ValueError: boom" in saw.results[0]
        assert "Do not call it again" in saw.results[0]
        assert "sold out" in saw.results[1]
        assert "Nothing happened" in saw.results[1]
        assert place.effects() == {"bad 5": 1}

    def test_a_run_that_is_made_anew_under_its_name_repeats_nothing(self, place: Place) -> None:
        """Under one name a call of the same tool with the same arguments is the same call, whatever its id, in another task too;
        under another name it is another."""
        first = self.run(place, [[Ask(id="c1")]], run="monday")
        again = self.run(place, [[Ask(id="x7")]], run="monday")
        other = self.run(place, [[Ask(id="c1")]], run="tuesday")

        assert first.results == again.results == other.results == ["ok o1"]
        assert place.effects() == {"o1 5": 2}

    def test_what_touched_nothing_is_judged_anew(self, place: Place) -> None:
        """In a run that has a name a call that was refused is no call that was made: made again once the reason is gone, it
        runs, and then once."""
        refused = self.run(place, [[Ask()]], budgets={"calls": 0}, run="r")
        twice = self.run(place, [[Ask(order="none")], [Ask(order="none", id="c2")]], run="r")
        done = [self.run(place, [[Ask()]], run="r").results for _ in range(2)]

        assert "budget" in refused.results[0]
        assert all("sold out" in each for each in twice.results)
        assert done == [["ok o1"], ["ok o1"]]
        assert place.effects() == {"o1 5": 1}

    def test_a_cancelled_run_leaves_nothing_unseen(self, tmp_path: Path) -> None:
        """Cancelled while its tool runs, the effect is no secret: the action is `unknown`, and the run made anew does not repeat
        it."""
        place = place_in(tmp_path, timeout="1s")

        async def program() -> None:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                act, began = acting(place), threading.Event()

                async def slow(order: str, cents: int) -> str:
                    began.set()
                    return f"{order} {await act('slow', cents)}"

                run = asyncio.ensure_future(type(self).drive(task, [[Ask()]], slow, run="r"))
                await asyncio.to_thread(began.wait)
                run.cancel()
                await asyncio.wait([run])

        asyncio.run(program())
        saw = self.run(place, [[Ask()]], run="r")

        assert sum(place.effects().values()) == 1
        assert "slow" in saw.results[0] or "not known" in saw.results[0]

    @pytest.mark.parametrize("tool", ["refund", "keyed"])
    def test_a_killed_run_repeats_no_effect(self, tmp_path: Path, tool: str) -> None:
        """Killed in its second call, after that one's effect: made anew, or resumed where the framework can, the first call gives
        its answer without running; the second is told to be unknown, or runs again under its own key."""
        place = place_in(tmp_path, timeout="1s")
        killed, again = self.killed(place, tool, "die"), self.killed(place, tool, "go on")

        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert again.returncode == 0, again.stderr
        effects = place.effects()
        assert effects["o1"] == 1
        if tool == "refund":
            assert effects["o2"] == 1
            assert "not known whether `refund` happened" in again.stdout
        else:
            keys = {each for each in effects if each.startswith("o2 ")}
            assert len(keys) == 1, "the target, which keeps keys, sees one call"
            assert "ok o2" in again.stdout
        assert "ok o1" in again.stdout

    def test_a_run_killed_at_any_step_repeats_no_effect(self, tmp_path: Path) -> None:
        """Killed at each step of the gate and of the tool in turn, a run that is resumed or made anew has its effect once at
        most, and the model hears that it is done, or that nobody knows."""
        drive = type(self).drive
        for step in (each for each in KILLS if each != "call.returned"):
            place = place_in(tmp_path / step, timeout="1s")
            interlock.open(place.folder, apply=True).close()
            by: dict[str, Any] = {"session": place.folder / "session"} if self.resumes else {"run": "r"}
            assert in_a_process(partial(_stepwise, drive, place, step, by)) == -signal.SIGKILL, step
            assert in_a_process(partial(_stepwise, drive, place, "", by)) == 0, step
            (said,) = (place.folder / "said").read_text().splitlines()
            effects = place.effects()["o1"]
            assert effects <= 1, step
            assert (said == "ok o1" and effects == 1) or "not known whether" in said, (step, said, effects)

    def killed(self, place: Place, tool: str, how: str) -> "subprocess.CompletedProcess[str]":
        """The run in a process of its own."""
        code = (
            f"from tests.frameworks.{self.folder}.driver import drive\n"
            "from tests.frameworks.battery import crash\n"
            "crash(drive)"
        )
        root = Path(__file__).parents[2]
        return subprocess.run(
            [sys.executable, "-c", code, str(place.folder), tool, how, "session" if self.resumes else "name"],
            env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"},
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_a_paused_run_goes_on_in_another_process(self, place: Place) -> None:
        """With `pause` the framework's run ends where people must decide, and nothing is held open; resumed after they agreed it
        goes on from there, and what else it had called is not called again."""
        if not self.pauses:
            with pytest.raises(interlock.ContractError, match="cannot pause"):
                self.run(place, [[Ask()]], hold="pause")
            return
        session = place.folder / "session"
        script = [[Ask(order="o1"), Ask(order="o2", cents=500, id="c2")]]
        assert self.run(place, script, hold="pause", session=session).paused
        assert place.effects() == {"o1 5": 1}
        with interlock.open(place.folder) as client:
            (held,) = client.person("rita").waiting()
            client.person("rita").approve(held.id)
        saw = self.run(place, script, hold="pause", session=session)

        assert not saw.paused
        assert saw.results[-1] == "ok o2"
        assert place.effects() == {"o1 5": 1, "o2 500": 1}

    def test_resuming_a_paused_run_agrees_to_nothing(self, tmp_path: Path) -> None:
        """A paused run that is resumed before people decided waits for them; what they reject does not run."""
        if not self.pauses:
            pytest.skip("this framework cannot pause")
        place = place_in(tmp_path, within="2s")
        session = place.folder / "session"
        script = [[Ask(cents=500)]]
        assert self.run(place, script, hold="pause", session=session).paused
        saw = self.run(place, script, hold="pause", session=session)

        assert "expired" in saw.results[-1]
        assert not place.effects()


def _stepwise(drive: Drive, place: Place, step: str, options: dict[str, Any]) -> None:
    """The program that is killed at one step, or goes on."""
    steps = KillAt(step)

    async def act(order: str, cents: int) -> str:
        steps.reached("tool.begun")
        place.effect(order)
        steps.reached("tool.acted")
        return f"ok {order}"

    async def program() -> Saw:
        async with opened(place.folder, steps) as client, client.task("ag", purpose="test") as task:
            return await drive(task, [[Ask()]], act, **options)

    saw = asyncio.run(program())
    (place.folder / "said").write_text("\n".join(saw.results))


def crash(drive: Drive) -> None:
    """The program that is killed: two calls, of which the second kills it where it is told to, after its effect."""
    folder, tool, how, by = sys.argv[1:]
    place = Place(Path(folder))

    async def act(order: str, cents: int) -> str:
        place.effect(f"{order} {interlock.this_call().idempotency_key}" if tool == "keyed" and order == "o2" else order)
        if how == "die" and order == "o2":
            os.kill(os.getpid(), signal.SIGKILL)
        return f"ok {order}"

    options: dict[str, Any] = {"session": place.folder / "session"} if by == "session" else {"run": "r"}

    async def program() -> Saw:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            script = [[Ask(order="o1", tool=tool, id="c1")], [Ask(order="o2", tool=tool, id="c2")]]
            return await drive(task, script, act, **options)

    print(asyncio.run(program()).results)


def _shell(place: Place, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "interlock", *words], cwd=place.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
