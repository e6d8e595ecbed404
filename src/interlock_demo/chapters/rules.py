"""14:00. A stricter rule: a test says what was meant before, what-if says what it would have changed, and then it is in force."""

from pathlib import Path

import msgspec

from interlock_demo.program import REFUSED
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken, Teller, spaced

RULE, STRICTER = "when { context.args.amount_minor > 25000 };", "when { context.args.amount_minor > 10000 };"
SAID, SAYS = '@reason("a refund above 250 EUR")', '@reason("a refund above 100 EUR")'
MEANT = """\
    - name: 250 EUR are paid back
      args: {amount_minor: 25000}
      facts: {refund_due_minor: 25000}
"""
MEANS = """\
    - name: 100 EUR are paid back
      args: {amount_minor: 10000}
      facts: {refund_due_minor: 10000}
"""
SHOWN = 4


def stricter_rule(tell: Teller, setting: Setting) -> Setting:
    """Tighten one rule. Gives the setting with the releases that it formed: policies are part of how an agent behaves."""
    tell.chapter(
        "14:00",
        "A stricter rule for refunds",
        "Policies are text with tests beside it. What a change would have done to everything decided today is known before it "
        "is in force.",
    )
    policies = setting.workspace / "policies"
    _edit(policies / "money.cedar", (RULE, STRICTER), (SAID, SAYS))
    tell.edit("policies/money.cedar", RULE, STRICTER)
    tell.command("omar", "policy", "test")
    tested = setting.program.json("policy", "test", person="omar", expected=(REFUSED,))
    failing = [each["name"] for each in tested["tests"] if not each["passed"]]
    if failing != ["250 EUR are paid back"]:
        raise StoryBroken(f"the tests of the policies that fail are {failing}")
    tell.line("no", f"{failing[0]}: no more", "a test says what was meant; it could not come into force like this")
    _edit(policies / "tests" / "money.yaml", (MEANT, MEANS))
    tell.edit("policies/tests/money.yaml", *(text.splitlines()[0].strip() for text in (MEANT, MEANS)))
    _weigh(tell, setting)
    tell.command("sam", "apply")
    releases = setting.apply()
    tell.line(
        "yes", "in force, in every process at once", "every agent is a new release: policies are part of what it is"
    )
    return msgspec.structs.replace(setting, releases=releases)


def _weigh(tell: Teller, setting: Setting) -> None:
    tell.command("omar", "policy", "diff", "--since", "1d")
    compared = setting.program.json("policy", "diff", "--since", "1d", person="omar")["decisions"]
    groups = compared["groups"]
    loosened = [group for group in groups if group["direction"] == "loosened"]
    tightened = sum(group["count"] for group in groups if group["direction"] == "tightened")
    if loosened or not tightened:
        raise StoryBroken(f"a stricter rule changed these: {groups}")
    tell.table(
        ("decided today", "would have been", "by", "how many", "for instance"),
        [
            (
                f"{group['old']}, {group['contract']}",
                group["new"],
                ", ".join(group["new_policies"]),
                str(group["count"]),
                group["arguments"],
            )
            for group in groups[:SHOWN]
        ],
        right=("how many",),
    )
    tell.line(
        "wait",
        f"of {spaced(compared['asked'])} decisions {tightened} more would have waited for a person, and none fewer",
    )


def _edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text("utf-8")
    for before, after in changes:
        if text.count(before) != 1:
            raise StoryBroken(f"`{path.name}` does not say `{before.splitlines()[0]}` once")
        text = text.replace(before, after)
    path.write_text(text, "utf-8")
