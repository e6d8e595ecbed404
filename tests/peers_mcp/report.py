"""`docs/mcp-conformance.md`, from runs of the protocol's conformance suite: `make conformance`."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.peers_mcp.conformance import Check, Results, direct, gated, results, version

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "mcp-conformance.md"

_HEAD: Final = """\
# The protocol's conformance suite, through the gateway

`@modelcontextprotocol/conformance` {version} asks a server for everything in the specifications 2025-06-18 and 2025-11-25; it
has nothing for 2026-07-28 yet. Here it asks a server of ours that has all of it (`tests/peers_mcp/fixture.py`), once by itself
and once through `interlock gateway --http`. The suite can bear no token and knows no names but its own: a program in between
(`tests/peers_mcp/front.py`) adds both and changes nothing else.

`make servers conformance` runs it and writes this page anew; a test holds the page to what a run gives.

By itself {own} of {all} checks pass, through the gateway {through}.

| scenario | check | by itself | through the gateway |
| --- | --- | --- | --- |
"""


def both(folder: Path) -> tuple[Results, Results]:
    """What the server gives by itself, and through the gateway."""
    with direct() as url:
        own = results(url, folder / "own")
    (folder / "workspace").mkdir()
    with gated(folder / "workspace") as url:
        through = results(url, folder / "through")
    return own, through


def page(own: Results, through: Results) -> str:
    """The page."""
    checks = sorted(own)
    rows = [f"| {each.scenario} | {each.check} | {_said(own, each)} | {_said(through, each)} |" for each in checks]
    counts = {"own": _passed(own), "through": _passed(through), "all": len(checks)}
    return _HEAD.format(version=version(), **counts) + "\n".join(rows) + "\n"


def _passed(found: Mapping[Check, str]) -> int:
    return sum(1 for why in found.values() if not why)


def _said(found: Mapping[Check, str], check: Check) -> str:
    """`passed`, or not: why it did not differs from run to run."""
    if check not in found:
        return "not reached"
    return "**failed**" if found[check] else "passed"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        own, through = both(Path(folder))
    PAGE.write_text(page(own, through), encoding="utf-8")
    for check, why in through.items():
        if why:
            sys.stdout.write(f"{check.scenario} {check.check}: {why[:200]}\n")


if __name__ == "__main__":
    main()
