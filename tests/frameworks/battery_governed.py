"""What nothing but the gate lets through, asked of a real agent of each framework."""

import asyncio
from pathlib import Path

import pytest

import interlock
from tests.frameworks.driven import Ask, Driven, Saw, acting
from tests.frameworks.kit import Place, place_in


class Governed(Driven):
    """Allowed, refused, held, approved, changed, rejected, expired; in every way in which the framework is run."""

    @pytest.mark.governed
    def test_a_call_that_is_allowed_runs_once_inside_the_gate(self, place: Place) -> None:
        """The tool runs, its result reaches the model, and the call stands in the log as an action that is done."""
        saw = self.run(place, [[Ask()]])

        assert saw.results == ["ok o1"]
        assert "done" in saw.final
        assert place.effects() == {"o1 5": 1}
        assert place.actions() == [("refund", "done")]

    @pytest.mark.governed
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

    @pytest.mark.governed
    def test_a_budget_ends_the_calls(self, place: Place) -> None:
        """Two calls of three fit into the task's budget; the third touches nothing."""
        script = [[Ask(order=f"o{number}", id=f"c{number}")] for number in range(3)]
        saw = self.run(place, script, budgets={"calls": 2})

        assert saw.results[:2] == ["ok o0", "ok o1"]
        assert "budget" in saw.results[2]
        assert place.effects() == {"o0 5": 1, "o1 5": 1}

    @pytest.mark.governed
    def test_a_stopped_agent_touches_nothing(self, place: Place) -> None:
        """Under a brake no call of the agent reaches its tool; lifted, they do again."""
        self.run(place, [[Ask(order="o0")]])
        place.stop()
        saw = self.run(place, [[Ask()]])
        assert place.effects() == {"o0 5": 1}
        assert "Not done" in saw.results[0]

        place.go_on()
        self.run(place, [[Ask()]])
        assert place.effects() == {"o0 5": 1, "o1 5": 1}

    @pytest.mark.governed
    def test_a_held_call_waits_and_runs_when_it_is_approved(self, place: Place) -> None:
        """While people decide nothing happens; approved, it runs, and the model gets its result."""
        saw = self.decided(place, [[Ask(cents=500)]], lambda rita, action: rita.approve(action))

        assert saw.results == ["ok o1"]
        assert place.effects() == {"o1 500": 1}

    @pytest.mark.governed
    def test_a_reviewer_changes_the_arguments(self, place: Place) -> None:
        """What runs are the arguments that the reviewer gave, never those of the model."""
        saw = self.decided(
            place, [[Ask(cents=500)]], lambda rita, action: rita.modify(action, {"order": "o9", "cents": 90})
        )

        assert saw.results == ["ok o9"]
        assert place.effects() == {"o9 90": 1}

    @pytest.mark.governed
    def test_a_rejected_call_never_runs(self, place: Place) -> None:
        """Rejected, the tool does not run, and the model is told."""
        saw = self.decided(place, [[Ask(cents=500)]], lambda rita, action: rita.reject(action, note="no"))

        assert "rejected" in saw.results[0]
        assert not place.effects()

    @pytest.mark.governed
    def test_a_call_that_nobody_answers_expires(self, tmp_path: Path) -> None:
        """Where nobody answers in time the tool does not run."""
        place = place_in(tmp_path, within="400ms")
        saw = self.run(place, [[Ask(cents=500)]])

        assert "expired" in saw.results[0]
        assert not place.effects()

    @pytest.mark.governed
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

    @pytest.mark.governed
    def test_calls_at_once_run_each_once(self, place: Place) -> None:
        """Calls of one turn run at once, each once, and each result reaches its own call; a no among them stops none."""
        asks = [Ask(order=f"slow{number}", id=f"c{number}") for number in range(4)]
        saw = self.run(place, [[*asks, Ask(order="no", cents=2000, id="n")]])

        assert saw.results[:4] == [f"ok slow{number}" for number in range(4)]
        assert "denied" in saw.results[4]
        assert place.effects() == {f"slow{number} 5": 1 for number in range(4)}

    @pytest.mark.governed
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

    @pytest.mark.governed
    def test_every_way_to_run_it_is_governed_alike(self, place: Place) -> None:
        """Synchronously, awaited, streamed: what is allowed runs once, and what is not is told."""
        for way in self.facts.ways:
            script = [[Ask(order=way), Ask(order="no", cents=2000, id="n")]]
            assert self.run(place, script, way=way).results[0] == f"ok {way}", way

        assert place.effects() == {f"{way} 5": 1 for way in self.facts.ways}

    @pytest.mark.governed
    def test_a_synchronous_tool_is_governed_alike(self, place: Place) -> None:
        """A tool that is an ordinary function runs once the gate lets it, with what was agreed to."""
        saw = self.run(place, [[Ask(tool="look"), Ask(tool="look", given={"more": 1}, id="c2")]])

        assert saw.results[0] == "saw o1"
        assert "saw" not in saw.results[1]
        assert ("look", "done") in place.actions()

    @pytest.mark.governed
    def test_two_tools_under_one_contract_run_each_their_own_function(self, place: Place) -> None:
        """Names that mean one contract are judged alike, and each call runs the tool that it named."""
        script = [[Ask(order="o1"), Ask(order="o2", tool="wipe", id="c2"), Ask(tool="wipe", cents=2000, id="c3")]]
        saw = self.run(place, script, contracts={"wipe": "refund"})

        assert saw.results[:2] == ["ok o1", "ok o2"]
        assert "denied: more than a thousand" in saw.results[2]
        assert place.effects() == {"o1 5": 1, "o2 5": 1}
        assert [name for name, _ in place.actions()] == ["refund"] * 3

    @pytest.mark.governed
    def test_what_is_let_through_by_name_is_not_governed(self, place: Place) -> None:
        """A tool named in `through` runs without the gate, as what governs itself should; no other does."""
        saw = self.run(place, [[Ask(tool="wipe"), Ask(cents=2000, id="c2")]], through=["wipe"])

        assert saw.results[0] == "ok o1"
        assert "denied" in saw.results[1]
        assert place.actions() == [("refund", "denied")]
