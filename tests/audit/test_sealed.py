"""The export as a whole: the gate signs what is in it, so that nothing is taken out of it or changed on its way."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import interlock_verify as alone
from interlock.adapters.keys import SigningKey, fresh
from interlock.domain.errors import KeyFileError
from interlock.domain.export import Selection, Wish, sealed_text
from interlock.domain.keyring import keyid
from interlock.domain.note import parse_checkpoint, parse_note, signature_line
from interlock.domain.requirement import PROFILES
from tests.audit.ledger import (
    BEGIN,
    GATE,
    LOG,
    ORIGIN,
    TRUSTED,
    Ledger,
    brought,
    checked,
    copied,
    filled,
    first,
    listed_again,
    listed_unsigned,
)
from tests.cli.shell import Shell

SEAL = "MANIFEST.sig"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with clear texts, lists and a policy, after a change of the gate's key. Not to be changed."""
    place = tmp_path_factory.mktemp("sealed") / "made"
    ledger = filled(2)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.act("later")
    ledger.export(place, Wish(disclosed=None, profiles=PROFILES))
    (place / "policy").write_text("quorum none\n")
    listed_again(place)
    report = checked(place)
    assert (report.verdict, report.sealed) == ("verified", keyid(ledger.gate.verifier))
    return place


@pytest.mark.proves("audit.sealed")
@pytest.mark.parametrize("role", ["gate", "log", ""])
def test_the_gate_in_force_at_the_end_signs_the_whole(tmp_path: Path, role: str) -> None:
    """As a folder and as an archive; also where the last entry is the change of keys itself."""
    ledger = filled(1)
    if role:
        ledger.rotate(role, fresh(f"{ORIGIN}/gate" if role == "gate" else ORIGIN))
    ledger.note = ledger.checkpoint(len(ledger.rows)).decode()
    ledger.export(tmp_path / "folder", durable=True)
    ledger.export(tmp_path / "one.zip", durable=True)

    for place in (tmp_path / "folder", tmp_path / "one.zip"):
        report = checked(place)
        assert (report.verdict, report.sealed) == ("verified", keyid(ledger.gate.verifier))
        told = alone.told(report)
        assert f"signed as a whole by {report.sealed}" in told
        assert "the operator's word alone, held against nothing: export.json" in told
        assert "signed by nobody" not in told


def _about(place: Path, **changes: Any) -> None:
    about = json.loads((place / "export.json").read_bytes())
    (place / "export.json").write_text(json.dumps(about | changes))
    rest = (place / "README.md").read_text().removeprefix(alone.readme_head(about))
    (place / "README.md").write_text(alone.readme_head(about | changes) + rest)


def _without_clear_texts(place: Path) -> None:
    _about(place, disclosed=[])
    (place / "disclosures.jsonl").write_bytes(b"")


def _without_lists(place: Path) -> None:
    _about(place, profiles=[])
    shutil.rmtree(place / "lists")


def _reordered(place: Path) -> None:
    lines = (place / "actions.jsonl").read_bytes().splitlines(keepends=True)
    (place / "actions.jsonl").write_bytes(b"".join(reversed(lines)))


ON_THE_WAY: dict[str, Callable[[Path], object]] = {
    "clear texts": _without_clear_texts,
    "lists": _without_lists,
    "the policy": lambda place: (place / "policy").unlink(),
    "another policy": lambda place: (place / "policy").write_text("# none\nquorum none\n"),
    "the order of the actions": _reordered,
    "when it was made": lambda place: _about(place, madeAt="2001-01-01T00:00:00.000Z"),
    "another verifier": lambda place: (place / "verify.py").write_text("print('the export verifies')\n"),
    "another README": lambda place: (place / "README.md").write_text(
        (place / "README.md").read_text() + "All is well.\n"
    ),
}


