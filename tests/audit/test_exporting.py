"""Exporting: complete or not at all, nothing replaced, and nothing in clear that was not asked for."""

import csv
import importlib
import subprocess
import sys
import zipfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import cbor2
import msgspec
import pytest

import interlock_verify as alone
from interlock.adapters.keys import fresh
from interlock.adapters.parcel import parcel_at
from interlock.domain import dsse
from interlock.domain.canonical import encode
from interlock.domain.errors import ContractError, IntegrityError, NotFound, StoreError
from interlock.domain.export import Selection, Wish
from interlock.domain.ids import ActionId
from interlock.domain.merkle import check_inclusion, leaf_hash
from tests.audit.ledger import BEGIN, GATE, LOG, MINUTE, ORIGIN, Ledger, checked, filled, lines_in
from tests.cli.shell import Shell
from tests.workspaces import forget, workspace


@pytest.mark.proves("audit.export_whole")
def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A log that does not agree with its checkpoint, an unknown action, an empty log: no file stays behind."""
    broken = filled(3)
    broken.note = broken.checkpoint().decode()
    broken.rows[2], broken.rows[3] = broken.rows[3], broken.rows[2]
    with pytest.raises(IntegrityError):
        broken.export(tmp_path / "broken", durable=True)
    unknown = Wish(selection=Selection(actions=frozenset({ActionId("nobody")})))
    with pytest.raises(NotFound):
        filled(1).export(tmp_path / "unknown.zip", unknown, durable=True)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.proves("audit.export_whole")
@pytest.mark.parametrize("name", ["there", "there.zip"])
def test_an_export_replaces_nothing(tmp_path: Path, name: str) -> None:
    """Where something is, there is no export, also where it came while the export was made."""
    ledger = filled(1)
    (tmp_path / name).write_text("mine")
    with pytest.raises(ContractError):
        ledger.export(tmp_path / name, durable=True)
    (tmp_path / name).unlink()
    with parcel_at(tmp_path / name) as parcel:
        parcel.add("a", b"1")
        (tmp_path / name).write_text("mine")
        with pytest.raises((ContractError, StoreError)):
            parcel.seal(bytes)

    assert (tmp_path / name).read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.proves("audit.export_whole")
def test_nothing_in_clear_goes_along_unless_it_is_asked_for(tmp_path: Path) -> None:
    """Without a wish no clear text is in any byte of the export, nor what others are called."""
    ledger = Ledger().begin()
    ledger.act("a", toolArgs={"note": "THE SECRET"}, initiator="user:ana")
    ledger.export(tmp_path / "bare", Wish(), durable=True)
    ledger.export(tmp_path / "some", Wish(disclosed=("initiator",)))
    ledger.export(tmp_path / "one.zip", Wish(), durable=True)

    files = [each for each in (tmp_path / "bare").rglob("*") if each.is_file()]
    assert not any(b"SECRET" in each.read_bytes() or b"user:ana" in each.read_bytes() for each in files)
    assert [each["index"] for each in lines_in(tmp_path / "some/disclosures.jsonl")] == [1]
    assert (tmp_path / "bare").stat().st_mode & 0o077 == 0
    assert (tmp_path / "one.zip").stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert sorted(archive.namelist()) == sorted(each.relative_to(tmp_path / "bare").as_posix() for each in files)


def test_time_and_agent_choose_what_is_listed(tmp_path: Path) -> None:
    """Of ten actions, those that something happened to in the time asked for, of the agent asked for."""
    ledger = filled(10)

    def chosen(name: str, **asked: Any) -> list[str]:
        ledger.export(tmp_path / name, Wish(selection=Selection(**asked)))
        return [each["action"] for each in lines_in(tmp_path / name / "actions.jsonl")]

    # The keys are introduced in the first minute; action n begins in minute 2n + 2 and ends in 2n + 3.
    assert chosen("since", since_at=BEGIN + 19 * MINUTE) == ["a-8", "a-9"]
    assert chosen("until", until_at=BEGIN + 5 * MINUTE) == ["a-0", "a-1"]
    assert chosen("nobody", agent="other") == []
    assert len(chosen("agent", agent="ag")) == 10


def test_records_are_a_chain_of_canonical_lines(tmp_path: Path) -> None:
    """Each record of the JSON Lines view has the twelve fields, and holds the hash of the one before."""
    filled(2).export(tmp_path / "made")
    lines = (tmp_path / "made/records.jsonl").read_bytes().splitlines()
    records = [msgspec.json.decode(each) for each in lines]

    assert [encode(each) for each in records] == lines
    assert [each["prev_hash"] for each in records] == ["0" * 64, *(sha256(each).hexdigest() for each in lines[:-1])]
    assert all(len(each) == 12 for each in records)
    assert [each["record_phase"] for each in records[:2]] == ["pre_execution", "post_execution"]
    assert records[1]["parent_record_id"] == records[0]["record_id"]


def test_lists_point_to_entries(tmp_path: Path) -> None:
    """Every clause of a profile names the entries that show something about it, for people and for programs."""
    ledger = filled(2)
    ledger.put("stopped", "control")
    ledger.put("erased", "erasure", body={"covers": ""})
    ledger.export(tmp_path / "made", Wish(profiles=("eu-ai-act", "soc2")))
    with (tmp_path / "made/lists/soc2.csv").open(newline="") as file:
        rows = {row["clause"]: row["entries"] for row in csv.DictReader(file)}

    assert rows["CC6.1"] == "1, 3"
    assert rows["PI1.3"] == "2, 4"
    assert rows["CC7.4"] == "5"
    assert rows["CC6.5, C1.2, P4.3"] == "6"
    assert "| Art. 14(4)(e) | people can stop it | stops and resumptions | 1 | 5 |" in (
        tmp_path / "made/lists/eu-ai-act.md"
    ).read_text("utf-8")


def test_what_others_said_of_the_log_goes_along_as_files(tmp_path: Path) -> None:
    """Checkpoints that were anchored, byte for byte, their time stamps beside them; and every key there was."""
    ledger = filled(1)
    note = ledger.checkpoint()
    stamp = {"timestamp": b64encode(b"DER").decode()}
    ledger.put("anchored", "anchor", body={"checkpoint": note.decode(), "cosignatures": 0} | stamp)
    later = fresh(f"{ORIGIN}/gate")
    ledger.rotate("gate", later)
    ledger.export(tmp_path / "made")

    assert (tmp_path / "made/anchors/3.checkpoint").read_bytes() == note
    assert (tmp_path / "made/anchors/3.tsr").read_bytes() == b"DER"
    gates = [GATE.verifier.vkey(), later.verifier.vkey()]
    assert (tmp_path / "made/keys/gate").read_text().split() == gates
    assert (tmp_path / "made/keys/log").read_text().split() == [LOG.verifier.vkey()]


@pytest.mark.proves("audit.receipts")
def test_a_receipt_proves_its_entry_to_programs_that_know_cose(shell: Shell, tmp_path: Path) -> None:
    """Read back as CBOR, every receipt leads from its leaf to the root of the export and is signed by the log's key."""
    shell.proposed(10)
    made = shell.json("audit", "export", str(tmp_path / "made"), "--receipts")
    key = alone.keys_from(str(shell.place.folder / ".interlock/keys/log.pub"))[0]
    files = sorted((tmp_path / "made/receipts").glob("*.cose"))
    root = bytes.fromhex(made["root"])

    assert made["receipts"] == len(files) == 2
    for file in files:
        tag = cbor2.loads(file.read_bytes())
        protected, unprotected, payload, signature = tag.value
        size, index, path = cbor2.loads(unprotected[396][-1][0])
        assert (tag.tag, payload, size, str(index)) == (18, None, made["size"], file.stem)
        assert cbor2.loads(protected) == {1: -8, 4: key.id(), 15: {1: key.name, 2: f"entry {index}"}, 395: 1}
        check_inclusion(leaf_hash(file.with_suffix(".json").read_bytes()), index, size, path, root)
        signed = cbor2.dumps(["Signature1", protected, b"", root])
        assert alone.good(key.public, signed, signature)
        assert not alone.good(key.public, signed + b"x", signature)


