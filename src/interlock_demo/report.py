"""18:00. What the shop's own tables say, and what the log says of itself; then somebody edits a copy of the log."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from interlock_demo.invariants import Check, check
from interlock_demo.program import DONE, NOT_VERIFIED, Program
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller, spaced
from interlock_demo.world.place import SHOP_HOME


def evening(tell: Teller, setting: Setting, original_prices: Mapping[str, int]) -> list[str]:
    """Tell whether every promise was kept. Gives those that were not, in words."""
    tell.chapter(
        "18:00",
        "What the shop's own tables say",
        "Read from the shop's and the payment service's databases, by code that does not know of Interlock.",
    )
    checks = check(setting.place, original_prices)
    for each in checks:
        tell.line("yes" if each.holds else "no", f"{each.name:<32}", each.sentence)
    return [*_broken(checks), *_log(tell, setting), *_forgery(tell, setting)]


def _broken(checks: list[Check]) -> list[str]:
    return [f"{each.name}: {each.sentence}" for each in checks if not each.holds]


def _log(tell: Teller, setting: Setting) -> list[str]:
    tell.chapter(
        "18:30",
        "What the log says",
        "Every step of every action is a signed leaf of one Merkle tree. Anybody with the public key can check all of it.",
    )
    tell.command("sam", "verify")
    found = setting.program.json("verify", expected=(DONE, NOT_VERIFIED))
    problems = [f"{each['place']}: {each['problem']}" for each in found["findings"]]
    size = spaced(found["size"])
    if problems:
        tell.line("no", f"{size} entries, and the first thing wrong is {problems[0]}")
    else:
        tell.line("yes", f"{size} entries: whole, in order, unaltered, signed")
    return problems


def _forgery(tell: Teller, setting: Setting) -> list[str]:
    """Somebody who can write to the file changes one byte of one entry, in a copy."""
    copy = setting.folder / "forged"
    shutil.copytree(setting.workspace, copy)
    index = _forge(copy)
    found = _verified(copy, setting)
    caught = [f"{each['place']}: {each['problem']}" for each in found["findings"]]
    tell.line("note", f"in a copy, one letter of entry {spaced(index)} is changed, past every trigger of the database")
    tell.command("sam", "verify", "--workspace", "forged")
    if not caught:
        tell.line("no", "and nobody noticed")
        return ["a changed log verified"]
    tell.line("yes", "caught", caught[0])
    return []


def _forge(workspace: Path) -> int:
    """Change one letter of one entry in the middle of the log. Gives its index."""
    with closing(sqlite3.connect(workspace / ".interlock" / "interlock.db")) as conn:
        conn.execute("DROP TRIGGER entry_stays")
        (size,) = conn.execute("SELECT count(*) FROM entry").fetchone()
        index = int(size) // 2
        (leaf,) = conn.execute("SELECT leaf FROM entry WHERE idx = ?", (index,)).fetchone()
        place = len(leaf) // 2
        forged = leaf[:place] + (b"A" if leaf[place : place + 1] != b"A" else b"B") + leaf[place + 1 :]
        conn.execute("UPDATE entry SET leaf = ? WHERE idx = ?", (forged, index))
        conn.commit()
    return index


def _verified(workspace: Path, setting: Setting) -> dict[str, Any]:
    program = Program(workspace, {SHOP_HOME: str(setting.place.folder)})
    found: dict[str, Any] = program.json("verify", expected=(DONE, NOT_VERIFIED))
    return found
