"""A command of ours that serves, as a child process that does not outlive us."""

import json
import subprocess
from types import TracebackType
from typing import Self

from interlock_demo.program import Program

PATIENCE_S = 30.0


class NotServed(Exception):
    """It did not start, or ended by itself; the words are its own."""


class Served:
    """Starts the command, and reads the one value it prints once it answers. Leaving the `with` block ends it."""

    def __init__(self, program: Program, *words: str, person: str = "") -> None:
        self._program = program
        self._words = words
        self._person = person
        self._process: subprocess.Popen[str] | None = None
        self.said: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._process = self._program.start(*self._words, person=self._person)
        self.said = self._value()
        if not self.said:
            raise NotServed(f"`interlock {self._words[0]}` did not start: {self._ending()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def must_run(self) -> None:
        """Raises NotServed when it has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise NotServed(f"`interlock {self._words[0]}` ended: {self._ending()}")

    def _value(self) -> dict[str, str]:
        """What it prints; nothing where it ends before."""
        lines = list[str]()
        if self._process is not None and self._process.stdout is not None:
            for line in self._process.stdout:
                lines.append(line)
                if line == "}\n":
                    found: dict[str, str] = json.loads("".join(lines))
                    return found
        return {}

    def _ending(self) -> str:
        if self._process is None:
            return "it never began"
        said, wrong = self._process.communicate(timeout=PATIENCE_S)
        return (wrong or said).strip()
