"""What people read of an export: each figure in it is computed again, and what is left for reading alone is named."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

import interlock_verify as alone
from interlock.adapters.cose import CoseReceipts
from interlock.domain.export import README, Selection, Wish
from interlock.domain.ids import ActionId
from interlock.domain.merkle import inclusion_proof, root_of
from interlock.domain.requirement import PROFILES, Listing
from interlock.domain.tiles import WIDTH
from tests.audit.ledger import BEGIN, LOG, MINUTE, brought, checked, copied, filled, first, listed_again


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with both lists. Not to be changed."""
    place = tmp_path_factory.mktemp("readable") / "made"
    ledger = filled(3)
    ledger.put("stopped", "control")
    ledger.put("decided", action="b", state="denied")
    ledger.put("erased", "erasure", body={"covers": ""})
    ledger.put("opened", "run", stream="run-2")
    ledger.export(place, Wish(disclosed=None, profiles=PROFILES))
    assert checked(place).verdict == "verified"
    return place


def test_the_words_of_the_lists_and_of_the_readme_are_those_that_the_verifier_knows() -> None:
    """Their digests stand in the verifier; whoever changes a clause, a rule or a sentence changes them there."""
    for name in PROFILES:
        rows = [line[1:-1].split('","')[:4] for line in Listing(name).table().splitlines()[1:]]
        assert sha256("\n".join("\t".join(row) for row in rows).encode()).hexdigest() == alone.PROFILES[name][1]
    assert sha256(README.encode()).hexdigest() == alone.README_REST


@pytest.mark.proves("audit.readable")
@pytest.mark.parametrize(
    "selection",
    [
        {},
        {"actions": frozenset({ActionId("a-1")})},
        {"agent": "ag"},
        {"since_at": BEGIN + 4 * MINUTE, "until_at": BEGIN + 9 * MINUTE},
    ],
)
def test_honest_lists_verify_whatever_was_asked_for(tmp_path: Path, selection: dict[str, object]) -> None:
    """The rules of both lists come to the same entries in the verifier, all or some of them asked for."""
    ledger = filled(3)
    ledger.put("stopped", "control")
    ledger.put("anchored", "anchor", body={"checkpoint": ledger.checkpoint().decode(), "cosignatures": 0})
    ledger.export(tmp_path / "made", Wish(profiles=PROFILES, selection=Selection(**selection)))  # type: ignore[arg-type]  # a table of cases

    report = checked(tmp_path / "made")
    assert (report.verdict, [each.partition(" ")[0] for each in report.unread]) == (
        "verified",
        ["export.json", "verify.py"],
    )


def _in(name: str, old: str, new: str) -> Callable[[Path], str]:
    def change(place: Path) -> str:
        text = (place / name).read_bytes().decode()
        assert old in text, name
        (place / name).write_bytes(text.replace(old, new, 1).encode())
        return name

    return change


def _gone(name: str) -> Callable[[Path], str]:
    def change(place: Path) -> str:
        (place / name).unlink()
        return "lists" if name.startswith("lists/") and name.endswith("csv") else name

    return change


def _about(name: str, value: object, place: str = "README.md") -> Callable[[Path], str]:
    def change(folder: Path) -> str:
        about = json.loads((folder / "export.json").read_bytes())
        (folder / "export.json").write_text(json.dumps(about | {name: value}))
        return place

    return change


