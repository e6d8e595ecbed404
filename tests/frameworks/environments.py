"""The environments of frameworks, from the outside: `make frameworks` makes them. A test that lacks one skips, and says so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MADE = ROOT / ".frameworks"


def python_of(name: str) -> Path:
    """The Python of one environment."""
    found = MADE / name / "bin" / "python"
    if not found.exists():
        pytest.skip(f"`make frameworks` made no environment `{name}`")
    return found


def passes(name: str, group: str) -> None:
    """Run the tests of `tests/frameworks/NAME/in_NAME.py` that are marked as `group` in its environment: there are some, and all
    pass."""
    _inside(name, f"tests/frameworks/{name}/in_{name}.py", "-m", group)


def named(name: str, *tests: str) -> None:
    """The same of tests by their names."""
    _inside(name, *(f"tests/frameworks/{name}/in_{name}.py::{each}" for each in tests))


def _inside(name: str, *wanted: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(
        [python_of(name), "-m", "pytest", "-q", "-c", "tests/frameworks/inside.ini", "--rootdir", ".", *wanted],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


def well_typed(name: str) -> None:
    """The adapter under mypy and pyright, both strict, with the framework's own types."""
    python = python_of(name)
    adapter = sorted(str(each.relative_to(ROOT)) for each in (ROOT / "src/interlock/frameworks").glob(f"{name}*.py"))
    beside = python.parents[1] / "pyrightconfig.json"
    beside.write_text(
        json.dumps(
            {
                "include": [f"../../{each}" for each in adapter],
                "extraPaths": ["../../src"],
                "venvPath": "..",
                "venv": name,
                "pythonVersion": "3.11",
                "typeCheckingMode": "strict",
            }
        )
    )
    tools = Path(sys.executable).parent
    commands: tuple[list[str | Path], ...] = (
        # Of what else is imported only the types count: optional parts are there in other versions, or not at all.
        [tools / "mypy", "--no-error-summary", "--follow-imports=silent", "--python-executable", python, *adapter],
        [tools / "pyright", "-p", beside],
    )
    for command in commands:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
