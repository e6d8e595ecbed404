"""`interlock log`: the log as others are shown it, and proofs that somebody takes along."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import interlock
from interlock.domain.entry_proof import parse_entry_proof
from interlock.domain.log_files import BundleId
from interlock.domain.merkle import leaf_hash, root_of
from interlock.domain.note import parse_checkpoint, parse_note
from interlock.domain.tiles import decode_bundle, tiles_of
from tests.cli.shell import PATIENCE_S, Shell
from tests.cli.test_witness import served
from tests.workspaces import workspace


def whole(folder: Path) -> int:
    """How many entries a folder shows, whose bundles were read and lead to the root."""
    shown = parse_checkpoint(parse_note((folder / "checkpoint").read_bytes()).text)
    leaves: list[bytes] = []
    for tile in tiles_of(shown.size):
        hashes = (folder / tile.path()).read_bytes()
        if tile.level == 0:
            bundle = decode_bundle((folder / BundleId(n=tile.n, width=tile.width).path()).read_bytes())
            leaves += map(leaf_hash, bundle)
            assert hashes == b"".join(leaves[tile.n * 256 :])
    assert root_of(leaves) == shown.root
    return shown.size


def keys(shell: Shell) -> tuple[str, str, str, str]:
    """The options that name the public keys."""
    folder = shell.place.folder / ".interlock" / "keys"
    log, gate = ((folder / name).read_text().strip() for name in ("log.pub", "gate.pub"))
    return "--log-key", log, "--gate-key", gate


@pytest.mark.proves("log.published_whole")
def test_publishing_follows_the_log(shell: Shell, tmp_path: Path) -> None:
    """What was recorded since is shown by the next publication; without anything new it says so and writes nothing."""
    out = tmp_path / "out"
    shell.proposed(1)
    first = shell.json("log", "publish", str(out))
    assert first["size"] == shell.json("log", "head")["size"] == whole(out)
    shell.proposed(2)
    second = shell.json("log", "publish", str(out))

    assert (second["before"], second["size"]) == (first["size"], whole(out))
    assert "all" in shell("log", "publish", str(out)).out
    assert shell.json("log", "publish", str(out))["files"] == 0


@pytest.mark.proves("log.serves_nothing_else")
def test_what_shows_the_log_leaves_the_vault_alone(shell: Shell, tmp_path: Path) -> None:
    """Whoever shows the log to strangers opens no clear text: it goes on where the vault cannot be opened at all."""
    shell.proposed(1)
    assert shell("log", "publish", str(tmp_path / "before")).code == 0
    vault = shell.place.folder / ".interlock" / "keys.db"
    vault.write_bytes(b"no database" * 1000)
    for beside in ("-wal", "-shm"):
        vault.with_name(vault.name + beside).unlink(missing_ok=True)

    assert shell("packet", "outcome").code == 3
    assert shell("log", "publish", str(tmp_path / "after")).code == 0
    assert shell("log", "consistency", "1").code == 0
    assert (tmp_path / "after" / "checkpoint").read_bytes() == (tmp_path / "before" / "checkpoint").read_bytes()


def test_an_archive_is_made_once(shell: Shell, tmp_path: Path) -> None:
    """A `.zip` that exists is the user's to deal with."""
    assert shell("log", "publish", str(tmp_path / "log.zip")).code == 0
    said = shell.json("log", "publish", str(tmp_path / "log.zip"), code=1)

    assert "exists already" in said["error"]["detail"]


def test_an_older_checkpoint_can_be_shown(shell: Shell, tmp_path: Path) -> None:
    """The log can be shown up to a checkpoint that somebody has, not only up to its head; what is none is refused."""
    kept = tmp_path / "kept"
    shell("log", "head", "--out", str(kept))
    shell.proposed(1)
    made = shell.json("log", "publish", str(tmp_path / "out"), "--checkpoint", str(kept))

    assert made["size"] == whole(tmp_path / "out") < shell.json("log", "head")["size"]
    kept.write_text("nothing")
    assert shell("log", "publish", str(tmp_path / "out"), "--checkpoint", str(kept)).code == 4


@pytest.mark.proves("log.shows_one_history")
def test_a_folder_of_another_installation_is_evidence(shell: Shell, tmp_path: Path) -> None:
    """A log that does not continue what is shown ends with the code of evidence."""
    out = tmp_path / "out"
    shell.proposed(1)
    shell("log", "publish", str(out))
    note = (out / "checkpoint").read_text().splitlines(keepends=True)
    (out / "checkpoint").write_text("".join([note[0], "1\n", *note[2:]]))

    said = shell.json("log", "publish", str(out), code=4)
    assert said["error"]["code"] == "integrity"


@pytest.mark.proves("log.entry_proof")
def test_a_proof_is_checked_without_the_workspace(shell: Shell, tmp_path: Path) -> None:
    """A proof that was written by one is checked by another, who has the file and two public keys."""
    action = shell.proposed(1)
    file = tmp_path / "a.tlog-proof"
    made = shell.json("log", "proof", action, "--out", str(file))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = shell.json("-w", str(elsewhere), "log", "check", str(file), *keys(shell))

    assert (said["ok"], said["proof"]) == (True, made)
    assert (made["action_id"], made["phase"]) == (action, "outcome")
    assert shell("log", "check", str(file)).code == 0


