"""Several processes of assistants, started, watched by what each of them wrote down, and ended."""

import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from interlock_demo.agents.crowd import AT_ONCE, Made
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken
from interlock_demo.world.db import now_ms

PROCESSES = 4
PATIENCE_S = 45.0


class Crowd:
    """The processes, as long as they run."""

    def __init__(self, folder: Path, processes: list[subprocess.Popen[bytes]]) -> None:
        self._folder = folder
        self.processes = processes

    def calls(self) -> list[Made]:
        """Every call that any of them made and heard the answer of."""
        return [call for number in range(PROCESSES) for call in self._of(number)]

    def all_act(self) -> None:
        """Wait until each process has done something that it begins now. Raises StoryBroken where one does not."""
        began = now_ms()
        self._until(lambda: all(any(_done(call, began) for call in self._of(number)) for number in range(PROCESSES)))

    def all_heard(self) -> None:
        """Wait until each assistant has the answer to a call that it begins now: whatever it began before has ended."""
        began = now_ms()
        self._until(lambda: all(any(call.began_at >= began for call in _read(file)) for file in self._files()))

    def _until(self, reached: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not reached():
            if time.monotonic() > end or any(each.poll() is not None for each in self.processes):
                raise StoryBroken("the assistants of the evening sale do not act")
            time.sleep(0.05)

    def _files(self) -> list[Path]:
        return [self._folder / f"calls-{one // AT_ONCE}-{one}" for one in range(PROCESSES * AT_ONCE)]

    def _of(self, number: int) -> list[Made]:
        return [call for file in self._files()[number * AT_ONCE : (number + 1) * AT_ONCE] for call in _read(file)]


@contextmanager
def crowd(setting: Setting) -> Generator[Crowd, None, None]:
    """The processes, acting already. At the end each finishes what it is at, and is waited for."""
    folder = setting.folder / "sale"
    folder.mkdir()
    command = [sys.executable, "-m", "interlock_demo.agents.crowd", str(setting.workspace), str(folder)]
    processes = [
        subprocess.Popen(  # noqa: S603  our own module
            [*command, str(number)], stdin=subprocess.PIPE, env=setting.program.environment
        )
        for number in range(PROCESSES)
    ]
    try:
        found = Crowd(folder, processes)
        found.all_act()
        yield found
        for each in processes:
            each.communicate(timeout=PATIENCE_S)
        if any(each.returncode for each in processes):
            raise StoryBroken("an assistant of the evening sale ended with an error")
    finally:
        for each in processes:
            each.kill()
            each.wait()


def _done(call: Made, since: int) -> bool:
    return call.outcome == "done" and call.began_at >= since


def _read(file: Path) -> list[Made]:
    """The calls that an assistant wrote down, but for a line it is at."""
    text = file.read_bytes() if file.exists() else b""
    return [msgspec.json.decode(line, type=Made) for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
