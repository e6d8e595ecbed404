"""What a person does beside the agent: bring the workspace into force, look at an action, undo.

It is the command line, run in this process with `--json`, so that the figures hold its CPU time too.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from typer.testing import CliRunner

from interlock.cli.app import app

PERSON = "support-lead"


class Desk:
    """A person at the command line of one workspace."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._options = ["--json", "--workspace", str(workspace), "--as", PERSON]

    def make_keys(self) -> None:
        """Give the workspace the keys of its log. They come with an example workspace, which is thrown away."""
        with TemporaryDirectory() as made:
            self._said("init", made, "--name", "tau2")
            (Path(made) / ".interlock").rename(self._workspace / ".interlock")

    def apply(self) -> str:
        """Bring the workspace into force; the one agent's release by its label."""
        (label,) = self._said("apply")["releases"].values()
        return str(label)

    def because(self, action_id: str) -> tuple[str, ...]:
        """The policies that decided on an action."""
        return tuple(self._said("show", action_id)["decision"]["because"])

    def undo(self, what: str) -> int:
        """Undo `task:ID` or `release:LABEL` in reverse order; how many actions were undone. Blocked is an error."""
        report = self._said("undo", what, "--why", "the benchmark puts everything back")
        if report["state"] != "done":
            raise RuntimeError(f"the undo of {what} is {report['state']}: {report}")
        # A count of nothing is left out of the JSON.
        return int(report.get("undone", 0))

    def _said(self, *words: str) -> dict[str, Any]:
        result = CliRunner().invoke(app, [*self._options, *words])
        if result.exit_code != 0:
            raise RuntimeError(f"`interlock {' '.join(words)}` ended with {result.exit_code}: {result.output}")
        said: dict[str, Any] = json.loads(result.stdout)
        return said
