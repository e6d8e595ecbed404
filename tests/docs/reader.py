"""Somebody who follows a page word by word, in an empty folder, with Interlock installed and nothing else set up."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Self

import cedarpy
import yaml

from tests.docs.blocks import INERT, LIVE, Block, Wrong, blocks, commands, learned, translated
from tests.standby import stands_by

PATIENCE_S = 60.0
"""How long one command or block may take."""
ENVIRONMENT = re.compile(r"^<!-- environment: (\w+) -->$", re.MULTILINE)
"""What a page says that is followed with a framework installed beside Interlock: one of `make frameworks`."""
FRAMEWORKS = Path(__file__).parents[2] / ".frameworks"
SESSION = Path(__file__).with_name("session.py")
END = "--that-was-all--"


class Process:
    """A child that is fed text and read until a line says that it is done."""

    def __init__(self, command: list[str], folder: Path, env: dict[str, str], *, errors: int) -> None:
        self.child = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )

    def say(self, text: str) -> None:
        """Write `text` to its standard input."""
        assert self.child.stdin is not None
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def hear(self, end: str) -> str:
        """Its output up to and with the first full line that contains `end`."""
        assert self.child.stdout is not None
        heard, until = b"", time.monotonic() + PATIENCE_S
        while end.encode() not in heard or not heard.endswith(b"\n"):
            ready, _, _ = select.select([self.child.stdout], [], [], max(0.0, until - time.monotonic()))
            piece = os.read(self.child.stdout.fileno(), 65536) if ready else b""
            if not piece:
                why = "ended too early" if ready else f"was not done after {PATIENCE_S:.0f} s"
                raise Wrong(f"it {why}; so far it said:\n{heard.decode(errors='replace')}")
            heard += piece
        return heard.decode()

    def close(self) -> int:
        """Say that there is no more and wait for its end. Returns its exit status."""
        assert self.child.stdin is not None
        self.child.stdin.close()
        return self.child.wait(timeout=PATIENCE_S)

    def kill(self) -> None:
        """End it and everything it started."""
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


class Reader:
    """Follows the blocks of one page in order. Shell commands share a shell; Python blocks share a
    namespace, begun where the shell then is."""

    def __init__(self, page: Path, folder: Path) -> None:
        self.page = page
        named = ENVIRONMENT.search(page.read_text(encoding="utf-8"))
        self.environment = None if named is None else named[1]
        """The framework's environment in which the page is followed; None: this one."""
        self.folder = folder / "page"
        self.home = folder / "home"
        self.errors = (folder / "stderr").open("w+b")
        self.folder.mkdir()
        self.home.mkdir()
        self.shell: Process | None = None
        self.python: Process | None = None
        self.printed = ""
        self.known: dict[str, str] = {}
        """What the page's example ids stand for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.python, self.shell):
            if process is not None:
                process.kill()
        self.errors.close()

    @property
    def installed(self) -> Path:
        """Where its programs are: Python, and Interlock."""
        return Path(sys.executable).parent if self.environment is None else FRAMEWORKS / self.environment / "bin"

    def follow(self) -> int:
        """Do everything the page says. Returns how many blocks were alive. Raises Wrong at the first that is not so."""
        alive = 0
        for block in blocks(self.page.read_text(encoding="utf-8")):
            try:
                alive += self._do(block)
            except Wrong as wrong:
                raise Wrong(f"{self.page}:{block.line}: {wrong}") from None
        for name, process in (("Python", self.python), ("shell", self.shell)):
            if process is not None and process.close() != 0:
                raise Wrong(f"{self.page}: its {name} did not end well:\n{self._errors()}")
        return alive

    def _do(self, block: Block) -> bool:
        if block.language in INERT:
            return False
        if block.language not in LIVE:
            known = ", ".join(sorted(LIVE | INERT))
            raise Wrong(f"a block of language `{block.language}` is not run; there are {known}")
        if block.file is not None:
            self._write(block)
        match block.language:
            case "console":
                self._console(block)
            case "bash":
                self._bash(block)
            case "output":
                if not self._is_shown(block.text, self.printed):
                    raise Wrong(f"the page shows:\n{block.text}\nit printed:\n{self.printed}")
            case "python" if block.file is None:
                self._python(block)
            case _:
                parse(block)
        return True

    def _write(self, block: Block) -> None:
        file = (self.folder / str(block.file)).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            raise Wrong(f"`{block.file}` is outside of the page's folder")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")

    def _console(self, block: Block) -> None:
        for command in commands(block):
            seen, status = self._run(command.text)
            if status != command.status:
                raise Wrong(f"line {command.line}: `{command.text}` ended with {status}, not {command.status}:\n{seen}")
            if not self._is_shown(command.shown, seen):
                raise Wrong(f"line {command.line}: `{command.text}` is shown with:\n{command.shown}\nit said:\n{seen}")

    def _bash(self, block: Block) -> None:
        seen, status = self._run(block.text)
        if status != 0:
            raise Wrong(f"it ended with {status}:\n{seen}")

    def _is_shown(self, shown: str, seen: str) -> bool:
        known = learned(shown, seen, self.known)
        self.known = self.known if known is None else known
        return known is not None

    def _run(self, command: str) -> tuple[str, int]:
        """Run `command` in the page's one shell, so that `cd` and variables last. Returns what it said and its status."""
        if self.shell is None:
            bash = ["bash", "--noprofile", "--norc"]
            self.shell = Process(bash, self.folder, self._env(), errors=subprocess.STDOUT)
        self.shell.say(f"{{ {translated(command, self.known)}\n}} </dev/null\nprintf '\\n%s %s\\n' {END} $?\n")
        seen, _, status = self.shell.hear(END).rpartition(f"\n{END} ")
        return seen, int(status.split()[0])

    def _python(self, block: Block) -> None:
        if self.python is None:
            command = [str(self.installed / "python"), "-u", str(SESSION)]
            here = Path(self._run("pwd")[0].strip()) if self.shell else self.folder
            self.python = Process(command, here, self._env(), errors=self.errors.fileno())
        self.python.say(
            json.dumps({"source": translated(block.text, self.known), "name": str(self.page), "line": block.line})
            + "\n"
        )
        answer = json.loads(self.python.hear("\n"))
        if answer["problem"]:
            raise Wrong(f"{answer['problem']}\n{self._errors()}")
        self.printed = answer["printed"]

    def _errors(self) -> str:
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    def _env(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
        installed = str(self.installed)
        # A program that stands by is this environment's.
        ready = f"{stands_by(first=installed)}:" if self.environment is None else ""
        path = f"{ready}{installed}:/usr/local/bin:/usr/bin:/bin"
        words = {"LANG": "C.UTF-8", "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**kept, **words, "HOME": str(self.home), "PATH": path}


def parse(block: Block) -> None:
    """Hold a block that is only written, or only shown, against its language."""
    try:
        match block.language:
            case "yaml":
                list(yaml.safe_load_all(block.text))
            case "toml":
                tomllib.loads(block.text)
            case "cedar":
                cedarpy.policies_to_json_str(block.text)
            case _:
                compile(block.text, str(block.file), "exec")
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, SyntaxError) as error:
        raise Wrong(f"it is no {block.language}: {error}") from None
