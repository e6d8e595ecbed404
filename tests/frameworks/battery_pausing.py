"""The framework's own pause, where it has one, is ours: asked of a real agent of each framework."""

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

import interlock
from tests.frameworks.driven import Ask, Drive, Driven, Script, acting
from tests.frameworks.kit import Place, in_a_process, place_in


class Pausing(Driven):
    """Paused, decided upon meanwhile, resumed."""

    @pytest.mark.pause
    def test_a_pause_is_not_pretended(self, place: Place) -> None:
        """Where a framework has no pause that could be resumed, asking for one is an error before anything runs."""
        if self.facts.pause:
            pytest.skip("it has one")
        with pytest.raises(interlock.ContractError, match="cannot pause"):
            self.run(place, [[Ask()]], hold="pause")
        assert not place.effects()

    @pytest.mark.pause
    def test_a_paused_run_goes_on_in_another_process(self, place: Place) -> None:
        """With `pause` the framework's run ends where people must decide, and nothing is held open; resumed from what was kept
        after they agreed it goes on from there, and what else it had called is not called again."""
        session = place.folder / "session"
        script = [[Ask(order="o1"), Ask(order="o2", cents=500, id="c2")]]
        assert in_a_process(partial(_paused, type(self).drive, place, script, session)) == -signal.SIGKILL
        assert place.effects() == {"o1 5": 1}
        with interlock.open(place.folder) as client:
            (held,) = client.person("rita").waiting()
            client.person("rita").approve(held.id)
        saw = self.run(place, script, hold="pause", session=session)

        assert not saw.paused
        assert saw.results[-1] == "ok o2"
        assert place.effects() == {"o1 5": 1, "o2 500": 1}

    @pytest.mark.pause
    def test_a_paused_call_that_is_rejected_is_told(self, place: Place) -> None:
        """What people reject while a run is paused comes back to the model as that, and does not run."""
        session, script = place.folder / "session", [[Ask(cents=500)]]
        assert self.run(place, script, hold="pause", session=session).paused
        with interlock.open(place.folder) as client:
            (held,) = client.person("rita").waiting()
            client.person("rita").reject(held.id, note="not today")
        saw = self.run(place, script, hold="pause", session=session)

        assert "not today" in saw.results[-1]
        assert not place.effects()

    @pytest.mark.pause
    def test_resuming_a_paused_run_agrees_to_nothing(self, tmp_path: Path) -> None:
        """A paused run that is resumed before people decided waits for them, or pauses again; where they say nothing in time it
        does not run."""
        place = place_in(tmp_path, within="700ms")
        session = place.folder / "session"
        script, until = [[Ask(cents=500)]], time.monotonic() + 20
        assert self.run(place, script, hold="pause", session=session).paused
        while (saw := self.run(place, script, hold="pause", session=session)).paused:
            assert time.monotonic() < until

        assert "expired" in saw.results[-1]
        assert not place.effects()


def _paused(drive: Drive, place: Place, script: Script, session: Path) -> None:
    """The program whose run pauses, and which is killed then."""

    async def program() -> bool:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            return (await drive(task, script, acting(place), hold="pause", session=session)).paused

    if asyncio.run(program()):
        os.kill(os.getpid(), signal.SIGKILL)
