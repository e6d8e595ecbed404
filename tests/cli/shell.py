"""Running the command line, in this process or as the program it is."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from typer import testing
from typer.main import get_command
from typer.testing import CliRunner

from interlock.cli.app import app, global_first
from tests.standby import stands_by
from tests.workspaces import Place

PATIENCE_S = 120

# A program builds the tree of all commands once, a runner each time it is asked: a third of what these tests took.
setattr(testing, "_get_command", cache(get_command))  # noqa: B010  typer exports no other way in


class Said(NamedTuple):
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Its one JSON value."""
        return json.loads(self.out)


class Shell:
    """`interlock` in one workspace."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def __call__(self, *words: str) -> Said:
        """Run a command in this process."""
        found = CliRunner().invoke(app, global_first(["-w", str(self.place.folder), *words]), prog_name="interlock")
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Said(found.exit_code, found.stdout, found.stderr)

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command with `--json`, which must end with `code`, and give its value."""
        said = self(*words, "--json")
        assert said.code == code, said
        return said.json()

    def proposed(self, n: int, *more: str) -> str:
        """Propose `box.put` with `n`, and give the action's id."""
        found = self("run", "box.put", "--agent", "ag", "--args", json.dumps({"n": n}), "--json", *more).json()
        assert isinstance(found["id"], str)
        return found["id"]

    def state(self, action: str) -> str:
        """How an action stands."""
        found: str = self.json("show", action)["state"]
        return found


def program(*words: str | bytes, folder: Path, env: dict[str, str] | None = None) -> Said:
    """Run the real program in `folder`. What `env` tells Python itself, a program that stands by would not hear."""
    anew = any(name.startswith("PYTHON") for name in env or {})
    begun = [sys.executable, "-m", "interlock"] if anew else [stands_by() / "interlock"]
    done = subprocess.run(
        [*begun, *words],
        check=False,
        cwd=folder,
        capture_output=True,
        timeout=PATIENCE_S,
        env={**os.environ, **(env or {})},
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())
