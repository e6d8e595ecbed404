"""Whatever ends or repeats a run, its effects are there once: asked of a real agent of each framework."""

import asyncio
import os
import signal
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import interlock
from tests.frameworks.driven import Ask, Drive, Driven, Saw, acting
from tests.frameworks.kit import KILLS, KillAt, Place, held_in, in_a_process, opened, place_in


class Once(Driven):
    """Killed, cancelled, tried again, made anew."""

    @pytest.mark.once
    def test_a_tool_that_raises_is_not_run_again(self, place: Place) -> None:
        """A tool that raises may have acted: it is not run again, the model is told not to repeat it, and the agent goes on;
        `NoEffect` says that nothing happened."""
        saw = self.run(place, [[Ask(order="bad")], [Ask(order="none", id="c2")]])

        assert "ValueError: boom" in saw.results[0]
        assert "Do not call it again" in saw.results[0]
        assert "sold out" in saw.results[1]
        assert "Nothing happened" in saw.results[1]
        assert place.effects() == {"bad 5": 1}

    @pytest.mark.once
    def test_a_run_that_is_made_anew_under_its_name_repeats_nothing(self, place: Place) -> None:
        """Under one name a call of the same tool with the same arguments is the same call, whatever its id, in another task too;
        under another name it is another."""
        first = self.run(place, [[Ask(id="c1")]], run="monday")
        again = self.run(place, [[Ask(id="x7")]], run="monday")
        other = self.run(place, [[Ask(id="c1")]], run="tuesday")

        assert first.results == again.results == other.results == ["ok o1"]
        assert place.effects() == {"o1 5": 2}

    @pytest.mark.once
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

    @pytest.mark.once
    def test_a_cancelled_run_leaves_nothing_unseen(self, tmp_path: Path) -> None:
        """Cancelled while its tool runs, the effect is no secret: the action is `unknown`, and the run made anew does not repeat
        it."""
        place = place_in(tmp_path, timeout="500ms")

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

    @pytest.mark.once
    def test_a_run_that_is_cancelled_while_people_decide_leaves_its_call_where_it_was(self, place: Place) -> None:
        """Cancelled while a call waits nothing runs, then or when people agree; made again it is the same action, which runs."""

        async def program() -> None:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:

                def begun() -> asyncio.Task[Saw]:
                    return asyncio.create_task(type(self).drive(task, [[Ask(cents=500)]], acting(place), run="r"))

                run = begun()
                held = await held_in(client)
                run.cancel()
                await asyncio.wait([run])
                await client.person("rita").aio.approve(held)
                assert not place.effects()
                assert (await begun()).results == ["ok o1"]

        asyncio.run(program())
        assert place.effects() == {"o1 500": 1}

    @pytest.mark.steps
    @pytest.mark.parametrize("tool", ["refund", "keyed"])
    def test_a_killed_run_repeats_no_effect(self, tmp_path: Path, tool: str) -> None:
        """Killed in its second call, after that one's effect: made anew, or resumed where the framework can, the first call gives
        its answer without running; the second is told to be unknown, or runs again under its own key."""
        place = place_in(tmp_path, timeout="500ms")
        by: dict[str, Any] = {"session": place.folder / "session"} if self.facts.resumes else {"run": "r"}
        drive = type(self).drive
        assert in_a_process(partial(_crash, drive, place, tool, True, by)) == -signal.SIGKILL
        assert in_a_process(partial(_crash, drive, place, tool, False, by)) == 0
        told, effects = (place.folder / "said").read_text(), place.effects()

        assert effects["o1"] == 1
        assert "ok o1" in told
        if tool == "refund":
            assert effects["o2"] == 1
            assert "not known whether `refund` happened" in told
        else:
            keys = {each for each in effects if each.startswith("o2 ")}
            assert len(keys) == 1, "the target, which keeps keys, sees one call"
            assert "ok o2" in told

    @pytest.mark.steps
    @pytest.mark.parametrize("tool", ["refund", "keyed"])
    def test_a_run_killed_at_any_step_repeats_no_effect(self, tmp_path: Path, tool: str) -> None:
        """Killed at each step of the gate and of the tool in turn, a run that is resumed or made anew has its effect once at
        most, and the model hears that it is done; or that nobody knows, where a tool that keeps no keys was at work."""
        drive, ends = type(self).drive, dict[str, bool]()
        for step in (each for each in KILLS if each != "call.returned"):
            place = place_in(tmp_path / step, timeout="500ms")
            interlock.open(place.folder, apply=True).close()
            by: dict[str, Any] = {"session": place.folder / "session"} if self.facts.resumes else {"run": "r"}
            assert in_a_process(partial(_stepwise, drive, place, tool, step, by)) == -signal.SIGKILL, step
            assert in_a_process(partial(_stepwise, drive, place, tool, "", by)) == 0, step
            (said,) = (place.folder / "said").read_text().splitlines()
            effects = sum(place.effects().values())
            ends[step] = "not known whether" in said
            assert effects <= 1, step
            assert ends[step] or (said == "ok o1" and effects == 1), (step, said, effects)

        lost = {"propose.recorded", "tool.begun", "tool.acted", "execute.called", "execute.verified"}
        assert {step for step, unknown in ends.items() if unknown} == (lost if tool == "refund" else set())


class Stepwise:
    """A tool that may be killed before and after it acts. `keyed` drops what it has seen under a key, as the target would."""

    def __init__(self, place: Place, tool: str, steps: KillAt) -> None:
        self._place = place
        self._tool = tool
        self._steps = steps

    async def act(self, order: str, cents: int) -> str:
        """Once for a key, or as often as it is called."""
        self._steps.reached("tool.begun")
        key = interlock.this_call().idempotency_key
        if self._tool == "refund" or not any(each.endswith(key) for each in self._place.effects()):
            self._place.effect(f"{order} {cents} {key}")
        self._steps.reached("tool.acted")
        return f"ok {order}"


def _stepwise(drive: Drive, place: Place, tool: str, step: str, options: dict[str, Any]) -> None:
    """The program that is killed at one step, or goes on."""
    steps = KillAt(step)

    async def program() -> Saw:
        async with opened(place.folder, steps) as client, client.task("ag", purpose="test") as task:
            return await drive(task, [[Ask(tool=tool)]], Stepwise(place, tool, steps).act, **options)

    saw = asyncio.run(program())
    (place.folder / "said").write_text("\n".join(saw.results))


def _crash(drive: Drive, place: Place, tool: str, dies: bool, options: dict[str, Any]) -> None:
    """The program that is killed: two calls, of which the second kills it where it is told to, after its effect."""

    async def act(order: str, cents: int) -> str:
        place.effect(f"{order} {interlock.this_call().idempotency_key}" if tool == "keyed" and order == "o2" else order)
        if dies and order == "o2":
            os.kill(os.getpid(), signal.SIGKILL)
        return f"ok {order}"

    async def program() -> Saw:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            script = [[Ask(order="o1", tool=tool, id="c1")], [Ask(order="o2", tool=tool, id="c2")]]
            return await drive(task, script, act, **options)

    (place.folder / "said").write_text("\n".join(asyncio.run(program()).results))