def test_running_an_action_leaves_its_proof(shell: Shell, tmp_path: Path) -> None:
    """Whatever becomes of an action, `run --proof` leaves the file; one that cannot be written is refused before anything."""
    file = tmp_path / "a.tlog-proof"
    for n, code, phase in ((1, 0, "outcome"), (500, 6, "decided"), (5000, 5, "decided")):
        said = shell("run", "box.put", "--agent", "ag", "--args", json.dumps({"n": n}), "--proof", str(file))
        assert said.code == code
        assert parse_entry_proof(file.read_bytes()).phase == phase
        assert shell("log", "check", str(file)).code == 0
    before = shell.place.effects()
    nowhere = shell("run", "box.put", "--agent", "ag", "--args", '{"n": 2}', "--proof", str(tmp_path / "no" / "where"))

    assert nowhere.code == 3
    assert shell.place.effects() == before


def test_a_proof_is_printed_as_it_is(shell: Shell) -> None:
    """Without a file to write the proof itself is what is printed, for a pipe."""
    shell.proposed(1)
    said = shell("log", "proof", "2")

    assert parse_entry_proof(said.out.encode()).index == 2


@pytest.mark.proves("log.entry_proof")
def test_a_changed_proof_does_not_hold(shell: Shell, tmp_path: Path) -> None:
    """A proof that was worked on, or checked with keys of others, ends with the code of evidence."""
    file = tmp_path / "a.tlog-proof"
    shell.proposed(1)
    shell("log", "proof", "0", "--out", str(file))
    text = file.read_text()
    file.write_text(text.replace("index 0\n", "index 1\n"))
    assert shell.json("log", "check", str(file), code=4)["ok"] is False
    file.write_text(text)
    log_key, log, gate_key, gate = keys(shell)

    assert shell("log", "check", str(file), log_key, log, log_key, log, gate_key, gate).code == 0
    assert shell.json("log", "check", str(file), log_key, log, code=2)["error"]["detail"].startswith("a proof is held")
    said = shell.json("log", "check", str(file), log_key, "x", gate_key, gate, code=2)["error"]["detail"]
    assert said == "`--log-key`: `x` is no public key: there is no such file"
    for first, second, which in ((log, log, "gate.pub"), (gate, gate, "log.pub")):
        error = shell.json("log", "check", str(file), log_key, first, gate_key, second, code=2)["error"]
        assert f"give `.interlock/keys/{which}`" in error["next"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("proof", "99"), 1),
        (("proof", "nobody"), 1),
        (("proof", "0", "--checkpoint", "missing"), 1),
        (("check", "missing"), 1),
        (("check", "people.yaml"), 1),
        (("consistency", "99"), 1),
        (("consistency", "3", "2"), 1),
        (("consistency", "people.yaml"), 1),
        (("consistency", "missing"), 1),
        (("publish", "people.yaml"), 3),
        (("serve", "--host", "192.0.2.1", "--port", "0"), 1),
    ],
)
def test_what_cannot_be_is_said_in_one_shape(shell: Shell, words: tuple[str, ...], code: int) -> None:
    """A mistake gives one JSON value with what to do next, and never a traceback."""
    words = tuple(str(shell.place.folder / word) if word in ("people.yaml", "missing") else word for word in words)
    said = shell.json("log", *words, code=code)

    assert said["error"]["next"]


def test_an_empty_log_has_no_head(tmp_path: Path) -> None:
    """Before anything was recorded there is nothing to keep, show or prove."""
    fresh = Shell(workspace(tmp_path / "fresh"))

    for words in (("head",), ("publish", str(tmp_path / "out")), ("proof", "0")):
        assert fresh.json("log", *words, code=3)["error"]["code"] == "store_missing"


@pytest.mark.proves("log.continues")
def test_the_log_continues_a_checkpoint_that_was_kept(shell: Shell, tmp_path: Path) -> None:
    """A kept checkpoint and any size before now are shown to be the log's beginning, in the form a witness asks for."""
    kept, out = tmp_path / "kept", tmp_path / "body"
    shell("log", "head", "--out", str(kept))
    size = shell.json("log", "head")["size"]
    shell.proposed(1)
    made = shell.json("log", "consistency", str(kept), "--out", str(out))

    assert (made["old"], made["new"]) == (size, shell.json("log", "head")["size"])
    head = shell.json("log", "head")["checkpoint"]
    assert out.read_text() == "\n".join([f"old {size}", *made["hashes"], "", head])
    assert shell.json("log", "consistency", "0", str(kept))["hashes"] == []
    assert "begin with" in shell("log", "consistency", "1", "2").out
    assert shell("log", "consistency", "1", "2", "--out", str(out)).code in (0, 1)


