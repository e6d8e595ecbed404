"""The stand-alone verifier: an honest export verifies, and whatever is wrong with one is found and named where it is."""

import ast
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import interlock_verify as alone
from interlock.adapters.keys import SigningKey, fresh
from interlock.domain.action import MOVES
from interlock.domain.export import Selection, Wish
from interlock.domain.ids import ActionId
from interlock.domain.note import signature_line
from tests.audit.ledger import (
    BEGIN,
    GATE,
    LOG,
    MINUTE,
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
)

WITNESSES = [SigningKey(f"witness.example/{n}", bytes([n]) * 32) for n in range(1, 4)]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of 261 entries, with every clear text. Not to be changed."""
    place = tmp_path_factory.mktemp("exports") / "honest"
    filled(130).export(place)
    return place


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export about one of two actions. Not to be changed."""
    place = tmp_path_factory.mktemp("exports") / "small"
    wish = Wish(selection=Selection(actions=frozenset({ActionId("a-0")})), disclosed=None)
    filled(1).export(place, wish)
    return place


# -- an honest export ---------------------------------------------------------------------------------------------------


@pytest.mark.proves("audit.verified_alone")
@pytest.mark.parametrize("actions", [0, 1, 128])
def test_an_honest_export_verifies(tmp_path: Path, actions: int) -> None:
    """Whatever its size, as a folder and as an archive, nothing is found, and every signature was checked."""
    ledger = filled(actions)
    ledger.export(tmp_path / "folder")
    ledger.export(tmp_path / "one.zip")

    for place in (tmp_path / "folder", tmp_path / "one.zip"):
        report = checked(place)
        assert report.findings == []
        assert (report.verdict, report.exit_code) == ("verified", 0)
        assert (report.entries, report.signatures, report.actions) == (len(ledger.rows), len(ledger.rows), actions)
        assert report.disclosures == 3 * actions


@pytest.mark.proves("audit.trust_is_brought")
def test_without_a_key_it_is_only_said_to_agree_with_itself(honest: Path) -> None:
    """The keys of an export prove nothing about it: without the auditor's it does not end with 0, and says so."""
    report = checked(honest, keys=())

    assert (report.verdict, report.exit_code) == ("unvouched", 3)
    assert report.warnings[0].startswith("THE KEYS ARE THE EXPORT'S OWN")


@pytest.mark.proves("audit.trust_is_brought")
def test_another_key_than_the_logs_vouches_for_nothing(honest: Path) -> None:
    """A key under the log's name that is not the log's is a finding; one of another log is not looked at any further."""
    assert first(honest, keys=(brought(fresh(ORIGIN)),))[1].endswith("the wrong key file, or forged")
    with pytest.raises(alone.Refused, match="none of the keys you brought"):
        checked(honest, keys=(brought(fresh("another/log")),))


def test_what_was_selected_verifies_with_what_may_be_seen(tmp_path: Path) -> None:
    """One action and one kind of clear text: the log is whole, the rest is neither listed nor disclosed."""
    wish = Wish(selection=Selection(actions=frozenset({ActionId("a-3")})), disclosed=("toolArgs",))
    made = filled(9).export(tmp_path / "one", wish)

    assert checked(tmp_path / "one").verdict == "verified"
    assert (made.actions, made.disclosures, made.size) == (1, 1, 19)
    assert [each["action"] for each in lines_in(tmp_path / "one/actions.jsonl")] == ["a-3"]
    assert [each["index"] for each in lines_in(tmp_path / "one/disclosures.jsonl")] == [7]


