"""The floors hold, and each rule that says so catches the violation it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

DOWN = "Imports go down the floors, never up"
PROTECTED = "Only the composition root and the test world name an adapter"
PURE = "The domain has no clock, no chance and no I/O"
PUBLIC = "The shop uses nothing but the public API"
ACYCLIC = "No cycles between siblings, at any depth"

PLANTED = {  # no two files share a name, so that each is found for its own sake
    "interlock/domain/p_time.py": ("import time", PURE),
    "interlock/domain/p_inside.py": ("def roll():\n    import random\n    return random.random()", PURE),
    "interlock/domain/p_cheat.py": ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx", PURE),
    "interlock/domain/p_domain_up.py": ("import interlock.ports.clock", DOWN),
    "interlock/ports/p_ports_up.py": ("import interlock.services", DOWN),
    "interlock/services/p_services_across.py": ("import interlock.adapters", DOWN),
    "interlock/adapters/p_adapters_across.py": ("import interlock.sdk", DOWN),
    "interlock/sdk/p_sdk_across.py": ("import interlock.services", DOWN),
    "interlock/sdk/p_sdk_up.py": ("import interlock.settings", DOWN),
    "interlock/testing/p_testing_across.py": ("import interlock.cli", DOWN),
    "interlock/p_undeclared/__init__.py": ("", DOWN),
    "interlock/cli/p_adapter.py": ("import interlock.adapters", PROTECTED),
    "interlock/services/p_circle_one.py": ("import interlock.services.p_circle_two", ACYCLIC),
    "interlock/services/p_circle_two.py": ("import interlock.services.p_circle_one", ACYCLIC),
    "interlock_demo/p_shop_inside.py": ("import interlock.domain.action", PUBLIC),
}


def lint(src: Path, config: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over the packages in `src`, whatever else is installed."""
    command = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    return subprocess.run(
        [sys.executable, "-c", command, "--config", str(config), "--no-cache", "--no-logo"],
        cwd=src,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What import-linter says of a copy with every violation planted, by contract."""
    src = tmp_path_factory.mktemp("floors") / "src"
    shutil.copytree(ROOT / "src", src, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (text, _) in PLANTED.items():
        (src / name).parent.mkdir(exist_ok=True)
        (src / name).write_text(f'"""Planted."""\n\n{text}\n')
    run = lint(src, ROOT / "pyproject.toml")
    assert run.returncode == 1, run.stdout + run.stderr
    details = run.stdout.partition("Broken contracts")[2]
    sections = re.split(r"^(.+)\n-+$", details, flags=re.MULTILINE)[1:]
    return dict(zip(sections[::2], sections[1::2], strict=True))


def test_the_floors_hold() -> None:
    """Every import contract is kept by the code as it is."""
    run = lint(ROOT / "src", ROOT / "pyproject.toml")

    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_violation_breaks_its_contract(name: str, broken: dict[str, str]) -> None:
    """An import upwards, across, out of the domain or in a circle, hidden or not, is caught by the rule meant for it."""
    module = name.removesuffix(".py").removesuffix("/__init__").rpartition("/")[2]

    assert re.search(rf"\b{module}\b", broken[PLANTED[name][1]])


def test_every_contract_has_a_violation() -> None:
    """No contract stands there without something that breaks it."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.importlinter]")[2]

    assert set(re.findall(r'^name = "(.+)"$', text, flags=re.MULTILINE)) == {rule for _, rule in PLANTED.values()}
