"""The program `interlock` as the people of the shop use it: one command a time, and the worker as a process that can die."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

INTERLOCK = (sys.executable, "-m", "interlock")
DONE, REFUSED, WAITING, NOT_VERIFIED = 0, 1, 6, 4
"""Exit codes of the program that the demo looks at; they are documented in its help."""


class CommandFailed(Exception):
    """A command ended as it should not have; the words are its own."""


class Program:
    """Runs commands on one workspace."""

    def __init__(self, workspace: Path, environment: dict[str, str]) -> None:
        self.workspace = workspace
        self.environment = {**os.environ, **environment, "INTERLOCK_WORKSPACE": str(workspace)}

    def json(self, *words: str, person: str = "", expected: tuple[int, ...] = (DONE,)) -> Any:
        """What a command prints with `--json`. Raises CommandFailed when it ends otherwise than `expected`."""
        done = self._run("--json", *(("--as", person) if person else ()), *words)
        if done.returncode not in expected:
            raise CommandFailed(f"interlock {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return json.loads(done.stdout)

    def text(self, *words: str) -> str:
        """What a command prints for a person."""
        return self._run(*words).stdout

    def start(self, *words: str, person: str = "") -> subprocess.Popen[str]:
        """A command that runs on while others do; its JSON can be read when it ends."""
        command = [*INTERLOCK, "--json", *(("--as", person) if person else ()), *words]
        return subprocess.Popen(  # noqa: S603  our own program
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [*INTERLOCK, *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)  # noqa: S603  our own program


class WorkerProcess:
    """`interlock work` as a child process. Leaving the `with` block ends it."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        if self._process is None:
            raise RuntimeError("no worker is running")
        return self._process.pid

    def start(self) -> None:
        """Start it. It says nothing; its work speaks."""
        log = self._program.workspace.parent / "worker.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [*INTERLOCK, "work"], env=self._program.environment, stdout=out, stderr=out
            )

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone. Does nothing when there is none."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