@pytest.mark.proves("audit.verified_alone")
def test_it_is_one_file_that_needs_nothing_of_ours() -> None:
    """The verifier imports the standard library and PyNaCl alone, and knows the same moves as we do."""
    text = Path(alone.__file__).read_text("utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"nacl"}
    moves = {state: set(ways.values()) for state, ways in MOVES.items() if ways}
    assert {(state or "new"): set(ways) for state, ways in alone.MOVES.items()} == moves


def test_the_program_says_its_verdict_and_ends_with_it(honest: Path, tmp_path: Path) -> None:
    """As a program of its own: 0 with the key, 3 without, 4 when tampered with, 1 for what is no export."""
    keys = tmp_path / "keys"
    keys.write_text("".join(f"{each.line()}\n" for each in TRUSTED))
    broken = copied(honest, tmp_path / "broken")
    (broken / "checkpoint").write_bytes((broken / "checkpoint").read_bytes().replace(b"261", b"260"))
    script = str(Path(alone.__file__))

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-I", script, *words], capture_output=True, text=True, check=False)

    good = ran(str(honest), "--key", str(keys), "--json")
    assert (good.returncode, json.loads(good.stdout)["verdict"]) == (0, "verified")
    assert ran(str(honest)).returncode == 3
    assert ran(str(broken), "--key", str(keys)).returncode == 4
    assert ran(str(tmp_path / "none")).returncode == 1
    assert ran().returncode == 2


def test_what_was_brought_wrongly_is_no_word_about_the_export(honest: Path, tmp_path: Path) -> None:
    """A missing policy, another log's files, no key where one was named, a span that is none: 2, and a word that helps."""
    texts = {"keys": TRUSTED[0].line(), "empty": "", "other": fresh("another/log").verifier.vkey(), "words": "no key"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "marked").write_text(f"\ufeff{TRUSTED[0].line()}\n", encoding="utf-8")
    (tmp_path / "note").write_bytes((honest / "checkpoint").read_bytes().replace(b"test/log", b"another/log"))

    def ran(*words: str) -> tuple[int, str]:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            try:
                code = alone.main([str(honest), *words])
            except SystemExit as ended:
                code = int(str(ended.code))
        assert "VERIFY" not in out.getvalue() or code == 0
        return code, " ".join(out.getvalue().split())

    keys = ("--key", str(tmp_path / "keys"))
    for words, said in (
        ((*keys, "--max-age", "1h"), "say which witnesses with --policy"),
        ((*keys, "--max-age", "3600"), "`3600` is not a duration such as 90s, 1h30m or 30d"),
        ((*keys, "--skew", "0s"), "longer than nothing"),
        (
            (*keys, "--retained", str(tmp_path / "note")),
            "a checkpoint of `another/log`, and this export is of `test/log`",
        ),
        ((*keys, "--retained", str(tmp_path / "none")), "cannot be read"),
        (("--key", str(tmp_path / "empty")), "holds no key"),
        (("--key", str(tmp_path / "words")), "a key reads"),
        (("--key", str(tmp_path / "other")), "none of the keys you brought is that log's"),
        (("--key", str(tmp_path / "none")), "there is no such file"),
    ):
        code, told = ran(*words)
        assert (code, said in told) == (2, True), told
    assert ran("--key", str(tmp_path / "marked"), "--skew", "1m30s")[0] == 0
    code, told = ran("--help")
    assert code == 0
    assert all(each in told for each in ("(60s)", "Ends with 0", "may be repeated", "1h30m"))


def test_an_erasure_whose_part_is_no_number_is_found(tmp_path: Path) -> None:
    """As Interlock's own reader finds it."""
    ledger = filled(1)
    ledger.put("erased", "erasure", body={"part": "one", "covers": "1"})
    ledger.export(tmp_path / "odd")

    assert first(tmp_path / "odd") == ("entry 3", "what it says was erased: `part` is not a whole number")


def test_without_its_one_library_the_program_says_how_to_get_it(honest: Path) -> None:
    """No traceback: one line with the commands."""
    hidden = "import runpy, sys; sys.modules['nacl'] = None; sys.argv[1:] = ['.']; "
    hidden += "runpy.run_path({}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", hidden.format(repr(alone.__file__))],
        capture_output=True,
        text=True,
        check=False,
        cwd=honest,
    )

    assert done.returncode == 1
    assert "pip install pynacl" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_python_is_told_which_it_needs(honest: Path) -> None:
    """It can be parsed back to 3.8, and says in one line that it needs 3.11."""
    text = Path(alone.__file__).read_text("utf-8")
    ast.parse(text, feature_version=(3, 8))
    older = "import runpy, sys; sys.version_info, sys.version = (3, 9, 2), '3.9.2 (old)'; sys.argv[1:] = ['.']; "
    older += f"runpy.run_path({alone.__file__!r}, run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", older], capture_output=True, text=True, check=False, cwd=honest)

    assert done.returncode == 1
    assert done.stderr == "verify.py needs Python 3.11 or newer, and this is 3.9.2: run it with a newer one\n"


def test_it_can_be_read_first_and_piped(honest: Path) -> None:
    """From standard input it says all that it says otherwise, and that it could not compare itself."""
    with Path(alone.__file__).open() as script:
        done = subprocess.run(
            [sys.executable, "-I", "-", ".", "--key", TRUSTED[0].line()],
            stdin=script,
            capture_output=True,
            text=True,
            check=False,
            cwd=honest,
        )

    assert (done.returncode, done.stderr) == (0, "")
    assert "verify.py (not compared: this program did not come from a file)" in done.stdout