@pytest.mark.proves("audit.records")
def test_each_action_goes_along_as_an_agent_audit_record(shell: Shell, tmp_path: Path) -> None:
    """One envelope an action, under its first entry, signed by the log's key and not the gate's; the export verifies."""
    shell.proposed(10)
    shell.proposed(500)
    shell.json("audit", "export", str(tmp_path / "made"), "--receipts")
    keys = shell.place.folder / ".interlock/keys"
    log, gate = (alone.keys_from(str(keys / name))[0] for name in ("log.pub", "gate.pub"))
    rows = lines_in(tmp_path / "made/actions.jsonl")
    files = sorted((tmp_path / "made/receipts").glob("*.dsse"), key=lambda each: int(each.stem))

    assert [int(each.stem) for each in files] == [row["entries"][0] for row in rows]
    for file, row, found in zip(files, rows, (("permit", "occurred"), ("deny", "none")), strict=True):
        envelope = dsse.parse(file.read_bytes())
        said = msgspec.json.decode(envelope.payload)["predicate"]
        signed, signature = dsse.pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig
        assert alone.good(log.public, signed, signature)
        assert not alone.good(gate.public, signed, signature)
        assert said["correlation"]["id"] == f"urn:interlock:action:{row['action']}"
        assert (said["decision"]["reported"], said["effect"]["observed"]) == found
    verified = ("audit", "verify", str(tmp_path / "made"), "--key", str(keys / "log.pub"))
    assert shell(*verified).code == 0
    for each in (tmp_path / "made/receipts").iterdir():
        honest = each.read_bytes()
        for change in (honest[:9] + bytes([honest[9] ^ 1]) + honest[10:], honest[:-70] + b"=" + honest[-69:], b""):
            each.write_bytes(change)
            (place, problem), *_ = checked(tmp_path / "made", keys=(log,)).findings
            assert place == f"receipts/{each.name}"
            assert "MANIFEST" not in problem
        each.write_bytes(honest)


