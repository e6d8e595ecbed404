"""The programs of others, where they are: `make foreign` brings them. A test that lacks one skips, and says so."""

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

HERE = Path(__file__).parent
FOREIGN = HERE.parents[1] / ".foreign"
_GO_PACKAGES = Path("/usr/share/gocode")


class Answer(msgspec.Struct, frozen=True):
    """How a program ended, and what it printed."""

    code: int
    out: str
    err: str


def ask(*command: str | Path, given: bytes = b"", cwd: Path | None = None) -> Answer:
    """Run a program to its end, within a minute."""
    done = subprocess.run(
        [str(word) for word in command], input=given, capture_output=True, timeout=60, check=False, cwd=cwd
    )
    return Answer(done.returncode, done.stdout.decode(), done.stderr.decode())


def program(name: str) -> str:
    """The path of a program of the system."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"there is no {name} here")
    return path


def brought(path: str) -> Path:
    """A path under `.foreign`."""
    found = FOREIGN / path
    if not found.exists():
        pytest.skip(f"`make foreign` did not bring {path}")
    return found


def go_verifier(to: Path) -> Path:
    """Our main over the Go team's packages, built from what Debian ships."""
    go = program("go")
    if not (_GO_PACKAGES / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.skip("golang-golang-x-mod-dev is not installed")
    where = os.environ | {"GO111MODULE": "off", "GOPATH": str(_GO_PACKAGES), "GOFLAGS": ""}
    built = to / "goverify"
    subprocess.run([go, "build", "-o", str(built), "."], cwd=HERE / "goverify", env=where, check=True, timeout=300)
    return built


def node(script: str, *arguments: str | Path, given: bytes = b"") -> Answer:
    """Run one of the scripts beside this file where the npm packages are."""
    found = program("node")
    packages = brought("node/node_modules")
    # Node looks for packages beside the script, not where it is started.
    placed = packages.parent / script
    shutil.copy(HERE / script, placed)
    return ask(found, placed, *arguments, given=given)
