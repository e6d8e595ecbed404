"""What lies beside the log in an export: whoever holds the database can write it anew, so each of it is held against the log."""

import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import interlock_verify as alone
from interlock.adapters.keys import fresh, verify
from interlock.domain.canonical import encode
from interlock.domain.keyring import Keyring
from interlock.domain.note import signature_line
from interlock.domain.testimony import Reader
from tests.audit.ledger import (
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
    lines_in,
    listed_again,
    token,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of three actions, an anchor with a time stamp, and a later key of the gate. Not to be changed."""
    place = tmp_path_factory.mktemp("copies") / "made"
    ledger = filled(3)
    stamped = {"checkpoint": ledger.checkpoint().decode(), "cosignatures": 0, "timestamp": token(ledger.checkpoint())}
    ledger.put("anchored", "anchor", body=stamped)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.export(place)
    assert checked(place).verdict == "verified"
    return place


def _rows(place: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    rows = lines_in(place / "actions.jsonl")
    change(rows)
    (place / "actions.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows))


def _about(place: Path, **changes: Any) -> None:
    about = json.loads((place / "export.json").read_bytes())
    (place / "export.json").write_text(json.dumps(about | changes))
    rest = (place / "README.md").read_text().removeprefix(alone.readme_head(about))
    (place / "README.md").write_text(alone.readme_head(about | changes) + rest)


def _copied_entry(place: Path) -> None:
    (place / "receipts").mkdir()
    (place / "receipts/1.json").write_text("{}")


FIELDS: dict[str, Any] = {
    "task": "t-2",
    "agent": "another",
    "release": "s" * 64,
    "contract": "thing.get",
    "entries": [1, 3],
    "first_at": "2001-01-01T00:00:00.000Z",
    "last_at": "2001-01-01T00:00:00.000Z",
    "verdict": "deny",
    "policies": ["none"],
    "approved_by": ["board"],
    "effect": "none",
    "undone_by": "a-2",
}

CHANGES: dict[str, Callable[[Path], object]] = {
    "one action in the place of another": lambda place: _rows(place, lambda rows: rows.__setitem__(1, rows[0])),
    "a time stamp of something else": lambda place: (place / "anchors/7.checkpoint").write_text("another"),
    "another time stamp": lambda place: (place / "anchors/7.tsr").write_bytes(b"old"),
    "an anchor that is gone": lambda place: (place / "anchors/7.checkpoint").unlink(),
    "an anchor that never was": lambda place: (place / "anchors/6.tsr").write_bytes(b"DER"),
    "another log's key": lambda place: (place / "keys/log").write_text(f"{fresh(ORIGIN).verifier.vkey()}\n"),
    "one key of the gate less": lambda place: (place / "keys/gate").write_text(f"{TRUSTED[1].line()}\n"),
    "another size": lambda place: _about(place, size=1),
    "another root": lambda place: _about(place, root="00" * 32),
    "another name": lambda place: _about(place, origin="another/log"),
    "a file of the sender's own": lambda place: (place / "lists.md").write_text("all is well"),
    "a tile of another size": lambda place: (place / "tile/0/001").write_bytes(b""),
    "a copy of another entry": _copied_entry,
}


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("what", CHANGES)
def test_what_repeats_the_log_repeats_this_one(made: Path, tmp_path: Path, what: str) -> None:
    """Whoever changes a copy of what the log says, and lists the files anew, is found out by the log."""
    place = copied(made, tmp_path / "changed")
    CHANGES[what](place)
    listed_again(place)

    assert checked(place).verdict == "failed"


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_of_the_index_is_what_its_entries_say(made: Path, tmp_path: Path, name: str) -> None:
    """No field of a row can say something else than the entries it names."""
    place = copied(made, tmp_path / "changed")
    _rows(place, lambda rows: rows[1].update({name: FIELDS[name]}))
    listed_again(place)

    assert first(place) == ("actions.jsonl", f"`{name}` of action `a-1` is not what its entries say")


def test_what_was_not_asked_for_is_said(made: Path, tmp_path: Path) -> None:
    """An export that says it is about fewer actions can leave out their clear texts; the auditor hears of it."""
    place = copied(made, tmp_path / "fewer")
    _about(place, selected=True, selection=ALL | {"actions": ["a-1", "a-2"]}, actions=2)
    _rows(place, lambda rows: rows.pop(0))
    _without_records(place, "a-0")
    kept = [each for each in lines_in(place / "disclosures.jsonl") if each["index"] > 2]
    (place / "disclosures.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in kept))
    listed_again(place)
    report = checked(place)

    assert (report.verdict, report.disclosed) == ("verified", "all")
    assert any("only 2 of 3 actions were asked for (2 named)" in each for each in report.warnings)
    assert [each.partition(" ")[0] for each in report.unread] == ["export.json", "verify.py"]


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("chosen", [{}, {"agent": "ag"}, {"since": "2027-01-15T08:00:00.000Z"}, {"actions": ["a-1"]}])
def test_an_emptied_index_is_held_against_what_was_asked_for(
    made: Path, tmp_path: Path, chosen: dict[str, object]
) -> None:
    """Whoever empties the index and says that little was asked for must say what, and the log says what that comes to."""
    place = copied(made, tmp_path / "emptied")
    _about(place, selected=True, selection=ALL | chosen, actions=0)
    (place / "actions.jsonl").write_bytes(b"")
    (place / "records.jsonl").write_bytes(b"")
    listed_again(place)
    if not chosen:
        assert _refused(place) == "not_an_export"
        return

    missed = "a-1" if "actions" in chosen else "a-0"
    said = f"action `{missed}` is not listed, and was asked for, by what export.json says"
    assert first(place) == ("actions.jsonl", said)


@pytest.mark.proves("audit.tampering_found")
def test_every_field_of_a_record_is_what_its_entry_says(made: Path, tmp_path: Path) -> None:
    """No field can say something else, chained anew or not; none can be left out, put in or stand elsewhere."""
    honest = lines_in(made / "records.jsonl")
    for number, name in enumerate(honest[1]):
        records = [dict(each) for each in honest]
        records[1][name] = 7 if name != "action_detail" else records[1][name] | {"state": "held"}
        assert (
            _record_found(made, tmp_path / str(number), records) == "the record of entry 2 is not what that entry says"
        )
    for number, records in enumerate((honest[1:], honest[:-1], [*honest, honest[-1]], honest[::-1], [])):
        assert "record" in _record_found(made, tmp_path / f"moved-{number}", records)


def _record_found(made: Path, place: Path, records: list[dict[str, Any]]) -> str:
    copied(made, place)
    _write_records(place, records)
    listed_again(place)
    where, problem = first(place)
    assert where == "records.jsonl"
    return problem


def _write_records(place: Path, records: list[dict[str, Any]]) -> None:
    """Chained anew, so that the file agrees with itself."""
    data, previous = b"", "0" * 64
    for each in records:
        line = encode({**each, "prev_hash": 7 if each["prev_hash"] == 7 else previous})
        data, previous = data + line + b"\n", sha256(line).hexdigest()
    (place / "records.jsonl").write_bytes(data)


def _without_records(place: Path, action: str) -> None:
    kept = [each for each in lines_in(place / "records.jsonl") if each["action_detail"]["action"] != action]
    _write_records(place, kept)


ALL: dict[str, object] = {"since": None, "until": None, "agent": "", "actions": []}
"""A selection that leaves nothing out."""


@pytest.mark.proves("audit.keys_followed")
def test_an_old_key_alone_does_not_do_for_who_brought_a_later_one(made: Path, tmp_path: Path) -> None:
    """Of several keys the log must join all; one from before the later key verifies once the auditor says that it is."""
    later = brought(fresh(ORIGIN))
    both = (*TRUSTED, later)
    place, problem = first(made, keys=both)
    assert (place, f"the log never heard of `{later.keyid()}`" in problem) == ("keys", True)
    said = checked(made, keys=both, before=(later,))
    assert (said.verdict, any("is your word" in each for each in said.warnings)) == ("verified", True)
    assert checked(made, keys=(*TRUSTED, *TRUSTED)).verdict == "verified"
    with pytest.raises(alone.Refused, match="bring the one in force then"):
        checked(made, keys=(later,), before=(later,))

    # Who holds the old key says at the beginning that the log began with the later one: that joins nothing.
    forged = Ledger()
    forged.put("introduced", "key", body={"log": later.line(), "gate": GATE.verifier.vkey()})
    forged.export(tmp_path / "forged")
    assert first(tmp_path / "forged", keys=both)[0] == "checkpoint"

    honest, keys = filled(1), [LOG, fresh(ORIGIN), fresh(ORIGIN)]
    for each in keys[1:]:
        honest.rotate("log", each)
    honest.act("later")
    honest.export(tmp_path / "honest")
    assert checked(tmp_path / "honest", keys=tuple(map(brought, keys))).verdict == "verified"
    assert checked(tmp_path / "honest", keys=(brought(keys[0]), brought(keys[2]))).verdict == "verified"


@pytest.mark.proves("audit.readable")
def test_a_time_stamp_is_over_its_anchor_and_is_told_with_what_checks_it(made: Path, tmp_path: Path) -> None:
    """Its imprint is computed again and its time shown as its own word; over other bytes, or no token, it is found."""
    report = checked(made)
    assert report.stamps == [{"entry": 7, "at": "2027-01-15T08:05:00Z"}]
    assert "openssl ts -verify -data anchors/7.checkpoint -in anchors/7.tsr" in alone.told(report)

    note = filled(1).checkpoint()
    for number, (stamp, said) in enumerate(
        (
            (token(note + b"x"), "over other bytes"),
            (token(note, kind="2b0e03021a"), "over other bytes"),
            (token(note, b"20271399080500Z"), "no time in UTC"),
            (token(note, b"yesterday"), "no time in UTC"),
            ("REVS", "not in the form"),
            ("", "not in the form"),
        )
    ):
        ledger = filled(1)
        body = {"checkpoint": ledger.checkpoint().decode(), "cosignatures": 0, "timestamp": stamp}
        ledger.put("anchored", "anchor", body=body)
        ledger.export(tmp_path / str(number))
        if not stamp:
            (tmp_path / str(number) / "anchors/3.tsr").write_bytes(b"")
            listed_again(tmp_path / str(number))
        place, problem = first(tmp_path / str(number))
        assert (place, said in problem) == ("anchors/3.tsr", True)


@pytest.mark.proves("audit.readable")
def test_a_line_that_was_not_checked_is_named(made: Path, tmp_path: Path) -> None:
    """A second signature by ML-DSA-44, and a witness nobody asked for: neither counts, and both are told."""
    place = copied(made, tmp_path / "second")
    note = (place / "checkpoint").read_bytes()
    note += signature_line(ORIGIN, b"\1\2\3\4", bytes(8 + 2420)) + signature_line("w", b"\1\2\3\4", bytes(72))
    (place / "checkpoint").write_bytes(note)
    listed_again(place)
    report = checked(place)

    assert report.verdict == "verified"
    assert report.unchecked == [
        f"{ORIGIN}+01020304 under checkpoint (ML-DSA-44, which this program cannot check)",
        "w+01020304 under checkpoint (by one whose key you did not bring)",
    ]


@pytest.mark.proves("audit.tampering_found")
def test_nothing_stands_in_a_stream_whose_key_was_handed_over(tmp_path: Path) -> None:
    """Both verifiers hold that a process which handed its key over records nothing more."""
    ledger = filled(1)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.put("opened", "task", stream="handover-3")
    ledger.export(tmp_path / "more")

    assert first(tmp_path / "more")[1] == "it stands in stream `handover-3`, which was closed before"


@pytest.mark.proves("audit.keys_followed")
def test_a_key_is_declared_lost_from_a_place_that_is_named(tmp_path: Path) -> None:
    """Both verifiers refuse a declaration that does not say since when."""
    ledger = filled(1)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.put("retired", "key", body={"role": "gate", "key": TRUSTED[1].line()})
    ledger.export(tmp_path / "vague")
    ring = Keyring(LOG.verifier, (GATE.verifier,), verify)
    reader = Reader(ring, verify)
    problems = [problem for row in ledger.rows for problem in reader.read(row).problems]

    assert first(tmp_path / "vague") == ("entry 4", "a key: `since` is not a whole number")
    assert problems == ["it speaks of a key that was not replaced before it"]


@pytest.mark.proves("audit.tampering_found")
def test_a_link_to_a_folder_is_no_part_of_an_export(made: Path, tmp_path: Path) -> None:
    """Where a link leads, another could read something that nobody verified."""
    place = copied(made, tmp_path / "linked")
    (place / "lists").symlink_to(tmp_path)

    assert ("lists", "it is no file of this export") in checked(place).findings


@pytest.mark.proves("audit.disclosures")
def test_what_was_erased_and_is_still_there_is_said(tmp_path: Path) -> None:
    """An erasure that was not carried out, or was undone from a copy, shows to the auditor."""
    ledger = filled(2)
    ledger.put("erased", "erasure", body={"covers": "1-2"})
    ledger.export(tmp_path / "alive")

    warnings = checked(tmp_path / "alive").warnings
    assert any(
        "clear texts of entry 1 are here, and an erasure says that they are gone (so of 2" in w for w in warnings
    )


# -- hostile files --------------------------------------------------------------------------------------------------------


def _refused(place: Path) -> str:
    with pytest.raises(alone.Refused) as refused:
        checked(place)
    return refused.value.code


@pytest.mark.proves("audit.bad_input")
def test_a_link_to_itself_and_a_name_too_long_are_refused(made: Path, tmp_path: Path) -> None:
    """Neither is a traceback."""
    place = copied(made, tmp_path / "looped")
    (place / "checkpoint").unlink()
    (place / "checkpoint").symlink_to("checkpoint")

    assert _refused(place) == "unreadable"
    assert _refused(tmp_path / ("x" * 5000)) == "unreadable"


@pytest.mark.proves("audit.bad_input")
@pytest.mark.parametrize("kind", ["lzma", "bzip2", "far", "behind"])
def test_an_archive_that_no_export_is_is_refused(made: Path, tmp_path: Path, kind: str) -> None:
    """Other ways to pack, and files that are said to stand where nothing is."""
    place = tmp_path / "odd.zip"
    packing = {"lzma": zipfile.ZIP_LZMA, "bzip2": zipfile.ZIP_BZIP2}.get(kind, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(place, "w", packing) as archive:
        for file in sorted(made.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(made).as_posix())
    data = bytearray(place.read_bytes())
    at = -1
    while kind in ("far", "behind") and (at := data.find(b"PK\x01\x02", at + 1)) >= 0:
        data[at + 42 : at + 46] = struct.pack("<I", 2**32 - 2 if kind == "far" else len(data) - 10)
    place.write_bytes(data)

    assert _refused(place) in ("unreadable", "not_an_export")


@pytest.mark.proves("audit.bad_input")
def test_clear_texts_without_end_take_no_memory_without_end(made: Path, tmp_path: Path) -> None:
    """Forty megabytes of clear texts of one entry are a finding, and are not kept."""
    place = copied(made, tmp_path / "much")
    line = json.dumps({"index": 1, "disclosure": "A" * 500_000}) + "\n"
    (place / "disclosures.jsonl").write_text(line * 80)
    listed_again(place)
    tracemalloc.start()
    try:
        report = checked(place)
        assert tracemalloc.get_traced_memory()[1] < 32_000_000
    finally:
        tracemalloc.stop()

    assert any("more of entry 1" in problem for _, problem in report.findings)


@pytest.mark.proves("audit.bad_input")
@pytest.mark.parametrize("name", ["MANIFEST", "actions.jsonl"])
def test_lists_without_end_take_no_memory_without_end(made: Path, tmp_path: Path, name: str) -> None:
    """Lines about what is not there are not kept: there are only so many files, and so many entries."""
    place = copied(made, tmp_path / "much")
    if name == "MANIFEST":
        text = "".join(f"{0:064}  {n}\n" for n in range(300_000))
    else:
        _about(place, selected=True)
        text = "".join(f'{{"action":"{n}"}}\n' for n in range(300_000))
    (place / name).write_text(text)
    tracemalloc.start()
    try:
        if name == "MANIFEST":
            assert checked(place).verdict == "failed"
        else:
            assert _refused(place) == "not_an_export"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