@pytest.mark.proves("audit.sealed")
@pytest.mark.parametrize("what", ON_THE_WAY)
def test_what_is_taken_out_on_the_way_is_found(made: Path, tmp_path: Path, what: str) -> None:
    """Whoever changes an export so that it still agrees with itself cannot sign it; whoever holds the gate's key can."""
    place = copied(made, tmp_path / "changed")
    ON_THE_WAY[what](place)
    listed_unsigned(place)

    where, problem = first(place)
    report = checked(place)
    assert (where, "may have been taken out of it" in problem, report.sealed) == (SEAL, True, "")
    assert len(report.findings) == 1
    assert "for reading alone, signed by nobody: " in alone.told(report)
    listed_again(place)
    assert checked(place).verdict == "verified"


def _signed(place: Path, key: SigningKey, *, forged: bool = False) -> None:
    head = parse_checkpoint(parse_note((place / "checkpoint").read_bytes()).text)
    text = sealed_text(head, (place / "MANIFEST").read_bytes())
    signature = key.sign(text + b"x" if forged else text)
    (place / SEAL).write_bytes(text + b"\n" + signature_line(key.verifier.name, key.verifier.key_id(), signature))


@pytest.mark.proves("audit.sealed")
def test_a_signature_of_the_whole_that_is_none_is_found(made: Path, tmp_path: Path) -> None:
    """None, rubbish, that of another export, by the log, by a stranger, by the gate's key before, or of other bytes."""
    earlier = filled(1)
    earlier.export(tmp_path / "earlier")
    for name, change, said in (
        ("none", lambda place: (place / SEAL).unlink(), "it is missing: nobody signed"),
        ("rubbish", lambda place: (place / SEAL).write_bytes(b"\xff\n"), "the note is not"),
        ("another", lambda place: shutil.copy(tmp_path / "earlier" / SEAL, place), "over another MANIFEST"),
        ("log", lambda place: _signed(place, LOG), "not by the gate's key that is in force"),
        ("stranger", lambda place: _signed(place, fresh(f"{ORIGIN}/gate")), "not by the gate's key that is in force"),
        ("before", lambda place: _signed(place, GATE), "not by the gate's key that is in force"),
    ):
        place = copied(made, tmp_path / name)
        change(place)
        where, problem = first(place)
        assert (where, said in problem, len(checked(place).findings)) == (SEAL, True, 1), problem
    only = filled(1)
    only.export(tmp_path / "only")
    _signed(tmp_path / "only", GATE, forged=True)
    assert "the signature does not verify" in first(tmp_path / "only")[1]
    _signed(tmp_path / "only", GATE)
    assert checked(tmp_path / "only").verdict == "verified"


def test_where_the_keys_are_the_exports_own_the_signature_vouches_for_nothing(made: Path) -> None:
    """Whoever made the keys made the signature: it is told, and the verdict stays."""
    report = checked(made, keys=())

    assert (report.verdict, report.sealed != "") == ("unvouched", True)
    assert f"its MANIFEST is signed by {report.sealed}\n" in alone.told(report)


@pytest.mark.proves("audit.sealed")
def test_nothing_is_exported_that_the_gate_in_force_did_not_sign(shell: Shell, tmp_path: Path) -> None:
    """With another key at hand, or with the public ones alone, there is no export, and nothing is left behind."""
    ledger = filled(1)
    ledger.sealing = fresh(f"{ORIGIN}/gate")
    with pytest.raises(KeyFileError, match="not the one in force"):
        ledger.export(tmp_path / "other", durable=True)
    shell.proposed(10)
    (shell.place.folder / ".interlock/keys/gate.key").rename(tmp_path / "gate.key")
    said = shell.json("audit", "export", str(tmp_path / "made"), code=3)["error"]

    assert "an export is signed with the gate's private key" in said["detail"]
    assert "export where the keys are" in said["next"]
    assert [each.name for each in tmp_path.iterdir() if "made" in each.name or "other" in each.name] == []


