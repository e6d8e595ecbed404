"""`interlock serve` as a child process that does not outlive us."""

import json
import subprocess
from types import TracebackType
from typing import Self

from interlock_demo.program import Program

PATIENCE_S = 30.0


class SiteFailed(Exception):
    """The server did not start, or ended by itself; the words are its own."""


class Site:
    """Starts the server and makes a sign-in link for `person`. Leaving the `with` block ends it."""

    def __init__(self, program: Program, person: str, port: int) -> None:
        self._program = program
        self._person = person
        self._port = port
        self._process: subprocess.Popen[str] | None = None
        self.address = self.link = ""

    def __enter__(self) -> Self:
        self._process = self._program.start("serve", "--port", str(self._port), person=self._person)
        said = self._said()
        if "link" not in said:
            raise SiteFailed(f"the server did not start: {self._ending() or said}")
        self.address, self.link = said["address"], said["link"]
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
        """Raises SiteFailed when it has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise SiteFailed(f"the server ended: {self._ending()}")

    def _said(self) -> dict[str, str]:
        """The one value it prints once it answers; nothing where it ends before."""
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
