"""The log's files, held against the Go team's packages for signed notes and transparency logs (golang.org/x/mod/sumdb)."""

from pathlib import Path

import pytest

from interlock.adapters.keys import fresh
from tests.domain.logs import KEYS, filled
from tests.foreign.files import SIZE, TAMPERS, Files, copied, cut, forked, proof_of, write
from tests.foreign.programs import ask

VKEY = KEYS.log.verifier.vkey()


@pytest.mark.proves("evidence.foreign_programs")
def test_go_agrees_with_every_entry_tile_and_signature(go: Path, files: Files) -> None:
    """An untouched log is good, and continues what it was."""
    found = ask(go, "log", files.folder, VKEY, files.earlier)

    assert (found.code, found.out) == (0, f"{SIZE} entries\n"), found.err


@pytest.mark.proves("evidence.foreign_programs")
@pytest.mark.parametrize("size", [1, 255, 256, 257])
def test_go_agrees_at_the_edges_of_tiles(go: Path, tmp_path: Path, size: int) -> None:
    """A log that just fills a tile, just does not, or has one entry is good."""
    write(filled(size), tmp_path)

    assert ask(go, "log", tmp_path, VKEY).out == f"{size} entries\n"


@pytest.mark.proves("evidence.foreign_programs")
@pytest.mark.parametrize("how", TAMPERS)
def test_go_rejects_what_was_worked_on(go: Path, files: Files, tmp_path: Path, how: str) -> None:
    """Whatever somebody without the log's key does to the files, Go says no."""
    folder = copied(files, tmp_path / "log")
    TAMPERS[how](folder)

    found = ask(go, "log", folder, VKEY)

    assert (found.code, found.out) == (1, ""), how
    assert found.err


@pytest.mark.proves("evidence.foreign_programs")
@pytest.mark.parametrize("how", [forked, cut])
def test_go_rejects_another_history_by_the_same_key(go: Path, files: Files, tmp_path: Path, how: object) -> None:
    """With the log's key a history can be rewritten, and an earlier checkpoint that was kept shows it."""
    folder = copied(files, tmp_path / "log")
    assert callable(how)
    how(folder)

    assert ask(go, "log", folder, VKEY).code == 0
    assert ask(go, "log", folder, VKEY, files.earlier).code == 1


@pytest.mark.proves("evidence.foreign_programs")
@pytest.mark.parametrize("index", [0, 255, 256, 511, SIZE - 1])
def test_go_agrees_with_a_proof_file(go: Path, files: Files, tmp_path: Path, index: int) -> None:
    """A proof file shows its entry, no other one, and nothing to somebody who trusts another key."""
    proof, entry, other = tmp_path / "proof", tmp_path / "entry", tmp_path / "other"
    proof.write_bytes(proof_of(files.log, index))
    entry.write_bytes(files.log.rows[index].leaf)
    other.write_bytes(files.log.rows[index - 1].leaf)

    assert ask(go, "proof", proof, entry, VKEY).out == f"entry {index} of {SIZE}\n"
    assert ask(go, "proof", proof, other, VKEY).code == 1
    assert ask(go, "proof", proof, entry, fresh(KEYS.log.verifier.name).verifier.vkey()).code == 1