@pytest.mark.proves("audit.sealed")
def test_the_command_says_who_signed_the_whole(shell: Shell, tmp_path: Path) -> None:
    """`audit verify` and the program that goes along say the same of it."""
    shell.proposed(10)
    shell("audit", "export", str(tmp_path / "made"))
    key = str(shell.place.folder / ".interlock/keys/log.pub")
    gate = alone.keys_from(str(shell.place.folder / ".interlock/keys/gate.pub"))[0].keyid()

    said = shell("audit", "verify", str(tmp_path / "made"), "--key", key)
    assert (said.code, f"signed as a whole by {gate}" in " ".join(said.out.split())) == (0, True)
    assert shell.json("audit", "verify", str(tmp_path / "made"), "--key", key)["sealed"] == gate
    (tmp_path / "made" / SEAL).unlink()
    said = shell("audit", "verify", str(tmp_path / "made"), "--key", key)
    assert (said.code, "MANIFEST.sig: it is missing" in said.out, "signed by nobody" in said.out) == (4, True, True)


# -- what the verifier says of what it was given ------------------------------------------------------------------------------


@pytest.mark.proves("audit.readable")
def test_what_the_log_says_was_erased_is_told_whatever_was_asked_for(tmp_path: Path) -> None:
    """Entries that were erased or lost are counted by the log's word, also where no clear text was asked for."""
    ledger = filled(3)
    for place in (1, 2, 5):
        gone = ledger.rows[place]
        fields = {name: getattr(gone, name) for name in gone.__struct_fields__}
        ledger.rows[place] = type(gone)(**fields | {"disclosures": ()})
    ledger.put("erased", "erasure", body={"covers": "0-2"})
    ledger.put("acknowledged", "loss", body={"state": "acknowledged", "covers": "5"})
    for name, disclosed in (("none", ()), ("some", ("toolArgs",)), ("all", None)):
        ledger.export(tmp_path / name, Wish(disclosed=disclosed))
        report = checked(tmp_path / name)
        assert (report.verdict, report.erased, report.lost) == ("verified", 2, 1), name
        assert "clear texts of 2 entries erased, of 1 entry LOST" in alone.told(report)


def test_a_key_that_was_replaced_is_told_from_the_latest(tmp_path: Path) -> None:
    """Whoever trusts an old key alone hears which one the log goes on under; whoever brought that hears nothing."""
    ledger = filled(1)
    later = fresh(ORIGIN)
    ledger.rotate("log", later)
    ledger.act("later")
    ledger.export(tmp_path / "made")

    def told(*keys: alone.Key) -> bool:
        report = checked(tmp_path / "made", keys=keys)
        assert report.verdict == "verified"
        said = f"`{brought(LOG).keyid()}`, was replaced: from entry 4 on this log's key is `{brought(later).keyid()}`"
        return any(said in each for each in report.warnings)

    assert told(brought(LOG))
    assert told(*TRUSTED)
    assert not told(brought(later))
    assert not told(*TRUSTED, brought(later))


@pytest.mark.proves("audit.keys_followed")
def test_a_word_that_the_log_disproves_is_refused(tmp_path: Path) -> None:
    """`--before` a key that the log holds, or one that was not brought, is a mistake of who says it."""
    ledger = filled(1)
    later = fresh(ORIGIN)
    ledger.rotate("log", later)
    ledger.act("later")
    ledger.export(tmp_path / "made")
    for keys, before, said in (
        ((LOG, later), later, "holds `.*`, from entry 4 on: it is not from before it"),
        ((LOG, later), LOG, "holds `.*`, from entry 0 on"),
        ((LOG,), fresh(ORIGIN), "none of the keys you brought"),
    ):
        with pytest.raises(alone.Refused, match=said) as refused:
            checked(tmp_path / "made", keys=tuple(map(brought, keys)), before=(brought(before),))
        assert refused.value.code in alone.USAGE


@pytest.mark.proves("audit.tampering_found")
def test_an_older_export_is_not_called_forged(tmp_path: Path) -> None:
    """Against a newer checkpoint, also by a later key, it is older or cut off: nobody can tell which."""
    ledger = filled(1)
    ledger.export(tmp_path / "old")
    ledger.note = ""
    ledger.act("b")
    same = alone.note_of(ledger.checkpoint())
    ledger.rotate("log", fresh(ORIGIN))
    ledger.act("c")
    later = alone.note_of(ledger.checkpoint())

    place, problem = first(tmp_path / "old", retained=(same,))
    assert (place, problem) == (
        "retained checkpoint of 5",
        "the export has only 3 entries: it is older than that checkpoint, or its end was cut off",
    )
    place, problem = first(tmp_path / "old", retained=(later,))
    assert place == "retained checkpoint of 8"
    assert f"`{keyid(ledger.log.verifier)}`, which this export does not know. Perhaps it is a later key" in problem
    assert "it is older than that checkpoint, or its end was cut off" in problem