@pytest.mark.proves("audit.verified_alone")
def test_it_is_verified_where_there_is_nothing_of_ours(shell: Shell, tmp_path: Path) -> None:
    """In an empty environment, Python and PyNaCl alone, the export's own program verifies it; ours cannot be imported."""
    shell.proposed(10)
    shell.json("audit", "export", str(tmp_path / "made"), "--disclose", "all")
    bare = tmp_path / "bare"
    bare.mkdir()
    for module in ("nacl", "cffi", "_cffi_backend"):
        found = importlib.import_module(module)
        origin = Path(str(found.__file__))
        place = origin.parent if origin.name == "__init__.py" else origin
        (bare / place.name).symlink_to(place)
    keys = shell.place.folder / ".interlock/keys/log.pub"
    script = (
        f"import sys, runpy; sys.path = [each for each in sys.path if 'site-packages' not in each] + [{str(bare)!r}]\n"
        "try:\n    import interlock\nexcept ImportError:\n    pass\nelse:\n    sys.exit('ours is here')\n"
        f"sys.argv = ['verify.py', '.', '--key', {str(keys)!r}]\n"
        "runpy.run_path('verify.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], cwd=tmp_path / "made", capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "the export verifies" in done.stdout


def _is_not_published_into(shell: Shell, made: Path) -> None:
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    said = shell("log", "publish", str(made))
    assert (said.code, "is an export" in said.err, "of its own" in said.err) == (1, True, True)
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


def test_the_command_exports_and_verifies(tmp_path: Path) -> None:
    """On a real workspace: exported with its own verifier, verified with its key, refused without anything to read."""
    place = workspace(tmp_path)
    shell = Shell(place)
    assert shell("audit", "export", str(tmp_path / "early")).code == 3
    assert shell("apply").code == 0
    made = shell("audit", "export", str(tmp_path / "made"), "--json").json()
    keys = str(place.folder / ".interlock/keys/log.pub")
    gate = str(place.folder / ".interlock/keys/gate.pub")

    assert made["size"] >= 1
    assert (tmp_path / "made/verify.py").read_bytes() == Path("src/interlock_verify.py").read_bytes()
    verified = shell("audit", "verify", str(tmp_path / "made"), "--key", keys, "--key", gate, "--json")
    assert (verified.code, verified.json()["verdict"]) == (0, "verified")
    inside = shell("verify", "--json").json()
    for asked in (("verify",), ("audit", "verify", str(tmp_path / "made"), "--key", keys)):
        said = shell(*asked, "--max-age", "1h")
        assert (said.code, "--policy" in said.err) == (2, True)
    before = shell("audit", "verify", str(tmp_path / "made"), "--key", keys, "--before", keys)
    assert (before.code, "in force then" in before.err) == (2, True)
    assert (inside["findings"], inside["size"]) == ([], made["size"])
    assert shell("audit", "verify", str(tmp_path / "made")).code == 3
    assert shell("audit", "verify", str(tmp_path / "none")).code == 1
    assert shell("audit", "export", str(tmp_path / "made")).code == 1
    for words, code, meant in (
        (("--profile", "soc"), 2, "soc2"),
        (("--disclose", "toolargs"), 2, "toolArgs"),
        (("--agent", "agg"), 1, "ag"),
        (("--since", "1d", "--until", "30d"), 2, ""),
    ):
        said = shell("audit", "export", str(tmp_path / "x"), *words)
        assert (said.code, meant in said.err) == (code, True), words
    assert not (tmp_path / "x").exists()
    said = shell("audit", "export", str(tmp_path / "x.ZIP"))
    assert (said.code, "was made" in said.out) == (0, False)
    said = shell("audit", "export", str(tmp_path / "new/x"))
    assert (said.code, "new was not there and was made" in " ".join(said.out.split())) == (0, True)
    assert zipfile.is_zipfile(tmp_path / "x.ZIP")
    _is_not_published_into(shell, tmp_path / "made")
    forget(place)
