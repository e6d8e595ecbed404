"""What people give on the command line: JSON, and files to check something by."""

import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

import msgspec

from interlock.cli.output import UsageError
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError

_EXAMPLE = 'write it as \'{"sku": "A-1"}\', in single quotes'


def arguments_from(text: str) -> dict[str, JsonValue]:
    """A JSON object from the command line. Raises UsageError when it is something else."""
    value = json_from(text)
    if not isinstance(value, dict):
        raise UsageError("the arguments are JSON, but no object", next_step=_EXAMPLE)
    return value


def json_from(text: str) -> JsonValue:
    """A JSON value from the command line. Raises UsageError when it is none, and where an object has a name twice: whoever
    wrote it and whoever agrees to it may each see another one."""
    try:
        value: JsonValue = msgspec.json.decode(text)
        json.loads(text, object_pairs_hook=_once, parse_int=str)  # `int` minds how many digits there are
    except (msgspec.DecodeError, RecursionError) as error:
        why = "it holds half of a character" if _halved(text) else str(error)
        raise UsageError(f"`{text[:80]}` is no JSON: {why}", next_step=_EXAMPLE) from None
    return value


@contextmanager
def brought(option: str) -> Generator[None]:
    """While what `option` names is read: what is brought to check something by, and is not what it must be, is a mistake of
    the command line, of which nothing follows about what was to be checked. Raises UsageError."""
    try:
        yield
    except ContractError as error:
        raise UsageError(f"`{option}`: {error.detail}", next_step=error.next_step) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    count = Counter(name for name, _ in pairs)
    twice = [name for name in count if count[name] > 1]
    if twice:
        raise UsageError(f"`{twice[0]}` is written twice in one object", next_step="leave one of them away")
    return dict(pairs)


def _halved(text: str) -> bool:
    r"""Whether all that is wrong is a surrogate alone, such as `\ud800`: other readers take it for a character."""
    try:
        json.dumps(cast(object, json.loads(text, parse_int=str)), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
