"""A public key as people give it, the same way wherever one is asked for: its line, or the file that holds it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from interlock.cli.output import UsageError
from interlock.domain.note import NoteError, VerifierKey, parse_vkey

WHOSE = "Its line, or the file that holds it"
"""What the help of every option for a key says."""
MAX_KEY_FILE_BYTES: Final = 64 * 1024

Owner = Literal["log", "gate", "any"]

_MARK: Final = "\ufeff"
_OF_A_GATE: Final = "/gate"
_OF_OUR_GATES: Final = "/log/gate"
"""How gates of ours are called. A log of somebody else may end in `/gate` alone."""


def keys_given(words: Sequence[str], option: str, owner: Owner) -> list[VerifierKey]:
    """The keys in `words`, each a key's line or a file of such lines (empty ones and those that begin with `#` aside).

    Raises UsageError, naming `option`, for what is neither, and for a gate's key where a log's is needed or the reverse.
    """
    found = [key for each in words for key in _keys_in(each, option)]
    for key in found:
        _must_be_of(key, option, owner)
    return found


def key_given(word: str, option: str, owner: Owner) -> VerifierKey:
    """The one key in `word`. Raises UsageError as `keys_given` does, and for a file of several."""
    found = keys_given((word,), option, owner)
    if len(found) > 1:
        raise UsageError(f"`{option}`: `{word}` holds {len(found)} keys, and one is asked for", next_step=_next(option))
    return found[0]


def _keys_in(word: str, option: str) -> list[VerifierKey]:
    try:
        return [parse_vkey(word.strip().removeprefix(_MARK))]
    except NoteError as error:
        no_key = str(error)
    lines = _lines(word, option, no_key)
    if not lines:
        raise UsageError(f"`{option}`: `{word}` holds no key", next_step=_next(option))
    try:
        return [parse_vkey(each) for each in lines]
    except NoteError as error:
        raise UsageError(f"`{option}`: `{word}` is no file of public keys: {error}", next_step=_next(option)) from None


def _lines(word: str, option: str, no_key: str) -> list[str]:
    try:
        with Path(word).open("rb") as file:
            data = file.read(MAX_KEY_FILE_BYTES + 1)
    except (FileNotFoundError, ValueError):  # a NUL is in no file's name
        said = no_key if "+" in word else "there is no such file"
        raise UsageError(f"`{option}`: `{word}` is no public key: {said}", next_step=_next(option)) from None
    except OSError as error:
        raise UsageError(
            f"`{option}`: `{word}` cannot be read: {error.strerror or error}", next_step=_next(option)
        ) from None
    if len(data) > MAX_KEY_FILE_BYTES:
        raise UsageError(f"`{option}`: `{word}` is larger than any file of keys", next_step=_next(option))
    lines = data.decode("utf-8", "replace").removeprefix(_MARK).splitlines()
    return [each.strip() for each in lines if each.strip() and not each.lstrip().startswith("#")]


def _must_be_of(key: VerifierKey, option: str, owner: Owner) -> None:
    if owner == "log" and key.name.endswith(_OF_OUR_GATES):
        raise UsageError(
            f"`{option}`: `{key.name}` is a gate, whose key signs entries; this wants the log's, which signs checkpoints",
            next_step="give `.interlock/keys/log.pub`, not the `gate.pub` beside it",
        )
    if owner == "gate" and not key.name.endswith(_OF_A_GATE):
        raise UsageError(
            f"`{option}`: `{key.name}` is a log, whose key signs checkpoints; this wants the gate's, which signs entries",
            next_step="give `.interlock/keys/gate.pub`, not the `log.pub` beside it",
        )


def _next(option: str) -> str:
    which = "gate.pub" if "gate" in option else "log.pub"
    return f"give the whole line of a `.pub` file, or the file: `.interlock/keys/{which}`"