CHANGES: dict[str, Callable[[Path], str]] = {
    "an entry less in a list": _in("lists/soc2.csv", '"1, 3, 5, 8"', '"1, 3, 5"'),
    "another count in a list": _in("lists/soc2.csv", '"4","1, 3, 5, 8"', '"5","1, 3, 5, 8"'),
    "another rule in a list": _in("lists/soc2.csv", '"erasure"', '"task"'),
    "a rule that is none": _in("lists/soc2.csv", '"erasure"', '"erasure or"'),
    "a row less in a list": _in("lists/eu-ai-act.md", "| Art. 14(4)(e) | people can stop it", "people can stop it"),
    "another entry for people": _in("lists/eu-ai-act.md", "| 1 | 7 |", "| 1 | 6 |"),
    "another time for people": _in("lists/eu-ai-act.md", "from 2027", "from 2007"),
    "another size for people": _in("lists/eu-ai-act.md", "11 entries", "12 entries"),
    "a list without the other": _gone("lists/soc2.md"),
    "another figure for people": _in("README.md", "its 11 entries", "its 12 entries"),
    "other clear texts": _in("README.md", "Clear texts in it: all", "Clear texts in it: none"),
    "another number of actions": _about("actions", 9, "export.json"),
    "a field of one's own": _about("approvedBy", "the board", "export.json"),
    "no time": _about("madeAt", "today", "export.json"),
    "lists that are not there": _about("profiles", ["soc2"], "lists"),
    "receipts that are not there": _about("receipts", value=True, place="receipts/1.json"),
}


@pytest.mark.proves("audit.readable")
@pytest.mark.parametrize("what", CHANGES)
def test_a_figure_that_was_changed_is_found(made: Path, tmp_path: Path, what: str) -> None:
    """In lists, for programs and for people, in the README and in export.json: although MANIFEST was written anew."""
    place = copied(made, tmp_path / "changed")
    where = CHANGES[what](place)
    listed_again(place)

    assert where in [each for each, _ in checked(place).findings]


@pytest.mark.proves("audit.readable")
def test_other_words_are_for_reading_alone_and_are_named(made: Path, tmp_path: Path) -> None:
    """A clause, or a sentence of the README, that the verifier does not know is nobody's word."""
    place = copied(made, tmp_path / "worded")
    _in("lists/soc2.csv", "logical access is restricted", "nobody has access")(place)
    _in("lists/soc2.md", "logical access is restricted", "nobody has access")(place)
    _in("README.md", "Any program that knows them", "No program that knows them")(place)
    listed_again(place)
    report = checked(place)

    assert report.verdict == "verified"
    assert [each.partition(" ")[0] for each in report.unread] == ["README.md", "export.json", "lists/soc2", "verify.py"]


@pytest.mark.proves("audit.readable")
def test_the_verifier_that_goes_along_is_told_from_the_one_that_runs(made: Path, tmp_path: Path) -> None:
    """The same program elsewhere is nothing to be named, another one is."""
    place = copied(made, tmp_path / "same")
    (place / "verify.py").write_bytes(Path(alone.__file__).read_bytes())
    listed_again(place)

    assert "verify.py (another program than this one)" in checked(made).unread
    assert not any(each.startswith("verify.py") for each in checked(place).unread)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700, 768, 1025])
def test_receipts_are_written_in_the_same_form(size: int) -> None:
    """Whatever the size of the log, the verifier comes to the very bytes that the exporter writes."""
    leaves = [sha256(b"%d" % n).digest() for n in range(size)]
    tree = alone.Tree()
    for start in range(0, size, WIDTH):
        tree.add(leaves[start : start + WIDTH])
    root = root_of(leaves)
    for index in {0, size // 3, size // 2, size - 1}:
        path = inclusion_proof(index, size, lambda level, n: root_of(leaves[n << level : (n + 1) << level]))
        receipt = CoseReceipts(LOG).receipt(index, size, path, root)
        tile = index // WIDTH * WIDTH
        head = alone.Checkpoint("test/log", size, root)
        begin, signed = alone.receipt_by(brought(LOG), index, head, tree.path(index, leaves[tile : tile + WIDTH]))
        assert receipt[:-64] == begin
        assert alone.good(LOG.verifier.public, signed, receipt[-64:])


def test_first_names_what_is_wrong(made: Path, tmp_path: Path) -> None:
    """A clause is named with what is wrong in it."""
    place = copied(made, tmp_path / "changed")
    _in("lists/soc2.csv", '"1, 3, 5, 8"', '"1, 3, 5"')(place)
    listed_again(place)

    assert first(place) == ("lists/soc2.csv", "`CC6.1` names other entries than its rule comes to")