# -- true findings with their true reasons ------------------------------------------------------------------------------------


def test_what_is_missing_is_called_missing(shell: Shell, tmp_path: Path) -> None:
    """A receipt or a record that is gone is missing; another time in export.json is that file's fault, told once."""
    shell.proposed(10)
    shell.proposed(11)
    shell.json("audit", "export", str(tmp_path / "made"), "--receipts")
    keys = tuple(alone.keys_from(str(shell.place.folder / ".interlock/keys/log.pub")))
    for file in [min((tmp_path / "made/receipts").glob(f"*.{kind}")) for kind in ("cose", "dsse")]:
        data = file.read_bytes()
        file.unlink()
        assert first(tmp_path / "made", keys=keys) == (f"receipts/{file.name}", "it is missing")
        assert "nothing was taken out" not in alone.told(checked(tmp_path / "made", keys=keys))
        file.write_bytes(data)
    _about(tmp_path / "made", madeAt="2001-01-01T00:00:00.000Z")
    listed_unsigned(tmp_path / "made")

    (where, problem), *others = checked(tmp_path / "made", keys=keys).findings
    assert (where, problem.startswith("it says that it was made at 2001-01-01T00:00:00.000Z, and receipts/")) == (
        "export.json",
        True,
    )
    assert [each for each, _ in others] == [SEAL]


def test_a_list_whose_line_ends_were_changed_is_told_so(made: Path, tmp_path: Path) -> None:
    """Git and editors do that."""
    place = copied(made, tmp_path / "unix")
    file = place / "lists/soc2.csv"
    file.write_bytes(file.read_bytes().replace(b"\r\n", b"\n"))

    assert first(place)[0] == "lists/soc2.csv"
    assert "do not end in CR LF (RFC 4180)" in first(place)[1]


def test_a_manifest_in_another_order_is_told_so(made: Path, tmp_path: Path) -> None:
    """Its files are listed, and nothing else is said of them."""
    place = copied(made, tmp_path / "order")
    lines = (place / "MANIFEST").read_text().splitlines(keepends=True)
    (place / "MANIFEST").write_text("".join([lines[1], lines[0], *lines[2:]]))

    found = checked(place).findings
    assert [each for each, _ in found] == [SEAL, "MANIFEST"]
    assert "not in the order of paths" in found[1][1]


def test_of_a_log_that_cannot_be_read_to_its_end_nothing_is_said_of_its_keys(tmp_path: Path) -> None:
    """An entry that was cut out of a bundle is found, and no key is called unheard of."""
    ledger = filled(1)
    later = fresh(ORIGIN)
    ledger.rotate("log", later)
    ledger.export(tmp_path / "made")
    bundle = tmp_path / "made/tile/entries/000.p/4"
    entries = alone.entries_of(bundle.read_bytes(), 4)
    bundle.write_bytes(b"".join(len(each).to_bytes(2, "big") + each for each in entries[:3]))
    listed_again(tmp_path / "made")

    for keys in ((LOG,), (later,), (LOG, later)):
        found = checked(tmp_path / "made", keys=tuple(map(brought, keys))).findings
        assert found == [("tile/entries/000.p/4", "it holds 3 entries, not 4")]


def test_a_selection_that_comes_to_all_is_told_as_one(tmp_path: Path) -> None:
    """The auditor hears that not everything was asked for, and that no action is missing."""
    ledger = Ledger().begin()
    ledger.act("a")
    ledger.act("b")
    ledger.export(tmp_path / "made", Wish(selection=Selection(since_at=BEGIN), disclosed=None))

    (said,) = [each for each in checked(tmp_path / "made").warnings if "operator says" in each]
    assert "which comes to all of the actions" in said
    assert "only" not in said
