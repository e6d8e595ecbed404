"""`parses:` in a contract file: what is read, and where a mistake is said to be."""

from pathlib import Path

import pytest

from interlock.domain.parse import ChangePerMille, Domains, Folded, Hosts, Parse, Statements, Tables
from tests.adapters.test_workspace import place_of
from tests.adapters.workspace_files import SEND, read

S = "contracts/send.yaml"
RULES: dict[str, Parse] = {
    "{domains: {of: to}}": Domains(of="to"),
    "{hosts: {of: text}}": Hosts(of="text"),
    "{folded: {of: text}}": Folded(of="text"),
    "{change_per_mille: {of: copies, against: $facts.mails_today}}": ChangePerMille(
        of="copies", against="$facts.mails_today"
    ),
    "{statements: {of: text, dialect: mysql}}": Statements(of="text", dialect="mysql"),
    "{tables: {of: text, dialect: sqlite}}": Tables(of="text", dialect="sqlite"),
}
WRONG = [
    ("§{domains: {of: too}}", "which is no argument"),
    ("§{domains: {of: copies}}", "needs text or an array of texts"),
    ("§{domian: {of: to}}", "did you mean `domains`?"),
    ("§{}", "must be one of"),
    ("§{domains: {of: to}, hosts: {of: to}}", "must be one of"),
    ("§domains", "table of fields"),
    ("{domains: §to}", "table of fields"),
    ("{domains: §}", "`domains` is empty"),
    ("{domains: §{}}", "`of` is missing"),
    ("{domains: {of: to, §off: to}}", "no field of `domains`; did you mean `of`?"),
    ("{change_per_mille: §{of: copies}}", "`against` is missing"),
    ("§{change_per_mille: {of: copies, against: $facts.mails}}", "names no fact"),
    ("§{change_per_mille: {of: copies, against: mails_today}}", "must be `$facts.`"),
    ("{statements: §{of: text}}", "`dialect` is missing"),
    ("{statements: {of: text, dialect: §postgre}}", "did you mean `postgres`?"),
    ("{tables: {of: text, dialect: §tsql}}", "must be postgres, mysql or sqlite"),
]


def test_every_rule_can_be_written(tmp_path: Path) -> None:
    """Each rule is read as the contract has it, under the name its fact is given."""
    lines = "".join(f"  f{place}: {text}\n" for place, text in enumerate(RULES))

    workspace = read(tmp_path, {S: f"{SEND}parses:\n{lines}"})

    assert workspace.problems == ()
    (contract,) = (each for each in workspace.contracts if each.name == "mail.send")
    assert list(contract.parses.values()) == list(RULES.values())


@pytest.mark.parametrize(("rule", "says"), WRONG)
def test_what_is_wrong_is_said_where_it_stands(tmp_path: Path, rule: str, says: str) -> None:
    """Each mistake is one problem, at its line and column, with the nearest spelling."""
    marked = f"{SEND}parses:\n  fact: {rule}\n"

    found = read(tmp_path, {S: marked.replace("§", "")}).problems

    assert [(each.file, each.line, each.column) for each in found] == [(S, *place_of(marked))], found
    assert says in found[0].message
