"""What a task admits."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.ids import AgentName, ContractName, Digest, TaskId
from interlock.domain.task import Task, TaskState

PUT, TAKE = ContractName("thing.put"), ContractName("thing.take")


@pytest.mark.proves("gate.limits")
@given(st.sampled_from(get_args(TaskState)), st.integers(0, 10), st.integers(0, 10), st.booleans())
def test_only_an_open_task_in_time_admits_what_it_does_not_prohibit(
    state: TaskState, expires: int, now: int, prohibits: bool
) -> None:
    """Open, not over, not prohibited: all three, or there is a reason."""
    task = Task(
        id=TaskId("t"),
        agent=AgentName("ag"),
        release=Digest("r"),
        purpose="test",
        initiator="user:ana",
        opened_at=0,
        expires_at=expires,
        state=state,
        prohibited=(PUT,) if prohibits else (TAKE,),
    )

    assert (task.refusal(PUT, now) is None) == (state == "open" and now < expires and not prohibits)
    assert task.key == "t"
