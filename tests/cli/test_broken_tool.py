"""A tool whose module is broken: it is said where one looks, and nothing is doubted that certainly did not happen."""

from interlock.cli.output import Exit
from tests.cli.shell import Shell, program

RUN = ("run", "box.put", "--agent", "ag", "--args", '{"n": 1}')


def test_a_module_that_cannot_be_imported_is_named(shell: Shell) -> None:
    """`run` names the mistake; the worker fails the action, since the tool was never called, and counts it as such."""
    shell.place.write(f"{shell.place.module}.py", "def (")

    proposed = program(*RUN, folder=shell.place.folder)
    worked = program("work", "--until-idle", folder=shell.place.folder)
    (action,) = shell.json("actions")
    told = shell("show", action["id"]).out

    assert proposed.code == Exit.WAITING
    first, *_, last = proposed.out.splitlines()
    assert f"cannot be run here: `{shell.place.module}` cannot be imported" in first
    assert "waiting for a worker" not in proposed.out
    assert "mended" in last
    assert "1 driven, 1 failed, nothing is due" in worked.out
    assert "--state failed" in worked.out
    assert (action["state"], action["attempt"]) == ("failed", 1)
    assert "nothing happened: the tool was never called" in told
    assert "said by the tool" not in told


def test_what_ended_badly_is_counted_for_programs(shell: Shell) -> None:
    """`work --json` says how many actions ended without having been done, by their states."""
    for contract, reason in (("box.drop", "no"), ("box.lose", "cable")):
        task = ("--agent", "ag", "--args", f'{{"reason": "{reason}"}}')
        shell("run", contract, *task)
    waiting = [shell.proposed(500 + n) for n in range(2)]
    for each in waiting:
        shell("approve", each, "--as", "rita")
    shell.place.change("policies/all.cedar", lambda text: text.replace("n > 1000", "n > 500"))
    shell("apply")

    assert shell.json("work", "--until-idle") == {"driven": 2, "ended_badly": {"denied": 1}}
