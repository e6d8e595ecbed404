"""What we write, held against npm packages: canonicalize (RFC 8785), @sd-jwt (RFC 9901), @sigstore/core (DSSE)."""

from base64 import b64decode
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain import canonical, disclosure, dsse
from tests.domain.logs import KEYS
from tests.foreign.files import Files
from tests.foreign.programs import node

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def _asked(questions: list[dict[str, Any]]) -> list[Any]:
    given_lines = b"".join(msgspec.json.encode(each) + b"\n" for each in questions)
    found = node("check.mjs", given=given_lines)
    assert found.code == 0, found.err
    return [msgspec.json.decode(line) for line in found.out.splitlines()]


@pytest.mark.proves("evidence.foreign_programs")
def test_canonicalize_writes_the_same_bytes(files: Files) -> None:
    """For values of every kind, and for every payload, RFC 8785 as npm has it gives the bytes we give."""
    values: list[Any] = []

    @settings(max_examples=300, database=None)
    @given(_VALUES)
    def collect(value: Any) -> None:
        values.append(value)

    collect()
    ours = [canonical.encode(value) for value in values]
    ours += [dsse.parse(row.leaf).payload for row in files.log.rows[:40]]
    ours += [row.leaf for row in files.log.rows[:40]]

    theirs = _asked([{"canonical": each.decode()} for each in ours])

    assert [b64decode(each) for each in theirs] == ours


@pytest.mark.proves("evidence.foreign_programs")
def test_sd_jwt_reads_disclosures_and_finds_their_digests(files: Files) -> None:
    """Every clear text opens the commitment that the signed Statement carries; another one does not."""
    rows = [row for row in files.log.rows[:40] if row.disclosures]
    texts = [text for row in rows for text in row.disclosures]
    committed = {
        digest
        for row in rows
        for digest in msgspec.json.decode(dsse.parse(row.leaf).payload)["predicate"]["commitments"].values()
    }

    read = _asked([{"disclosure": each} for each in texts])

    assert [(each["name"], each["value"]) for each in read] == [
        (parsed.name, parsed.value) for parsed in map(disclosure.parse, texts)
    ]
    assert {each["digest"] for each in read} <= committed
    forged = disclosure.Disclosure(salt=b"s" * 16, name="toolArgs", value={"n": 1}).encoded()
    assert _asked([{"disclosure": forged}])[0]["digest"] not in committed


@pytest.mark.proves("evidence.foreign_programs")
def test_node_verifies_envelopes(files: Files) -> None:
    """Sigstore's pre-authentication encoding and node's Ed25519 find an entry good, and a changed one not."""
    key, leaf = KEYS.gate.verifier.public.hex(), files.log.rows[5].leaf
    said = msgspec.json.decode(leaf)
    changed = msgspec.json.encode(said | {"payload": msgspec.json.decode(files.log.rows[6].leaf)["payload"]})
    retyped = msgspec.json.encode(said | {"payloadType": "application/json"})

    found = _asked([{"envelope": each.decode(), "key": key} for each in (leaf, changed, retyped)])

    assert found == [True, False, False]
