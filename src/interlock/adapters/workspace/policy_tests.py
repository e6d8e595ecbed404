"""`policies/tests/*.yaml` and `policies/*.test.yaml`: what must be decided, case by case.

- name: a pinned note asks somebody
  agent: keeper
  contract: notes.add                     # or one that is made up: {risk: high, effect: write, reversible: false}
  args: {text: milk, pinned: true}
  expect: {verdict: require_approval, by: [notes.pinned]}        # or only the verdict: `expect: deny`

A file is a list of cases; a table of `cases` and what is `given` to all of them, which each case may say otherwise; or a
list of both. In `args`, `facts`, `parsed` and `with` a case adds to what is given, name by name; a name with nothing
behind it takes away.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.files import bytes_of
from interlock.adapters.workspace.nodes import Listing, Node, Table, is_empty, parse
from interlock.adapters.workspace.policy_case_file import CaseReader
from interlock.adapters.workspace.problem import Problem, Problems
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.policy_case import PolicyCase

FOLDER: Final = "policies/tests"
ENDING: Final = ".test.yaml"
_MERGED: Final = ("args", "facts", "parsed", "with")


class PolicyTests(msgspec.Struct, frozen=True, kw_only=True):
    """Every case that can be run, and what is wrong with the files."""

    cases: tuple[PolicyCase, ...]
    problems: tuple[Problem, ...]


def read_policy_tests(folder: Path, contracts: Sequence[Contract], agents: Iterable[AgentName]) -> PolicyTests:
    """Read all policy tests of the workspace in `folder`. Raises nothing for whatever is in the files."""
    known = {contract.name: contract for contract in contracts}
    names = tuple(agents)
    cases: list[PolicyCase] = []
    found: list[Problem] = []
    for path in _files(folder, found):
        problems = Problems(path.relative_to(folder).as_posix())
        data, why = bytes_of(path)
        if data is None:
            problems.add(f"the file {why}")
        else:
            cases += read_cases(data, problems, known, names)
        # What is wrong with the part that is given to all is wrong once.
        found += dict.fromkeys(problems.found)
    return PolicyTests(cases=tuple(cases), problems=tuple(found))


def read_cases(
    data: bytes, problems: Problems, contracts: Mapping[ContractName, Contract], agents: Sequence[str]
) -> list[PolicyCase]:
    """The cases of one file."""
    root = parse(data, problems)
    if root is None and not problems.found:
        problems.add("the file holds no case", severity="warning")
    return [] if root is None else list(_below(root, CaseReader(problems, contracts, agents)))


def _files(folder: Path, problems: list[Problem]) -> list[Path]:
    try:
        beside = [path for path in (folder / "policies").iterdir() if path.name.endswith(ENDING)]
        within = list((folder / FOLDER).iterdir()) if (folder / FOLDER).is_dir() else []
    except OSError:
        return []  # whoever reads the policies says so
    for path in within:
        if path.suffix in (".yml", ".json"):
            file = path.relative_to(folder).as_posix()
            problems.append(Problem(file=file, message="is not read: call it `.yaml`", severity="warning"))
    return sorted(path for path in (*beside, *within) if path.suffix == ".yaml" and not path.name.startswith("."))


def _below(root: Node, reader: CaseReader) -> Iterator[PolicyCase]:
    """Every case below a file's root."""
    for item in root.items if isinstance(root, Listing) else [root]:
        if not isinstance(item, Table):
            reader.problems.add("a policy test must be a table of fields", item.line, item.column)
        elif "cases" in item.entries:
            yield from _group(Section(item, "a group of cases", reader.problems), reader)
        else:
            yield from reader.case(item)


def _group(section: Section, reader: CaseReader) -> Iterator[PolicyCase]:
    """The cases of a table, each over what is given."""
    given = section.take("given")
    if given is not None and not isinstance(given, Table):
        section.wrong("`given` must be a table of fields", given)
    for row in section.sections("cases"):
        yield from reader.case(_over(given, row.table) if isinstance(given, Table) else row.table)
    section.close()


def _over(given: Table, row: Table) -> Table:
    """`row` with what it does not say taken from `given`."""
    entries, names = {**given.entries, **row.entries}, {**given.names, **row.names}
    for name in _MERGED:
        below, above = given.entries.get(name), row.entries.get(name)
        if isinstance(below, Table) and isinstance(above, Table):
            gone = {each for each, node in above.entries.items() if each in below.entries and is_empty(node)}
            both = {**below.entries, **above.entries}
            entries[name] = Table(
                {each: node for each, node in both.items() if each not in gone},
                {each: place for each, place in {**below.names, **above.names}.items() if each not in gone},
                above.line,
                above.column,
            )
    return Table(entries, names, row.line, row.column)
