"""`witnesses`, `quorum`, `timestamps` and `anchor_every` in interlock.yaml: read, or refused with their place."""

from pathlib import Path

import pytest

from interlock.adapters.workspace import read_workspace
from interlock.adapters.workspace.anchors_file import Anchorage
from interlock.domain.cosignature import CosignerKey
from interlock.domain.note import VerifierKey

KEYS = [CosignerKey(name=f"w{n}.example", public=bytes([n]) * 32).vkey() for n in range(2)]
LOG = VerifierKey(name="a.example/log", public=bytes(32)).vkey()
TWO = "witnesses:\n" + "".join(f"  - {{url: 'https://w.example/', key: {key}}}\n" for key in KEYS)


def _read(folder: Path, text: str) -> tuple[object, list[str]]:
    (folder / "interlock.yaml").write_text(text)
    found = read_workspace(folder)
    return found.settings.anchorage, [
        f"{each.line}: {each.message}" for each in found.problems if each.severity == "error"
    ]


def test_witnesses_are_read_with_their_quorum(tmp_path: Path) -> None:
    """All must agree unless it is said how many; without witnesses nobody is asked."""
    keys = [CosignerKey(name=f"w{n}.example", public=bytes([n]) * 32) for n in range(2)]
    anchorage = Anchorage()
    for text, enough in ((TWO, 2), (TWO + "quorum: 1\nanchor_every: 1m\n", 1)):
        _, wrong = _read(tmp_path, text)
        assert wrong == []
        anchorage = read_workspace(tmp_path).settings.anchorage
        assert [anchorage.policy.met(keys[:count]) for count in range(3)] == [False, enough == 1, True]
        assert anchorage.wanted
    assert anchorage.every_ms == 60_000
    _read(tmp_path, "tenant: t\n")
    assert not read_workspace(tmp_path).settings.anchorage.wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO + "quorum: 3\n", "4: 3 of 2 witnesses can never agree"),
        (TWO + "quorum: 0\n", "4: `quorum` must be from 1"),
        ("quorum: 1\n", "1: a `quorum` needs `witnesses`"),
        ("anchor_every: 1m\n", "1: `anchor_every` needs"),
        (f"witnesses: [{{url: 'w.example', key: {KEYS[0]}}}]\n", "1: `url` must begin with"),
        (f"witnesses: [{{key: {KEYS[0]}}}]\n", "1: `url` is missing"),
        ("witnesses: [{url: 'https://w.example/'}]\n", "1: `key` is missing"),
        (f"witnesses: [{{url: 'https://w.example/', key: {LOG}}}]\n", "1: `key` is not the public key of a witness"),
        (TWO + f"  - {{url: 'https://x.example/', key: {KEYS[0]}}}\n", "4: this witness is there twice"),
        ("timestamps: {url: 'https://tsa.example/', certificates: none.pem}\n", "1: there is no file `none.pem`"),
        ("timestamps: {url: 'https://tsa.example/'}\n", "1: `certificates` is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """A quorum that cannot be met, another kind of key, a place that is none: each is an error before anything runs."""
    _, wrong = _read(tmp_path, text)

    assert any(each.startswith(said) for each in wrong), wrong
