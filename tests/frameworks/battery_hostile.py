"""Whatever a model says, and whoever else is at work in the same program: asked of a real agent of each framework."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

import interlock
from tests.frameworks.driven import Ask, Driven, Saw, acting
from tests.frameworks.kit import Place

DEEP = 60
"""How deep arguments go that are no deeper than a framework itself can take."""


def nested(depth: int) -> list[object]:
    """A list in a list in a list."""
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


class Hostile(Driven):
    """Made up names, arguments that are none, ids that repeat, tasks beside each other."""

    def nothing_but_the_next(self, request: pytest.FixtureRequest, place: Place, ask: Ask) -> None:
        """`ask` runs nothing, and the agent's next call is made, unless its framework ended the run."""
        saw = self.endured(request, place, [[ask], [Ask(order="next", id="c2")]])

        assert saw is None or saw.results[-1] == "ok next"
        effects = place.effects()
        if self.facts.tidies and effects.pop("o1 5", 0):
            assert place.actions() == [("refund", "done")] * 2
        assert effects == ({} if saw is None else {"next 5": 1})

    @pytest.mark.hostile
    @pytest.mark.parametrize("name", ["unheard_of", "Refund", "refund ", "../refund", "unrefund"])
    def test_a_name_that_the_model_made_up_runs_nothing(
        self, request: pytest.FixtureRequest, place: Place, name: str
    ) -> None:
        """What is no tool of the agent's runs nothing, a contract of that name or not, and the agent's next call is made."""
        self.nothing_but_the_next(request, place, Ask(tool=name))

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        "given",
        [
            {"order": nested(DEEP), "cents": 5},
            {"order": "o1", "cents": nested(DEEP)},
            {"order": "x" * 5_000_000, "cents": 5},
            {"order": "o1", "cents": 10**400},
            {"order": "o1", "cents": 5, "\ud800": 1},
            {"order": "\ud800", "cents": 5},
            {"order": "o1"},
            {},
        ],
        ids=["deep text", "deep number", "big text", "big number", "half a name", "half a letter", "too few", "none"],
    )
    def test_arguments_that_fit_no_contract_touch_nothing(
        self, request: pytest.FixtureRequest, place: Place, given: dict[str, object]
    ) -> None:
        """Too deep, too big, too few, no text of any language: nothing runs, the model is told, and its next call is made."""
        self.nothing_but_the_next(request, place, Ask(given=given))

    @pytest.mark.hostile
    @pytest.mark.parametrize("said", ["{not json", '["o1", 5]', '{"order": "o1", "cents": 5', "nul"])
    def test_words_that_are_no_json_touch_nothing(
        self, request: pytest.FixtureRequest, place: Place, said: str
    ) -> None:
        """Where a model's arguments are words, those that are no JSON object never reach a tool; the framework or the adapter
        tells the model."""
        self.endured(request, place, [[Ask(said=said)]])

        assert not place.effects()

    @pytest.mark.hostile
    def test_words_that_nest_without_end_touch_nothing(self, request: pytest.FixtureRequest, place: Place) -> None:
        """The same of words that no reader of JSON gets to the end of."""
        self.endured(request, place, [[Ask(said="[" * 100_000)]])

        assert not place.effects()

    @pytest.mark.hostile
    def test_ids_that_repeat_confuse_nobody(self, request: pytest.FixtureRequest, place: Place) -> None:
        """A model that gives its calls one id gets to each the answer of that call, or hears that it was another: nothing is
        done twice, and no call is given another one's result."""
        saw = self.endured(request, place, [[Ask(order="o1")], [Ask(order="o2")], [Ask(order="o1", cents=7)]])

        done = place.effects()
        assert done["o1 5"] == 1
        if saw is None:
            assert sum(done.values()) == 1
            return
        assert saw.results[0] == "ok o1"
        for said, effect in zip(saw.results[1:], ("o2 5", "o1 7"), strict=True):
            assert ("other arguments" in said and effect not in done) or said == f"ok {effect.split()[0]}"
        assert set(done.values()) == {1}

    @pytest.mark.hostile
    def test_ids_that_repeat_in_one_turn_do_nothing_twice(self, request: pytest.FixtureRequest, place: Place) -> None:
        """Two calls of one turn under one id are each done once at most."""
        self.endured(request, place, [[Ask(order="slow1"), Ask(order="slow2")]])

        assert set(place.effects().values()) <= {1}

    @pytest.mark.hostile
    def test_the_same_id_in_another_run_is_another_call(self, place: Place) -> None:
        """Ids are a run's own: the next run of the same agent in the same task, with the same ids, acts for itself."""

        async def program() -> list[Saw]:
            async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
                return [await type(self).drive(task, [[Ask()]], acting(place)) for _ in range(2)]

        assert [each.results for each in asyncio.run(program())] == [["ok o1"], ["ok o1"]]
        assert place.effects() == {"o1 5": 2}

    @pytest.mark.hostile
    def test_agents_at_once_act_each_in_its_own_task(self, place: Place) -> None:
        """Agents that run beside each other on one loop, each inside of its own task, act each in that one: what one may is
        nothing to the other, and equal ids are different calls."""

        async def program() -> tuple[Saw, Saw, Saw]:
            async with interlock.open(place.folder, apply=True) as client:

                async def one(by: str, order: str) -> Saw:
                    async with client.task(by, purpose="test"):
                        script = [[Ask(order=order)], [Ask(order=f"{order}b", id="c2")]]
                        return await type(self).drive(None, script, acting(place))

                return await asyncio.gather(one("ag", "slow1"), one("shade", "slow2"), one("ag", "slow1"))

        first, shadow, second = asyncio.run(program())

        assert first.results == second.results == ["ok slow1", "ok slow1b"]
        assert all("shadow" in each for each in shadow.results)
        assert place.effects() == {"slow1 5": 2, "slow1b 5": 2}

    @pytest.mark.hostile
    def test_threads_act_each_in_its_own_task(self, place: Place) -> None:
        """The same of agents in threads of a synchronous program."""
        with interlock.open(place.folder, apply=True) as client:

            def one(by: str, order: str) -> Saw:
                with client.task(by, purpose="test"):
                    return asyncio.run(type(self).drive(None, [[Ask(order=order)]], acting(place)))

            with ThreadPoolExecutor(3) as threads:
                found = list(threads.map(one, ("ag", "shade", "ag"), ("slow1", "slow2", "slow3")))

        assert found[0].results == ["ok slow1"]
        assert "shadow" in found[1].results[0]
        assert found[2].results == ["ok slow3"]
        assert place.effects() == {"slow1 5": 1, "slow3 5": 1}

    @pytest.mark.hostile
    def test_without_a_task_nothing_runs(self, place: Place) -> None:
        """Where no task is given and none is open, no tool runs: the run ends with an error, or the model is told."""
        interlock.open(place.folder, apply=True).close()
        try:
            told = str(asyncio.run(type(self).drive(None, [[Ask()]], acting(place))).results)
        except Exception as error:  # noqa: BLE001  some frameworks wrap what an adapter raises in errors of their own
            told = f"{error!r} {error.__cause__!r}"

        assert "none is open here" in told
        assert not place.effects()

    @pytest.mark.hostile
    def test_a_result_that_is_too_large_is_given_to_nobody(self, place: Place) -> None:
        """What is too large to be written down happened, is not given to the model, and is not done again."""
        saw = self.run(place, [[Ask(order="big")], [Ask(order="next", id="c2")]])

        assert len(saw.results[0]) < 10_000
        assert saw.results[1] == "ok next"
        assert place.effects() == {"big 5": 1, "next 5": 1}
