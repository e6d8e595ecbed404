"""18:00. What the shop's own tables say, and what the log says of itself; then somebody edits copies of it."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from interlock_demo.chapters.auditor import audited
from interlock_demo.forgery import forge, kinder_word, other_refund
from interlock_demo.invariants import Check, Lent, Quiet, check
from interlock_demo.program import DONE, NOT_VERIFIED, Program
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller, spaced
from interlock_demo.world.place import SHOP_HOME


def evening(
    tell: Teller,
    setting: Setting,
    original_prices: Mapping[str, int],
    *,
    lent: Sequence[Lent] = (),
    quiet: Sequence[Quiet] = (),
) -> list[str]:
    """Tell whether every promise was kept. Gives those that were not, in words."""
    tell.chapter(
        "18:00",
        "What the shop's own tables say",
        "Read from the shop's and the payment service's databases, by code that does not know of Interlock.",
    )
    checks = check(setting.place, original_prices, lent=lent, quiet=quiet)
    for each in checks:
        tell.line("yes" if each.holds else "no", f"{each.name:<30}", each.sentence)
    return [*_broken(checks), *_log(tell, setting), *_forgeries(tell, setting), *audited(tell, setting)]


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
        erased = (
            f"what was private in {found['erased']} of them was erased, as the log says" if found.get("erased") else ""
        )
        tell.line("yes", f"{size} entries: whole, in order, unaltered, signed", erased)
    return problems


def _forgeries(tell: Teller, setting: Setting) -> list[str]:
    """Edit copies of the log, past every trigger of the database, and let them be verified."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        for number, forgery in enumerate((other_refund, kinder_word), start=1):
            copy = Path(folder) / f"copy-{number}"
            shutil.copytree(setting.workspace, copy)
            done = forge(copy, forgery)
            found = Program(copy, {SHOP_HOME: str(setting.place.folder)}).json("verify", expected=(DONE, NOT_VERIFIED))
            tell.line("note", f"in a copy of the log, {done}")
            if found["findings"]:
                first = found["findings"][0]
                tell.line("yes", "caught", f"{first['place']}: {first['problem']}")
            else:
                tell.line("no", "and nobody noticed")
                problems.append(f"verified although {done}")
    return problems
