"""17:00. A customer asks to be forgotten: two persons agree, the keys of what is private are destroyed, the proof stays."""

from typing import Any

from interlock_demo.program import WAITING
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken, Teller, many

CUSTOMER = "user:CUS-"


def forgotten(tell: Teller, setting: Setting) -> str:
    """Erase the last customer whom the assistant served. Gives who it was."""
    tell.chapter(
        "17:00",
        "A customer asks to be forgotten",
        "What is private is encrypted under a key for each action. Two persons destroy the keys; every entry, signature and "
        "checkpoint stays as it is, and says that something was erased, but not whose.",
    )
    served = setting.program.json("audit", "query", "--agent", "assistant", "--limit", "1")["hits"]
    subject = str(served[0]["initiator"]) if served else ""
    if not subject.startswith(CUSTOMER):
        raise StoryBroken(f"the assistant served `{subject}`, who is no customer")
    tell.command("sam", "erase", "--subject", subject)
    found = setting.program.json("erase", "--subject", subject)
    told = f"{many(found['actions'], 'action')}, {found['entries']} entries"
    tell.line("note", told, f"{found['reversible']} of them could be undone until now")
    tell.command("sam", "erase", "--subject", subject, "--propose", "--why", "asked in writing")
    asked = setting.program.json(
        "erase", "--subject", subject, "--propose", "--why", "asked in writing", person="sam", expected=(WAITING,)
    )
    tell.command("omar", "erase", "--accept", asked["erasure"][-8:])
    setting.program.json("erase", "--accept", asked["erasure"], person="omar")
    left = _left(setting, str(served[0]["action"]))
    if left:
        raise StoryBroken(f"of an erased action there is still {', '.join(left)}")
    tell.line("yes", "arguments, results, words and names are gone from every file of the gate's")
    tell.line(
        "note",
        "in copies of the store no key opens them",
        "what the shop itself knows of the customer is the shop's to erase",
    )
    return subject


def _left(setting: Setting, action: str) -> list[str]:
    """What can still be read of what is private about it."""
    shown: dict[str, Any] = setting.program.json("show", action)
    return [name for name in ("arguments", "initiator", "justification", "facts") if shown.get(name)]
