"""After an erasure: the index forgets, the export says what is erased and verifies, and what is gone is not decided again."""

from pathlib import Path

import apsw
import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell


def _words(index: Path) -> int:
    """How many postings about persons and records there are."""
    connection = apsw.Connection(str(index))
    try:
        found: int = connection.execute("SELECT count(*) FROM private").get
        return found
    finally:
        connection.close()


@pytest.mark.proves("audit.disclosures", "audit.query_forgets", "audit.replayed")
def test_what_was_erased_is_told_as_such_everywhere(shell: Shell, tmp_path: Path) -> None:
    """Found by its agent and by no person; exported and verified without its clear texts; replayed as far as it goes."""
    shell.proposed(10)
    (hit,) = shell.json("audit", "query")["hits"]
    person = hit["initiator"]
    assert len(shell.json("audit", "query", "--initiator", person)["hits"]) == 1
    proposed = shell("--as", "rita", "erase", "--subject", person, "--propose", "--why", "asked", "--json").json()
    index = next(shell.place.folder.rglob("*.audit"))
    before = _words(index)
    assert shell("--as", "ria", "erase", "--accept", proposed["erasure"]).code == Exit.OK
    assert _words(index) < before

    assert shell.json("audit", "query", "--initiator", person)["hits"] == []
    (after,) = shell.json("audit", "query", "--agent", hit["agent"])["hits"]
    assert (after["action"], after["initiator"]) == (hit["action"], "")
    (one,) = shell.json("replay", hit["action"])["replayed"]
    assert one["skipped"] == "what it was asked with is erased"
    shell.json("audit", "export", str(tmp_path / "made"), "--disclose", "all")
    keys = str(shell.place.folder / ".interlock/keys/log.pub")
    found = shell("audit", "verify", str(tmp_path / "made"), "--key", keys, "--json").json()
    assert (found["verdict"], found["findings"]) == ("verified", [])
    assert found["erased"] > 0
    assert shell("verify").code == Exit.OK
    text = b"".join(each.read_bytes() for each in (tmp_path / "made").rglob("*") if each.is_file())
    assert person.encode() not in text
