"""What entries say, read strictly: by the types of the format page, and by the JSON Schema that is given to others."""

import base64
from typing import Any, Final

import jsonschema_rs
import msgspec

from interlock.domain import disclosure, dsse
from interlock.domain.evidence import Entry
from interlock.domain.proceedings import BODIES
from interlock.domain.whose import COMMITTED
from scripts.evidence import schema, whole

SCHEMA: Final = jsonschema_rs.validator_for(schema())
TYPES: Final = {f"https://interlock.dev/evidence/{subject}/v1": whole(subject) for subject in BODIES}


def statement_of(leaf: bytes) -> dict[str, Any]:
    """The Statement in a leaf, read as JSON and nothing else."""
    envelope = msgspec.json.decode(leaf, type=dict[str, Any])
    found: dict[str, Any] = msgspec.json.decode(base64.b64decode(envelope["payload"]))
    return found


def predicate_of(leaf: bytes) -> dict[str, Any]:
    """What an entry says. AssertionError where it says anything that the format page does not know."""
    said = statement_of(leaf)
    predicate: dict[str, Any] = said["predicate"]
    typed = msgspec.convert(predicate, TYPES[said["predicateType"]])
    if predicate.get("actionId"):
        assert msgspec.to_builtins(typed) == predicate, "what is read strictly is what was written"
    problem = next(iter(SCHEMA.iter_errors(said)), None)
    assert problem is None, problem
    unknown = predicate.get("commitments", {}).keys() - COMMITTED.keys() - {"alg"}
    assert not unknown, unknown
    return predicate


def told(entry: Entry) -> dict[str, Any]:
    """The clear texts beside an entry, by name."""
    return {found.name: found.value for found in map(disclosure.parse, entry.disclosures)}


def payload_of(entry: Entry) -> bytes:
    """The very bytes that were signed."""
    return dsse.parse(entry.leaf).payload
