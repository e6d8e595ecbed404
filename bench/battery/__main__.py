"""`make peers`, or `python -m bench.battery [NAME ...]`: the same battery on Interlock and its peers, into docs/battery.md.

Each peer lives in an environment of its own under `.foreign/peers`, made from the versions in `pinned/`; what cannot be
installed is named in the page with its error. Every command is a process of its own (see `peers/common.py`).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from bench.battery.page import Found, write
from bench.battery.tampering import OPS, Records, edits

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEERS = {
    "interlock_peer": "Interlock",
    "langgraph_peer": "LangGraph",
    "openai_peer": "openai-agents",
    "tollgate_peer": "tollgate",
    "agt_peer": "agent-governance-toolkit",
    "arg_peer": "agent-runtime-governance",
    "airlock_peer": "airlock-sdk",
    "attenu_peer": "attenu-guard",
}
CAUGHT, KEPT, MISSED, NONE = "caught", "with a kept head", "**missed**", "nothing verifies"


class Peer:
    """One peer, in its environment."""

    def __init__(self, script: str, python: Path) -> None:
        self.script = HERE / "peers" / f"{script}.py"
        self.python = python

    def said(self, *words: str | Path) -> list[dict[str, Any]]:
        """What a command printed, a JSON value a line; a killed process has printed what it had."""
        done = subprocess.run(
            [str(self.python), str(self.script), *map(str, words)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env=os.environ | {"PYTHONWARNINGS": "ignore", "OPENAI_API_KEY": "none"},
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode > 0 and not lines:
            raise RuntimeError(f"{self.script.name} {words[0]}: {done.stderr[-500:]}")
        return lines

    def state(self, *words: str | Path) -> str:
        """The state a command ends in, or why there is no such command."""
        lines = self.said(*words)
        return str(lines[-1].get("state", lines[-1].get("none", ""))) if lines else ""


def environment(script: str) -> Path:
    """The Python of a peer, made where it is not there yet."""
    if script == "interlock_peer":
        return Path(sys.executable)
    uv = shutil.which("uv") or str(ROOT / ".tools/bin/uv")
    folder = ROOT / ".foreign/peers" / script
    pinned = HERE / "pinned" / f"{script}.txt"
    ready = folder / "ready.txt"
    if not ready.exists() or ready.read_text() != pinned.read_text():
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        command = [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), "-r", str(pinned)]
        subprocess.run(command, check=True, capture_output=True, text=True)
        ready.write_text(pinned.read_text())
    return folder / "bin/python"


def run(script: str, folder: Path) -> Found:
    """The whole battery on one peer."""
    peer = Peer(script, environment(script))
    about = peer.said("about")[0]
    rows: dict[str, str] = {}
    if about["store"] is not None:
        _tampering(peer, Records(**about["store"]), folder, rows)
    _crash(peer, about, folder, rows)
    _approval(peer, folder, rows)
    return Found(name=PEERS[script], versions=about["versions"], setup=about["setup"], rows=rows)


def _tampering(peer: Peer, records: Records, folder: Path, rows: dict[str, str]) -> None:
    base, kept = folder / "base", folder / "kept"
    base.mkdir()
    peer.said("records", base, "5")
    early = shutil.copytree(base, folder / "early")
    peer.said("records", base, "3")
    if "none" in (peer.said("verify", base) or [{}])[0]:
        rows.update(dict.fromkeys(["a field of a record changed", *OPS[records.kind]], NONE))
        rows["the whole store put back to an earlier copy"] = rows["made anew without its keys"] = NONE
        return
    peer.said("keep", base, kept)
    names: list[str] = []
    copies: list[Path] = []
    for name, edit in edits(records, base):
        copies.append(shutil.copytree(base, folder / f"edit{len(copies)}"))
        edit(copies[-1])
        names.append(name)
    missed = [name for name, said in zip(names, peer.said("verify", *copies), strict=True) if said["ok"]]
    listed = f"; not {', '.join(f'`{each}`' for each in missed)}" if missed else ""
    rows["a field of a record changed"] = f"{len(names) - len(missed)} of {len(names)}{listed}"
    for what, op in OPS[records.kind].items():
        copy = shutil.copytree(base, folder / f"op{len(rows)}")
        op(records, copy)
        rows[what] = _verdict(peer, copy, kept)
    rows["the whole store put back to an earlier copy"] = _verdict(peer, early, kept)
    copy = shutil.copytree(base, folder / "rebuilt")
    peer.said("rebuild", copy)
    rows["made anew without its keys"] = _verdict(peer, copy, kept)


def _verdict(peer: Peer, folder: Path, kept: Path) -> str:
    if not peer.said("verify", folder)[0]["ok"]:
        return CAUGHT
    if kept.exists() and not peer.said("verify", "--kept", kept, folder)[0]["ok"]:
        return KEPT
    return MISSED


def _counted(count: int) -> str:
    return "**nothing**" if not count else f"{count} record{'s' if count > 1 else ''}"


def _effects(folder: Path) -> list[str]:
    path = folder / "effects.txt"
    return path.read_text().splitlines() if path.exists() else []


def _crash(peer: Peer, about: dict[str, Any], folder: Path, rows: dict[str, str]) -> None:
    died = folder / "died"
    died.mkdir()
    peer.said("crash", died)
    assert len(_effects(died)) == 1
    if about["store"] is None:
        rows["killed in the tool: what was on disk before the effect"] = "what the program itself keeps"
    else:
        count = Records(**about["store"]).count(died)
        rows["killed in the tool: what was on disk before the effect"] = _counted(count)
    said = peer.said("again", died)[-1]
    if "none" in said:
        rows["killed in the tool, then taken up again"] = said["none"]
        return
    state = str(said["state"])
    effects = len(_effects(died))
    told = f"{effects} effect" if effects == 1 else f"**{effects} effects**"
    rows["killed in the tool, then taken up again"] = f"{told}, {state.split(':', maxsplit=1)[0]}"


def _approval(peer: Peer, folder: Path, rows: dict[str, str]) -> None:
    plain, edited = folder / "plain", folder / "edited"
    plain.mkdir()
    edited.mkdir()
    held = peer.said("hold", plain)
    survives, changed, twice = (
        "killed while a person is asked; then a yes",
        "the arguments changed in the store while a person is asked; then a yes",
        "the same yes given once more",
    )
    if held and "none" in held[0]:
        rows.update(dict.fromkeys([survives, changed, twice], "no approvals that outlive the process"))
        return
    state = peer.state("approve", plain)
    ran = len(_effects(plain))
    rows[survives] = "runs once" if ran == 1 else f"**does not run** ({state.split(':', maxsplit=1)[0]})"
    if ran:
        peer.said("twice", plain)
        rows[twice] = "nothing more" if len(_effects(plain)) == 1 else "**a second effect**"
    else:
        rows[twice] = "-"
    peer.said("hold", edited)
    if not peer.said("edit", edited)[-1]["changed"]:
        rows[changed] = "could not be changed"
        return
    state = peer.state("approve", edited)
    effects = _effects(edited)
    rows[changed] = f"**executed: `{effects[0]}`**" if effects else f"refused ({state.split(':', maxsplit=1)[0]})"
    if effects and effects[0].endswith(" 10"):
        rows[changed] = "executed as it was asked"
    if not ran:
        rows[changed] = "-"


def main(names: list[str]) -> None:
    """Run, and write the page if all of them ran."""
    results: list[Found] = []
    for script, name in PEERS.items():
        if names and name not in names:
            continue
        sys.stdout.write(f"{name} ...\n")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory() as folder:
            try:
                results.append(run(script, Path(folder)))
            except (subprocess.CalledProcessError, RuntimeError, OSError) as error:
                said = str(getattr(error, "stderr", "") or error)
                results.append(Found(name=name, versions={}, setup=f"not run: {said[-300:]}", rows={}))
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(results[-1]), indent=1).decode() + "\n")
    if not names:
        write(results, ROOT / "docs/battery.md")


if __name__ == "__main__":
    main(sys.argv[1:])
