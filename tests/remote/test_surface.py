"""What is not the same through the address as in the program's own process, and what a new release does there. What is the same
is proven in `tests/sdk`, through both doors."""

from __future__ import annotations

import pytest

import interlock
from interlock.domain.errors import NotAllowed
from tests.remote.world import Reached


def test_people_do_not_speak_from_afar(site: Reached) -> None:
    """A program of an agent's speaks for nobody, and is told where people do."""
    with site.open() as client, pytest.raises(NotAllowed, match="nobody speaks for a person") as refused:
        client.person("rita")
    assert "console" in refused.value.next_step


def test_a_program_from_afar_is_one_agent(site: Reached) -> None:
    """What vouches for it names an agent: it opens no task of another, which a program on the folder may."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        with pytest.raises(NotAllowed) as refused, client.task("helper", purpose="test"):
            pass
        looked = task.propose("box.look", word="a")
    with interlock.open(site.place.folder) as here, here.task("helper", purpose="test") as other:
        pass

    assert refused.value.code == "not_allowed"
    assert "made for another agent" in refused.value.detail
    assert isinstance(looked, interlock.Done)
    assert other.task.agent == "helper"


def test_nothing_comes_into_force_from_afar(site: Reached) -> None:
    """Neither files nor tools of a program far away are applied."""
    for more in ({"apply": True}, {"tools": [site.place.tools().put]}):
        with pytest.raises(NotAllowed):
            site.open(**more)


def test_another_release_is_taken_up(site: Reached) -> None:
    """When another release comes into force while a program runs, its next call renews the credential by itself."""
    with site.open() as client:
        with client.task("ag", purpose="test") as task:
            assert isinstance(task.propose("box.look", word="a"), interlock.Done)
            site.place.change("agents/ag.yaml", lambda text: text.replace("to be tested", "to be tested well"))
            with interlock.open(site.place.folder, apply=True):
                pass
            still = task.propose("box.look", word="b")
        with client.task("ag", purpose="test") as task:
            after = task.propose("box.look", word="c")

    assert isinstance(still, interlock.Done)
    assert isinstance(after, interlock.Done)