@pytest.mark.proves("log.shows_one_history", "log.entry_proof")
def test_a_log_whose_keys_were_replaced_is_shown_and_proven(shell: Shell, tmp_path: Path) -> None:
    """After both keys were rotated the log is shown on, kept checkpoints are continued, and proofs hold with the new keys;
    one that was made before holds with the old ones."""
    shell.proposed(1)
    out, kept = tmp_path / "out", tmp_path / "kept"
    before, after = tmp_path / "before.tlog-proof", tmp_path / "after.tlog-proof"
    shell("log", "publish", str(out))
    shell("log", "head", "--out", str(kept))
    shell("log", "proof", "0", "--out", str(before))
    old = keys(shell)
    assert shell("keys", "rotate", "--as", "ana", "--why", "x").code == 0
    action = shell.proposed(2)

    assert shell.json("log", "publish", str(out))["size"] == whole(out) == shell.json("log", "head")["size"]
    assert shell("log", "consistency", str(kept)).code == 0
    assert shell("log", "proof", action, "--out", str(after)).code == 0
    assert shell("log", "check", str(after)).code == 0
    assert shell("log", "check", str(after), *old).code == 4
    assert shell("log", "check", str(before), *old).code == 0
    assert shell("log", "check", str(before)).code == 4
    stale = shell("log", "check", str(before))
    assert (stale.code, "rotated" in stale.out, "retired" in stale.out) == (4, True, True)


@pytest.mark.proves("log.entry_proof", "log.published_whole")
def test_what_others_cosigned_can_be_shown_and_proven(shell: Shell, tmp_path: Path) -> None:
    """With a witness, the log is shown and its entries are proven under the checkpoint that it cosigned, and whoever demands
    that cosignature is not content with less."""
    out, file, policy = tmp_path / "out", tmp_path / "a.tlog-proof", tmp_path / "policy"
    assert shell.json("log", "publish", str(out), "--anchored", code=1)["error"]["next"].startswith("anchor one")
    witness = shell.json("witness", "init", str(tmp_path / "w"), "--name", "w.example/w1", "--log", keys(shell)[1])[
        "vkey"
    ]
    policy.write_text(f"witness w1 {witness}\ngroup all any w1\nquorum all\n")
    action = shell.proposed(1)
    with served(tmp_path / "w") as address:
        shell.place.change("interlock.yaml", lambda text: f"{text}witnesses: [{{url: '{address}', key: {witness}}}]\n")
        assert shell("log", "anchor").code == 0
    later = shell.proposed(2)

    made = shell.json("log", "publish", str(out), "--anchored")
    assert made["size"] == whole(out) < shell.json("log", "head")["size"]
    assert "w.example/w1" in (out / "checkpoint").read_text()
    assert shell.json("log", "proof", action, "--anchored", "--out", str(file))["size"] == made["size"]
    assert shell.json("log", "check", str(file), "--policy", str(policy))["cosigners"] == ["w.example/w1"]
    assert "anchor again" in shell.json("log", "proof", later, "--anchored", code=1)["error"]["next"]
    with interlock.open(shell.place.folder) as client:
        assert client.proof(action, anchored=True, agent="ag").text == file.read_text()
    shell("log", "proof", action, "--out", str(file))
    assert "nobody has cosigned" in shell.json("log", "check", str(file), "--policy", str(policy), code=4)["problem"]
    assert shell("log", "proof", action, "--anchored", "--checkpoint", str(out / "checkpoint")).code == 2


@pytest.mark.proves("log.continues")
def test_a_checkpoint_of_more_than_there_is_is_evidence(shell: Shell, tmp_path: Path) -> None:
    """Where the log has fewer entries than a kept checkpoint its end was cut off: that is not a mistake of the caller's."""
    store = shell.place.folder / ".interlock" / "interlock.db"
    kept, before = tmp_path / "kept", store.read_bytes()
    shell.proposed(1)
    shell("log", "head", "--out", str(kept))
    store.write_bytes(before)
    for beside in ("-wal", "-shm"):
        store.with_name(store.name + beside).unlink(missing_ok=True)

    assert (
        "an older copy, or its end was cut off"
        in shell.json("log", "consistency", str(kept), code=4)["error"]["detail"]
    )


def test_a_server_that_is_not_installed_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the command says what to install."""
    monkeypatch.setitem(sys.modules, "interlock.api.serving", None)

    assert "interlock[server]" in shell.json("log", "serve", code=3)["error"]["next"]


@pytest.mark.proves("log.served")
def test_the_server_serves_what_is_recorded_meanwhile(shell: Shell) -> None:
    """The real program serves the log as it grows, and Ctrl-C ends it without an error."""
    server = subprocess.Popen(
        [sys.executable, "-m", "interlock", "-w", str(shell.place.folder), "log", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[4].rstrip(";")
        sizes: list[int] = []
        for n in (1, 2):
            shell.proposed(n)
            with urllib.request.urlopen(f"{address}checkpoint", timeout=PATIENCE_S) as answer:
                sizes.append(parse_checkpoint(parse_note(answer.read()).text).size)
        os.kill(server.pid, signal.SIGINT)
        _, errors = server.communicate(timeout=PATIENCE_S)
    finally:
        server.kill()

    assert (server.returncode, errors) == (0, "")
    assert sizes[0] < sizes[1] == shell.json("log", "head")["size"]
