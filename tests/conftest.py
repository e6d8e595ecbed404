"""One line per suite: the folders under `tests/` run in the order of `ORDER`, each reported when its last test is over.

`pytest -v` brings back a line per test. Everything else (failures, warnings, the summary at the end) is pytest's own.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("interlock", parent=settings(), deadline=None)
settings.load_profile("interlock")
"""How fast an example runs on a busy machine is no promise of ours; `make bench` measures."""

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts in the background deaf to Ctrl-C, and every process begun here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Some machines keep Python from writing bytecode, and each of the hundreds of processes begun here would compile all it loads.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Every worker loads and collects thousands of tests that stay to its end: more than half of that time went to looking for
# garbage among them. Nobody looks until all is there (`pytest_collection`).
gc.disable()

Status = tuple[str, str, str | tuple[str, Mapping[str, bool]]]
"""Category, letter and word of one report."""
TESTS = Path(__file__).parent
ORDER = (
    "promises",
    "architecture",
    "domain",
    "adapters",
    "upstream",
    "conformance",
    "services",
    "api",
    "sdk",
    "workbench",
    "cli",
    "demo",
    "tau2",
    "e2e",
    "foreign",
    "battery",
    "docs",
)
"""What is cheap and what the rest stands on comes first. A folder that is not named here runs at the end, by name."""


def suite_of(path: Path) -> str:
    """The first folder under `tests/`; a file that lies there itself is a suite of its own."""
    parts = path.relative_to(TESTS).parts if path.is_relative_to(TESTS) else ()
    return parts[0] if len(parts) > 1 else path.stem.removeprefix("test_")


def place_of(suite: str) -> tuple[int, str]:
    """What suites are sorted by."""
    return (ORDER.index(suite) if suite in ORDER else len(ORDER), suite)


class Suites:
    """Writes the lines. On a terminal the line of the running suite counts up in place."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal
        self.live = terminal.isatty
        self.running = True
        self.left: dict[str, int] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.took: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count what each suite will run, once deselection is over."""
        if not session.config.option.collectonly:
            self._count([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """The same where others run the tests: each of them collected all."""
        if not self.left:
            self._count(ids)

    def _count(self, ids: list[str]) -> None:
        for nodeid in ids:
            suite = self._suite(nodeid)
            self.left[suite] = self.left.get(suite, 0) + 1

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """The suite has begun."""
        self.took.setdefault(self._suite(nodeid), 0.0)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> Generator[None, Status, Status]:
        """Keep pytest's counting and drop its letter: a suite has one line, not a row of dots."""
        status = yield
        if not self.running:
            return status
        category, suite = status[0], self._suite(report.nodeid)
        # The tests' own time: where several run at once the clock on the wall says nothing of one suite.
        self.took[suite] = self.took.get(suite, 0.0) + report.duration
        if category:
            counts = self.counts.setdefault(suite, {})
            counts[category] = counts.get(category, 0) + 1
        return category, "", ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Report what was cut short (`-x`, Ctrl-C), and let the summary have its words."""
        self.running = False
        for suite in self.took:
            if self.left[suite]:
                self.terminal.write_line(f"{'' if self.live else self._line(suite)}  {self.left[suite]} not run")

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Write the suite's line when its last test is over."""
        suite = self._suite(nodeid)
        self.left[suite] -= 1
        if self.live:
            self.terminal.rewrite(self._line(suite), erase=True)
        if self.left[suite] == 0:
            self.terminal.write_line("" if self.live else self._line(suite))

    def _suite(self, nodeid: str) -> str:
        return suite_of(self.terminal.config.rootpath / nodeid.partition("::")[0])

    def _line(self, suite: str) -> str:
        counts = self.counts.get(suite, {})
        rest = "".join(f"  {number} {what}" for what, number in counts.items() if what != "passed")
        return f"{suite:<14}{counts.get('passed', 0):>5} passed {self.took[suite]:>7.1f} s{rest}"


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Step in unless more was asked for (`-v`) or there is no terminal plugin."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if isinstance(terminal, pytest.TerminalReporter) and config.option.verbose < 0:
        terminal._show_progress_info = False  # percentages belong to the dots
        config.pluginmanager.register(Suites(terminal), "suites")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Once all is collected, look for garbage again: among what the tests themselves make."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run suite by suite. The sort is stable, so a file's tests keep their order and share their fixtures."""
    items.sort(key=lambda item: place_of(suite_of(item.path)))