def test_a_checkpoint_that_went_through_another_system_is_read(honest: Path, tmp_path: Path) -> None:
    """Line ends of Windows in a kept checkpoint are as good as in keys and policies."""
    (tmp_path / "kept").write_bytes((honest / "checkpoint").read_bytes().replace(b"\n", b"\r\n"))
    options = alone.options_from([TRUSTED[0].line()], None, [tmp_path / "kept"], None, 0, 0)

    assert alone.verify_export(honest, options).verdict == "verified"


# -- tampering ------------------------------------------------------------------------------------------------------------

SIGNED = ("checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/0/001.p/5", "tile/entries/000", "tile/entries/001.p/5")


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("name", [*SIGNED, "disclosures.jsonl", "actions.jsonl"])
def test_a_changed_byte_is_found_wherever_it_is(honest: Path, tmp_path: Path, name: str) -> None:
    """In whatever the signatures cover, a flipped bit at any place is found, also by who wrote MANIFEST anew."""
    place = copied(honest, tmp_path / "changed")
    data = (place / name).read_bytes()
    step = max(1, len(data) // 5)
    missed: list[int] = []
    for at in (*range(0, len(data), step), len(data) - 1):
        (place / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        listed_again(place)
        if _verdict(place) == "verified":
            missed.append(at)

    assert missed == []


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("name", ["README.md", "verify.py", "records.jsonl", "export.json", "keys/log"])
def test_a_file_that_nobody_signed_is_held_against_the_manifest(honest: Path, tmp_path: Path, name: str) -> None:
    """A file that changed, is gone, or was added is found by the list of files."""
    place = copied(honest, tmp_path / "changed")
    data = (place / name).read_bytes()
    (place / name).write_bytes(data + b" ")
    assert checked(place).findings[-1] == (name, "it is not the file that MANIFEST lists")
    (place / name).write_bytes(data)
    (place / "more").write_bytes(b"")
    assert ("more", "it is not listed in MANIFEST") in checked(place).findings


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("name", [*SIGNED[1:], "MANIFEST", "disclosures.jsonl", "actions.jsonl"])
def test_a_file_that_is_gone_is_found(honest: Path, tmp_path: Path, name: str) -> None:
    """No file of the log can be left out, nor what was said to be in it."""
    place = copied(honest, tmp_path / "changed")
    (place / name).unlink()
    if name != "MANIFEST":
        listed_again(place)

    assert checked(place).verdict == "failed"


@pytest.mark.proves("audit.tampering_found")
def test_a_cut_and_signed_again_shows_to_who_kept_a_checkpoint(tmp_path: Path) -> None:
    """Whoever holds the keys can drop the end; only a checkpoint that somebody kept tells."""
    ledger = filled(5)
    kept = alone.note_of(ledger.checkpoint())
    del ledger.rows[-4:]
    ledger.export(tmp_path / "cut")

    assert checked(tmp_path / "cut").verdict == "verified"
    assert first(tmp_path / "cut", retained=(kept,)) == (
        "retained checkpoint of 11",
        "the export has only 7 entries: it is older than that checkpoint, or its end was cut off",
    )


@pytest.mark.proves("audit.tampering_found")
def test_another_log_under_the_same_checkpoint_is_found(tmp_path: Path) -> None:
    """Entries that are all signed, in tiles that are all right, are still not those whose root was signed."""
    told = filled(3)
    told.export(tmp_path / "told")
    other = filled(2)
    other.act("another")
    other.export(tmp_path / "other")
    place = copied(tmp_path / "other", tmp_path / "mixed")
    shutil.copy(tmp_path / "told/checkpoint", place)
    listed_again(place)

    assert first(place) == ("checkpoint", "its root is not that of these entries")


@pytest.mark.proves("audit.tampering_found")
def test_a_rewritten_past_shows_to_who_kept_a_checkpoint(tmp_path: Path) -> None:
    """A log that was written anew from some entry on is another one under the checkpoint kept before."""
    kept = alone.note_of(filled(5).checkpoint())
    other = filled(4)
    other.act("another")
    other.act("later")
    other.export(tmp_path / "other")

    assert first(tmp_path / "other", retained=(kept,))[1] == "its root is not that of these entries"
    fork = Ledger()
    fork.log = fresh(ORIGIN)
    fork.act("a")
    assert first(tmp_path / "other", retained=(alone.note_of(fork.checkpoint()),))[1].startswith(
        "it is not signed by this log"
    )


def _stream_gap(ledger: Ledger) -> None:
    ledger.put("opened", "task", skip=1)


def _after_close(ledger: Ledger) -> None:
    ledger.put("closed", "run", body={"entries": 6})
    ledger.put("opened", "task")


def _opened_twice(ledger: Ledger) -> None:
    ledger.put("opened", "run")
    ledger.put("opened", "run")


def _closed_too_early(ledger: Ledger) -> None:
    ledger.put("closed", "run", body={"entries": 9})


def _numbered_twice(ledger: Ledger) -> None:
    ledger.act("b")
    ledger.put("outcome", action="b", state="done", seq=2)


def _fact_left_out(ledger: Ledger) -> None:
    ledger.put("dispatching", action="b", state="dispatching", seq=2)


def _done_again(ledger: Ledger) -> None:
    ledger.act("b", state="failed")
    ledger.put("outcome", action="b", state="done")


def _no_intent(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="ready")
    ledger.put("outcome", action="b", state="done")


NEED = {"binding": "x", "requirements": [{"role": "lead", "quorum": 2, "policy": "p"}]}


def _word(binding: str = "x", role: str = "lead") -> dict[str, Any]:
    return {"verdict": "approve", "binding": binding, "roles": [role]}


def _too_few(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": NEED})
    ledger.put("approved", action="b", state="ready", body={"hold": NEED, "approvals": [_word(), _word(role="cook")]})


def _approval_moved(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": NEED})
    ledger.put("approved", action="b", state="ready", body={"hold": NEED, "approvals": [_word(), _word("y")]})


def _one_word_alone(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": NEED})
    ledger.put("approved", action="b", state="held", body={"approvals": [_word()]})
    ledger.put("approved", action="b", state="ready", body={"approvals": [_word(role="cook")]})


def _word_for_before(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": NEED})
    ledger.put("approved", action="b", state="held", body={"approvals": [_word()]})
    ledger.put("decided", action="b", state="held", body={"hold": {**NEED, "binding": "z"}})
    ledger.put("approved", action="b", state="ready", body={"approvals": [_word("z")]})


def _nobody_asked(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="ready")
    ledger.put("approved", action="b", state="dispatching", body={"approvals": [_word()]})


def _other_gate(ledger: Ledger) -> None:
    ledger.gate = fresh(f"{ORIGIN}/gate")
    ledger.act("b")


def _forged(ledger: Ledger) -> None:
    ledger.gate = fresh(f"{ORIGIN}/gate")
    ledger.gate.verifier = GATE.verifier
    ledger.act("b")


def _two_keys(ledger: Ledger) -> None:
    ledger.put("introduced", "key", body={"log": LOG.verifier.vkey(), "gate": GATE.verifier.vkey()})


WRONG: dict[str, tuple[Callable[[Ledger], None], str]] = {
    "a place of the stream is left out": (_stream_gap, "it is number 7 of stream `run-1`, after number 5"),
    "an entry after the end of its stream": (_after_close, "it stands in stream `run-1`, which was closed before"),
    "a stream is opened twice": (_opened_twice, "it opens stream `run-1` once more"),
    "a stream is closed with another count": (
        _closed_too_early,
        "it closes a stream of 9 entries, and is its number 6",
    ),
    "a fact is numbered like another": (_numbered_twice, "it is fact 2 of action `b`, after fact 2"),
    "a fact is left out": (_fact_left_out, "it is fact 2 of action `b`, after fact 0"),
    "what failed is done": (_done_again, "action `b` is done, which cannot follow on failed"),
    "it is done without an intent": (_no_intent, "action `b` is done without a recorded intent to act"),
    "too few of the right people": (_too_few, "it left `held` with 1 of 2 approvals by a `lead`"),
    "words told one by one, too few": (_one_word_alone, "it left `held` with 1 of 2 approvals by a `lead`"),
    "a word for what was asked before": (_word_for_before, "it left `held` with 1 of 2 approvals by a `lead`"),
    "an approval that nobody asked for": (_nobody_asked, "an approval of what nobody was asked"),
    "an approval of something else": (_approval_moved, "an approval is bound to something else than what was shown"),
    "another's signature under the gate's name": (_forged, "does not verify"),
    "another gate": (_other_gate, "whom nobody named as a gate"),
    "keys are introduced again": (_two_keys, "a key: keys are introduced by the first entry alone"),
}


@pytest.mark.proves("audit.tampering_found")
@pytest.mark.parametrize("what", WRONG)
def test_what_was_recorded_wrongly_is_found_although_it_is_signed(tmp_path: Path, what: str) -> None:
    """Whoever can append and sign still cannot tell what contradicts itself."""
    wrong, said = WRONG[what]
    ledger = filled(2)
    wrong(ledger)
    ledger.export(tmp_path / "wrong")

    place, problem = first(tmp_path / "wrong")
    assert place.startswith("entry ")
    assert problem.endswith(said)


# -- clear texts ------------------------------------------------------------------------------------------------------------


@pytest.mark.proves("audit.disclosures", "loss.acknowledged")
def test_a_loss_that_was_acknowledged_is_told(tmp_path: Path) -> None:
    """What two persons said to be lost is counted as that, in both verifiers; one that names what comes after it is found."""
    ledger = filled(3)
    ledger.rows[3] = _without(ledger.rows[3])
    ledger.put("acknowledged", "loss", body={"state": "acknowledged", "covers": "3"})
    ledger.export(tmp_path / "lost")
    ledger.note = ""
    ledger.put("acknowledged", "loss", body={"state": "acknowledged", "covers": f"{len(ledger.rows)}"})
    ledger.export(tmp_path / "odd")

    report = checked(tmp_path / "lost")
    assert (report.verdict, report.lost, report.erased) == ("verified", 1, 0)
    assert first(tmp_path / "odd")[1] == "what it says is lost: it covers what was not recorded before it"


@pytest.mark.proves("audit.disclosures")
def test_a_clear_text_that_is_missing_needs_an_erasure(tmp_path: Path) -> None:
    """Where all were to be there, one that is not there was erased under an entry, or is a finding."""
    ledger = filled(3)
    lost = ledger.rows[3]
    ledger.rows[3] = _without(lost)
    ledger.export(tmp_path / "lost")
    ledger.note = ""
    ledger.put("erased", "erasure", body={"covers": "3"})
    ledger.export(tmp_path / "erased")

    place, problem = first(tmp_path / "lost")
    assert (place, problem) == ("entry 3", "the clear text of `initiator` is missing, and no erasure says why")
    report = checked(tmp_path / "erased")
    assert (report.verdict, report.erased) == ("verified", 1)


def _without(entry: Any) -> Any:
    return type(entry)(**{name: getattr(entry, name) for name in entry.__struct_fields__} | {"disclosures": ()})


def _moved(lines: list[dict[str, Any]]) -> None:
    lines[0]["disclosure"], lines[3]["disclosure"] = lines[3]["disclosure"], lines[0]["disclosure"]


def _twice(lines: list[dict[str, Any]]) -> None:
    lines.insert(1, lines[0])


def _unordered(lines: list[dict[str, Any]]) -> None:
    lines.reverse()


def _of_nobody(lines: list[dict[str, Any]]) -> None:
    lines.append({**lines[-1], "index": 999})


def _no_text(lines: list[dict[str, Any]]) -> None:
    lines[0]["disclosure"] = "!"


@pytest.mark.proves("audit.disclosures")
@pytest.mark.parametrize("change", [_moved, _twice, _unordered, _of_nobody, _no_text])
def test_a_clear_text_counts_only_where_it_was_committed_to(
    honest: Path, tmp_path: Path, change: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Moved to another entry, given twice, out of order, of no entry, or no text at all: each is found."""
    place = copied(honest, tmp_path / "changed")
    lines = lines_in(place / "disclosures.jsonl")
    change(lines)
    (place / "disclosures.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    listed_again(place)

    assert checked(place).verdict == "failed"


# -- keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.proves("audit.keys_followed")
def test_keys_are_followed_from_the_first_that_is_trusted_and_from_a_later_one(tmp_path: Path) -> None:
    """Rotations that both keys signed are followed; each entry and the checkpoint count under the key of their place."""
    ledger = filled(2)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.act("b")
    later = fresh(ORIGIN)
    ledger.rotate("log", later)
    ledger.act("c")
    ledger.export(tmp_path / "rotated")

    assert checked(tmp_path / "rotated").verdict == "verified"
    assert checked(tmp_path / "rotated", keys=(brought(later),)).verdict == "verified"
    ledger.note = ledger.checkpoint(signer=LOG).decode()
    place = copied(tmp_path / "rotated", tmp_path / "old")
    (place / "checkpoint").write_text(ledger.note)
    listed_again(place)
    assert first(place)[1].startswith("it is not signed by a key of")


@pytest.mark.proves("audit.keys_followed")
@pytest.mark.parametrize("times", [2, 3])
def test_any_one_key_of_the_log_leads_through_all_its_rotations(tmp_path: Path, times: int) -> None:
    """The first, the newest or one between, brought alone, verifies the whole log, a lost one named; an older one's forgery
    does not pass for who brought a newer."""
    ledger = filled(1)
    keys = [LOG]
    for _ in range(times):
        keys.append(fresh(ORIGIN))
        ledger.rotate("log", keys[-1])
        ledger.act(f"after-{len(keys)}")
    ledger.put("retired", "key", body={"role": "log", "key": LOG.verifier.vkey(), "since": 2, "reason": "compromised"})
    ledger.export(tmp_path / "rotated")

    for each in keys:
        report = checked(tmp_path / "rotated", keys=(brought(each),), accept_suspect=True)
        assert (report.verdict, report.findings) == ("verified", [])
        assert [one["key"] for one in report.suspicions] == [brought(LOG).keyid()]
        assert set(report.log_keys) == {one.verifier.vkey() for one in keys}
    assert not any(
        "the log began" in each for each in checked(tmp_path / "rotated", keys=(brought(keys[-1]),)).warnings
    )

    for place, old in enumerate(keys[:-1]):
        forged = filled(2)
        for each in keys[1 : place + 1]:
            forged.rotate("log", each)
        forged.note = forged.checkpoint(signer=old).decode()
        forged.export(tmp_path / f"forged-{place}")
        kept = forged.checkpoint(1, signer=old)
        for newer in keys[place + 1 :]:
            found = checked(tmp_path / f"forged-{place}", keys=(brought(newer),))
            assert found.verdict == "failed"
            assert found.findings[0][1].startswith("it is not signed by a key of")
        retained = checked(tmp_path / f"forged-{place}", keys=(brought(keys[-1]),), retained=(alone.note_of(kept),))
        assert any(each[0] == "retained checkpoint of 1" for each in retained.findings)


@pytest.mark.proves("audit.keys_followed")
def test_the_key_before_counts_for_nothing_after_its_time(tmp_path: Path) -> None:
    """An entry that the old gate's key signs after it was replaced is found, and so is one by the new key before."""
    ledger = filled(1)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    ledger.gate = GATE
    ledger.act("b")
    ledger.export(tmp_path / "late")

    assert first(tmp_path / "late")[1].endswith("whose key was not in force there")


@pytest.mark.proves("audit.keys_followed")
@pytest.mark.parametrize("field", ["endorsement", "possession", "replaces"])
def test_a_change_of_keys_that_is_not_signed_by_both_changes_nothing(tmp_path: Path, field: str) -> None:
    """Without the old key's word, without the new one's, or in the place of another key, it is found."""
    wrong = fresh(f"{ORIGIN}/gate")
    text = {"replaces": wrong.verifier.vkey()}.get(field, b64encode(wrong.sign(b"")).decode())
    ledger = filled(1)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"), **{field: text})
    ledger.export(tmp_path / "forged")

    assert first(tmp_path / "forged")[1].startswith("a key: ")


@pytest.mark.proves("audit.keys_followed")
def test_what_stands_on_a_key_that_was_declared_lost_is_named(tmp_path: Path) -> None:
    """It does not end well unless the auditor accepts that; and only a key that was replaced can be declared lost."""
    ledger = filled(1)
    ledger.rotate("gate", fresh(f"{ORIGIN}/gate"))
    retired = {"role": "gate", "key": GATE.verifier.vkey(), "since": 2, "reason": "compromised"}
    ledger.put("retired", "key", body=retired)
    ledger.export(tmp_path / "lost")
    ledger.note = ""
    ledger.put("retired", "key", body=retired | {"key": ledger.gate.verifier.vkey()})
    ledger.export(tmp_path / "current")

    report = checked(tmp_path / "lost")
    assert (report.verdict, report.exit_code, report.findings) == ("suspect", 4, [])
    assert [(each["role"], each["first"], each["last"]) for each in report.suspicions] == [("gate", 2, 3)]
    assert checked(tmp_path / "lost", accept_suspect=True).exit_code == 0
    assert first(tmp_path / "current") == ("entry 5", "a key: it speaks of a key that was not replaced before it")


@pytest.mark.proves("audit.keys_followed")
def test_a_key_that_was_replaced_deceives_nobody_who_trusts_its_successor(tmp_path: Path) -> None:
    """Whoever stole the old key can write another past up to the very change of keys; who knows the new one sees it."""
    ledger = filled(1)
    ledger.rotate("log", fresh(ORIGIN))
    ledger.note = ledger.checkpoint(signer=LOG).decode()
    ledger.export(tmp_path / "stolen")

    assert checked(tmp_path / "stolen").verdict == "verified"
    assert first(tmp_path / "stolen", keys=(brought(ledger.log),))[1].startswith("it is not signed by a key of")
    assert first(tmp_path / "stolen", keys=(TRUSTED[0], brought(fresh(f"{ORIGIN}/gate"))))[0] == "keys"


# -- witnesses and time -------------------------------------------------------------------------------------------------


def _cosigned(note: bytes, *witnesses: SigningKey, at: int) -> bytes:
    body = note.partition(b"\n\n")[0] + b"\n"
    for each in witnesses:
        public = alone.Key(each.verifier.name, alone.COSIGNATURE, each.verifier.public)
        message = b"cosignature/v1\ntime %d\n" % (at // 1000) + body
        signature = (at // 1000).to_bytes(8, "big") + each.sign(message)
        note += signature_line(public.name, public.id(), signature)
    return note


def _policy(quorum: str) -> alone.Policy:
    lines = [
        f"witness w{n} {alone.Key(each.verifier.name, alone.COSIGNATURE, each.verifier.public).line()}"
        for n, each in enumerate(WITNESSES, 1)
    ]
    return alone.policy_of("\n".join([*lines, "group two 2 w1 w2 w3", f"quorum {quorum}", ""]))


@pytest.mark.proves("audit.quorum")
def test_a_quorum_of_witnesses_is_asked_for(tmp_path: Path) -> None:
    """Enough of the right witnesses make it; too few, a forged one, or one under another name do not."""
    ledger = filled(1)
    plain = ledger.checkpoint()
    forged = SigningKey(WITNESSES[1].verifier.name, b"x" * 32)

    def verdict(name: str, note: bytes, **options: Any) -> str:
        ledger.note = note.decode()
        ledger.export(tmp_path / name)
        return checked(tmp_path / name, policy=_policy("two"), **options).verdict

    assert verdict("two", _cosigned(plain, *WITNESSES[:2], at=BEGIN)) == "verified"
    assert verdict("one", _cosigned(plain, WITNESSES[0], at=BEGIN)) == "failed"
    assert verdict("forged", _cosigned(plain, WITNESSES[0], forged, at=BEGIN)) == "failed"
    assert verdict("none", plain) == "failed"


@pytest.mark.proves("audit.quorum")
def test_an_old_checkpoint_is_not_taken_for_a_recent_one(tmp_path: Path) -> None:
    """With a maximum age the quorum must have seen it since; without witnesses nobody can say how old it is."""
    ledger = filled(1)
    ledger.note = _cosigned(ledger.checkpoint(), *WITNESSES, at=BEGIN).decode()
    ledger.export(tmp_path / "aged")
    fresh_, stale = {"now_ms": BEGIN + MINUTE, "max_age_ms": 2 * MINUTE}, {"now_ms": BEGIN + MINUTE, "max_age_ms": 1}

    assert checked(tmp_path / "aged", policy=_policy("two"), **fresh_).verdict == "verified"
    assert first(tmp_path / "aged", policy=_policy("two"), **stale)[1].startswith("it is too old")
    assert first(tmp_path / "aged", **fresh_)[1].startswith("nobody outside says how old it is")


@pytest.mark.proves("audit.time_sandwich")
def test_each_entry_stands_between_the_times_of_the_anchors_around_it(tmp_path: Path) -> None:
    """A clock that was moved back or ahead is found at the first entry whose time its anchors contradict."""

    def anchored(name: str, moved: int) -> Path:
        ledger = filled(3)
        for _ in range(2):
            note = _cosigned(ledger.checkpoint(), *WITNESSES[:2], at=ledger.now)
            ledger.put("anchored", "anchor", body={"checkpoint": note.decode(), "cosignatures": 2})
            ledger.now += moved
            ledger.act(f"{name}-{len(ledger.rows)}")
            ledger.now -= moved
        ledger.export(tmp_path / name)
        return tmp_path / name

    assert checked(anchored("right", 0), policy=_policy("two")).verdict == "verified"
    right = checked(tmp_path / "right", policy=_policy("two"))
    assert (right.anchors, right.witnessed, right.size) == (2, 10, 13)
    assert any("the last 3 entries were seen by no quorum yet" in each for each in right.warnings)
    assert first(anchored("back", -60 * MINUTE), policy=_policy("two"))[0] == "entry 8"
    assert first(anchored("ahead", 60 * MINUTE), policy=_policy("two"))[0] == "entry 8"
    # Without a policy nobody vouches for the witnesses: their times count for nothing, and that is said.
    assert any("anchors" in each for each in checked(tmp_path / "ahead").warnings)


@pytest.mark.proves("audit.time_sandwich")
def test_an_anchor_over_another_log_is_found(tmp_path: Path) -> None:
    """What witnesses saw must be the beginning of this log."""
    ledger = filled(2)
    other = filled(1)
    other.act("another")
    ledger.put("anchored", "anchor", body={"checkpoint": other.checkpoint().decode(), "cosignatures": 0})
    ledger.export(tmp_path / "forked")

    assert first(tmp_path / "forked")[1] == "it anchors another log of 5 entries than this one"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum",
        "quorum nobody",
        "group g 1 w\nquorum g",
        "witness w x\nquorum w",
        "quorum none\nquorum none",
        "x y",
    ],
)
def test_a_policy_that_cannot_be_met_as_written_is_refused(text: str) -> None:
    """Unknown words, unknown names, no quorum: refused, never taken for none."""
    with pytest.raises(alone.Wrong):
        alone.policy_of(text)


# -- bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.proves("audit.bad_input")
@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b"[NaN]",
        b"[1.5]",
        b"[" * 100_000,
        b"1" * 5000,
        b'{"a":',
        b"\xff",
        b"[Infinity]",
        b'["\\ud800"]',
    ],
)
def test_json_that_readers_could_differ_on_is_refused(text: bytes) -> None:
    """Repeated keys, NaN, floats, depth, huge integers, cut off, no UTF-8: one kind of refusal, and no other error."""
    with pytest.raises(alone.Wrong):
        alone.strict(text)


@pytest.mark.proves("audit.bad_input")
@pytest.mark.parametrize(
    "name", ["checkpoint", "export.json", "actions.jsonl", "disclosures.jsonl", "tile/entries/000.p/3"]
)
@pytest.mark.parametrize("data", [b"", b"\0" * 64, b"{}\n", b"[" * 100_000, b"\xff\xfe\n\n", b'{"index":1e9}\n'])
def test_a_file_of_rubbish_is_a_finding_or_a_refusal(small: Path, tmp_path: Path, name: str, data: bytes) -> None:
    """Whatever stands in a file, the verifier ends with a verdict or a typed refusal, never with another error."""
    place = copied(small, tmp_path / "bad")
    (place / name).write_bytes(data)
    listed_again(place)

    assert _verdict(place) in ("failed", "not_an_export", "too_large", "missing")


def _verdict(place: Path) -> str:
    try:
        return checked(place).verdict
    except alone.Refused as refused:
        return refused.code


@pytest.mark.proves("audit.bad_input")
def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A file of a gigabyte in the place of a small one is refused in little memory."""
    filled(1).export(tmp_path / "huge")
    with (tmp_path / "huge/checkpoint").open("wb") as file:
        file.truncate(1 << 30)

    with pytest.raises(alone.Refused) as refused:
        checked(tmp_path / "huge")
    assert refused.value.code == "too_large"


@pytest.mark.proves("audit.bad_input")
def test_an_archive_made_to_burst_is_refused(tmp_path: Path) -> None:
    """A file of zeros in an archive, a thousand times its packed size, is refused before it is unpacked."""
    place = tmp_path / "bomb"
    filled(1).export(place)
    (place / "zeros").write_bytes(bytes(10_000_000))
    listed_again(place)
    shutil.make_archive(str(place), "zip", place)

    assert _verdict(tmp_path / "bomb.zip") == "too_large"


@pytest.mark.proves("audit.bad_input")
def test_an_export_leads_nowhere_outside_of_itself(tmp_path: Path) -> None:
    """A link out of the folder, a pipe in it, an archive with two files of one name, one that is cut off: refused."""
    ledger = filled(1)
    ledger.export(tmp_path / "linked")
    (tmp_path / "linked/keys/log").unlink()
    (tmp_path / "linked/keys/log").symlink_to("/etc/hostname")
    ledger.export(tmp_path / "piped")
    (tmp_path / "piped/checkpoint").unlink()
    os.mkfifo(tmp_path / "piped/checkpoint")
    ledger.export(tmp_path / "good.zip")
    data = (tmp_path / "good.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("checkpoint", "a")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("checkpoint", "b")

    for name in ("linked", "piped", "cut.zip", "two.zip", "none"):
        with pytest.raises(alone.Refused):
            checked(tmp_path / name, keys=())


def test_nothing_of_an_export_moves_the_cursor() -> None:
    """What is printed of an export holds no control characters."""
    report = alone.Report(export="b")
    report.found("entry 1", "`\x1b[2J` is no time in UTC")
    assert "\x1b" not in alone.told(report)
    assert alone.safe("a\x1b[31mb\nc") == "a\\u001b[31mb\\u000ac"
