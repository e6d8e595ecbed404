"""The page about workspace files names every field that is read, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interlock.adapters.cedar.annotations import KNOWN
from interlock.adapters.workspace import read_workspace
from scripts.generate import ROOT

PAGE = (ROOT / "docs" / "reference" / "workspace-files.md").read_text(encoding="utf-8")
AGENT = "name: a\npurpose: p\n"
CONTRACT = "name: a.b\neffect: write\nrisk: low\n"
RUN = "run: {python: m:f}\n"

SERVER = "stdio: {command: [a]}\n"

STRANGERS = {  # a file with a field that nobody knows, by the heading its fields stand under
    "interlock.yaml": ("interlock.yaml", "xxxxxxxxxx: 1\n"),
    "timing": ("interlock.yaml", "timing: {xxxxxxxxxx: 1}\n"),
    "identity": ("interlock.yaml", "identity: {xxxxxxxxxx: 1}\n"),
    "oidc": ("interlock.yaml", "identity: {oidc: [{xxxxxxxxxx: 1}]}\n"),
    "spire": ("interlock.yaml", "identity: {spire: {xxxxxxxxxx: 1}}\n"),
    "server": ("interlock.yaml", "server: {xxxxxxxxxx: 1}\n"),
    "server.oidc": ("interlock.yaml", "server: {oidc: {xxxxxxxxxx: 1}}\n"),
    "vigilance.yaml": ("vigilance.yaml", "xxxxxxxxxx: 1\n"),
    "An item": ("vigilance.yaml", "items: {a: {xxxxxxxxxx: 1}}\n"),
    "Agents": ("agents/a.yaml", AGENT + "xxxxxxxxxx: 1\n"),
    "scope": ("agents/a.yaml", AGENT + "scope: {xxxxxxxxxx: 1}\n"),
    "owners": ("agents/a.yaml", AGENT + "owners: {xxxxxxxxxx: 1}\n"),
    "runtime": ("agents/a.yaml", AGENT + "runtime: {xxxxxxxxxx: 1}\n"),
    "approvals": ("agents/a.yaml", AGENT + "approvals: {xxxxxxxxxx: 1}\n"),
    "metrics": ("agents/a.yaml", AGENT + "metrics: [{xxxxxxxxxx: 1}]\n"),
    "data": ("agents/a.yaml", AGENT + "data: [{xxxxxxxxxx: 1}]\n"),
    "behaviour": ("agents/a.yaml", AGENT + "behaviour: {xxxxxxxxxx: 1}\n"),
    "Contracts": ("contracts/a.yaml", CONTRACT + RUN + "xxxxxxxxxx: 1\n"),
    "reversal": ("contracts/a.yaml", CONTRACT + RUN + "reversal: {contract: c.d, xxxxxxxxxx: 1}\n"),
    "Servers": ("servers/a.yaml", SERVER + "xxxxxxxxxx: 1\n"),
    "stdio": ("servers/a.yaml", "stdio: {command: [a], xxxxxxxxxx: 1}\n"),
    "http": ("servers/a.yaml", "http: {url: 'https://a.example', xxxxxxxxxx: 1}\n"),
    "A tool of a server": ("servers/a.yaml", SERVER + "tools: {a: {xxxxxxxxxx: 1}}\n"),
    "Targets": ("contracts/a.yaml", CONTRACT + "run: {http: {url: 'https://a.example', xxxxxxxxxx: 1}}\n"),
}


def fields(heading: str) -> set[str]:
    """What the first column of the tables right under `heading` names."""
    below = re.split(rf"^#+ {re.escape(heading)}$", PAGE, flags=re.MULTILINE)[1]
    return set(re.findall(r"^\| `@?(\w+)` ", re.split(r"^#+ ", below, flags=re.MULTILINE)[0], flags=re.MULTILINE))


@pytest.mark.parametrize("heading", STRANGERS)
def test_every_field_is_named(heading: str, tmp_path: Path) -> None:
    """The reader, met with a field it does not know, names those there are: the page names the same."""
    name, text = STRANGERS[heading]
    (tmp_path / "interlock.yaml").write_text("")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)

    said = "; ".join(problem.message for problem in read_workspace(tmp_path).problems)

    found = re.search(r"`xxxxxxxxxx` is no field of [^;]+; there are ([\w, ]+)", said)
    assert found is not None, said
    known = set(found[1].split(", "))
    assert fields(heading) == {name for name in known if name.removesuffix("_ms") not in known - {name}}


def test_every_annotation_is_named() -> None:
    """The page names the annotations that a policy may carry, and no others."""
    assert fields("Policies") == set(KNOWN)
