"""Policy files that are there and not read, and policies that are not there."""

import pytest

from tests.cli.shell import Shell

RULE = '@id("x") @owner("o") permit (principal, action, resource);'


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("night.ceder", "a policy file ends in `.cedar`"),
        ("shop/night.cedar", "policy files stand in `policies/` itself"),
    ],
)
def test_a_policy_file_that_is_not_read_is_told(shell: Shell, file: str, how: str) -> None:
    """`check` and `policy lint` both name it; what is read stays in force."""
    path = shell.place.folder / "policies" / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(RULE)

    for command in (("check",), ("policy", "lint")):
        said = shell(*command)
        assert said.code == 0
        assert f"policies/{file}:1:1: warning: the file is not read: {how}" in " ".join(said.out.split())


def test_without_policies_nothing_is_covered(shell: Shell) -> None:
    """No policy at all is a warning of `check`, and `policy test` does not call it 100 %."""
    (shell.place.folder / "policies" / "all.cedar").unlink()

    assert "whatever an agent proposes is denied" in " ".join(shell("check").out.split())
    assert "0 of 0 passed; there are no policies" in shell("policy", "test").out


def test_invariants_are_read_by_check_and_lint(shell: Shell) -> None:
    """A misspelt action in invariants.cedar is told where it stands. It decides nothing, so it keeps nothing out of force."""
    rule = '@id("cap") @invariant("never")\nforbid (principal, action == Action::"{}", resource) when {{ context.args.n > 5 }};\n'
    shell.place.write("invariants.cedar", rule.format("box.putt"))

    for command in (("check",), ("policy", "lint")):
        said = shell(*command)
        page = " ".join(said.out.split())
        assert said.code == 0
        assert "invariants.cedar:2:30: warning: invariant `cap`: " in page
        assert "did you mean `box.put`?" in page
        assert "policies/invariants.cedar" not in page

    shell.place.write("invariants.cedar", rule.format("box.put"))
    assert "invariants" not in shell("policy", "lint").out
