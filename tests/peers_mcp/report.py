"""`docs/mcp-conformance.md`, from runs of the protocol's conformance suite: `make conformance`."""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.peers_mcp.conformance import (
    ASKED,
    Check,
    Results,
    client_results,
    client_scenarios,
    direct,
    gated,
    results,
    version,
)

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


_CLIENT: Final = """
## As a client, towards servers

The suite also serves what a client is to get right, and watches what one does. Here the client is what calls servers for the
gate: connection, contract and effector (`tests/peers_mcp/asking_client.py`). In the newest version of the protocol, of which the
suite has nothing, tests of ours do that, with servers of the official package.

Of the scenarios that apply {passed} of {all} checks pass. {others} of them say little of Interlock, and are marked: the defaults
of a form are filled in by whoever answers it, a client of the gateway's, and only passed on here; and who issues tokens for a
server stands in that server's file, so that what the suite sees looked up is the operator's doing.

| scenario | check | |
| --- | --- | --- |
"""
_BESIDE: Final = """
Not run, for they ask for what Interlock does not do:

| scenario | why |
| --- | --- |
"""
_OTHERS: Final = (("client-elicitation-sep1034-", "by the client"), ("prm-", "by the operator"))
"""Beginnings of checks of what others do, and who does it."""
_SIGNS_IN: Final = (
    "somebody signs in and consents in a browser; a server is called by an account of the installation's own"
)
_WHY: Final[dict[str, str]] = {
    "auth/cross-app-access-complete-flow": "a person's token is exchanged for another; what a client bears is never passed on",
}


def both(folder: Path) -> tuple[Results, Results]:
    """What the server gives by itself, and through the gateway."""
    with direct() as url:
        own = results(url, folder / "own")
    (folder / "workspace").mkdir()
    with gated(folder / "workspace") as url:
        through = results(url, folder / "through")
    return own, through


def as_client(asked: Results, scenarios: list[str]) -> str:
    """The part of the page on what Interlock is to servers."""
    others = {each: who for each in asked for begins, who in _OTHERS if each.check.startswith(begins)}
    said = {each: _said(asked, each) + (f", {others[each]}" if each in others else "") for each in sorted(asked)}
    rows = [f"| {each.scenario} | {each.check} | {words} |" for each, words in said.items()]
    beside = [f"| {each} | {_WHY.get(each, _SIGNS_IN)} |" for each in scenarios if each not in ASKED]
    unknown = [each for each in scenarios if each not in ASKED and not each.startswith("auth/")]
    assert not unknown, f"nobody said whether these apply: {unknown}"
    head = _CLIENT.format(passed=_passed(asked), all=len(asked), others=len(others))
    return head + "\n".join(rows) + "\n" + _BESIDE + "\n".join(beside) + "\n"


def page(own: Results, through: Results) -> str:
    """The page, as far as the gateway is a server."""
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
        asked, scenarios = client_results(Path(folder) / "asked"), client_scenarios(Path(folder))
    PAGE.write_text(page(own, through) + as_client(asked, scenarios), encoding="utf-8")
    for check, why in (*through.items(), *asked.items()):
        if why:
            sys.stdout.write(f"{check.scenario} {check.check}: {why[:200]}\n")


if __name__ == "__main__":
    main()
