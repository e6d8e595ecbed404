"""A tool that only the agent's program has: what people are told when they agreed to a call of it."""

from __future__ import annotations

from pathlib import Path

from tests.cli.shell import Said, program

CONTRACT = """
name: refund
owner: support-team
effect: write
risk: medium
arguments: {order: string}
touches: {order: $args.order}
reversal: {none: money that was paid out stays paid out}
run: in_process
"""
POLICY = """
@id("refunds.may") @owner("support-team")
permit(principal, action == Action::"refund", resource);
@id("refunds.ask") @owner("support-team") @outcome("require_approval") @approver("reviewer")
@reason("somebody looks")
forbid(principal, action == Action::"refund", resource);
"""


def test_no_worker_is_promised_for_what_a_program_runs(tmp_path: Path) -> None:
    """What is ready and `run: in_process` is said to wait for the agent's program, which no `interlock work` can stand for."""

    def desk(*words: str) -> Said:
        return program(*words, folder=tmp_path)

    desk("init")
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "refund.yaml").write_text(CONTRACT)
    (tmp_path / "policies" / "refunds.cedar").write_text(POLICY)
    keeper = tmp_path / "agents" / "keeper.yaml"
    keeper.write_text(keeper.read_text().replace("[notes.add", "[refund, notes.add"))
    with (tmp_path / "interlock.yaml").open("a") as settings:
        settings.write("policy_tests: advised\n")
    assert desk("apply").code == 0
    desk("run", "refund", "--agent", "keeper", "--args", '{"order": "o-1"}', "--as", "bob")
    (action,) = [line.split()[0] for line in desk("actions", "--waiting").out.splitlines()[1:]]

    approved = desk("approve", action, "--as", "ana").out
    shown = desk("show", action).out

    assert "the agent's program runs it" in approved
    assert "waiting for the agent's program" in shown
    assert "work" not in approved + shown
