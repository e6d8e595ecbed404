"""The log's files against aics-tlog, and its checkpoints before a witness that is not ours: aics-witness."""

import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import anyio
import msgspec
import pytest

from interlock.domain.merkle import consistency_proof
from interlock.domain.tiles import TileId, hash_from_tiles
from tests.domain.logs import KEYS, OpenLog, filled
from tests.foreign.files import EARLIER, SIZE, TAMPERS, Files, copied
from tests.foreign.programs import HERE, ask, brought

VKEY = KEYS.log.verifier.vkey()


@pytest.mark.proves("evidence.foreign_programs")
def test_aics_tlog_agrees_and_rejects_what_was_worked_on(files: Files, tmp_path: Path) -> None:
    """The untouched log is good to its last entry, and each that was worked on is not."""
    python = brought("aics/bin/python")
    folders = [files.folder]
    for number, tamper in enumerate(TAMPERS.values()):
        folders.append(copied(files, tmp_path / f"{number}"))
        tamper(folders[-1])

    found = ask(python, HERE / "aics_check.py", VKEY, *folders)
    verdicts = [msgspec.json.decode(line) for line in found.out.splitlines()]

    assert found.code == 0, found.err
    assert verdicts[0] == {"size": SIZE}
    assert [how for how, said in zip(TAMPERS, verdicts[1:], strict=True) if "error" not in said] == []


class Witness(msgspec.Struct, frozen=True):
    """A running witness."""

    url: str
    vkey: str

    def asked(self, old: int, log: OpenLog, *, proof: tuple[bytes, ...] | None = None) -> tuple[int, str]:
        """Status and body of the answer to `POST /add-checkpoint` with the log's head."""

        def read(tile: TileId) -> bytes:
            return anyio.run(log.tile, tile.level, tile.n, tile.width) or b""

        size = len(log.rows)
        if proof is None:
            proof = consistency_proof(old, size, hash_from_tiles(size, read)) if old <= size else ()
        lines = [f"old {old}", *(b64encode(each).decode() for each in proof), "", log.note or ""]
        request = urllib.request.Request(f"{self.url}/add-checkpoint", data="\n".join(lines).encode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(name="witness")
def _witness(tmp_path: Path) -> Iterator[Witness]:
    program = brought("aics/bin/aics-witness")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    config = ("--config", tmp_path / "witness.json")
    begun = ask(program, "init", *config, "--name", "witness.example/w1", "--listen", listen)
    assert begun.code == 0, begun.err
    added = ask(program, "add-log", *config, "--origin", KEYS.log.verifier.name, "--vkey", VKEY)
    assert added.code == 0, added.err
    running = subprocess.Popen(
        [program, "serve", *map(str, config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(listen, running)
        yield Witness(f"http://{listen}", begun.out.strip())
    finally:
        running.kill()
        running.wait()


def _wait(listen: str, running: "subprocess.Popen[bytes]") -> None:
    host, port = listen.split(":")
    for _ in range(200):
        assert running.poll() is None
        with socket.socket() as tried:
            if tried.connect_ex((host, int(port))) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the witness did not answer")


@pytest.mark.proves("evidence.foreign_programs")
def test_a_witness_of_others_cosigns_growth_and_refuses_the_rest(witness: Witness, tmp_path: Path) -> None:
    """A witness cosigns what grew; it refuses a shorter log, another history of the same or of a greater size, and a
    proof that shows nothing, all of them signed with the log's own key; and aics-tlog counts its cosignature."""
    log, fork, shorter = filled(EARLIER), OpenLog(KEYS), filled(EARLIER - 1)
    for n in range(SIZE):
        fork.add(f"b-{n % 5}", f"run-{n % 3}", toolArgs={"n": n})
    fork.close()

    assert witness.asked(0, log)[0] == 200
    for n in range(EARLIER, SIZE):
        log.add(f"a-{n % 5}", f"run-{n % 3}", toolArgs={"n": n})
    status, line = witness.asked(EARLIER, log.close())
    assert (status, bool(re.fullmatch(r"\u2014 witness.example/w1 \S+\n", line))) == (200, True)
    assert witness.asked(SIZE, shorter)[0] in {400, 409, 422}
    assert witness.asked(SIZE, fork)[0] in {409, 422}
    fork.add("b-1", toolArgs={"n": 0})
    assert witness.asked(SIZE, fork.close())[0] in {409, 422}
    assert witness.asked(EARLIER, log, proof=())[0] in {400, 409, 422}

    cosigned = tmp_path / "cosigned"
    cosigned.write_text((log.note or "") + line)
    command = (brought("aics/bin/aics-tlog"), "verify-checkpoint", "--note", cosigned, "--log-key", VKEY)
    assert ask(*command, "--witness-key", witness.vkey, "--quorum", "1", "--max-age", "60").code == 0
    cosigned.write_text(log.note or "")
    assert ask(*command, "--witness-key", witness.vkey, "--quorum", "1").code == 1
