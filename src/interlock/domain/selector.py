"""A selector: which records a task may touch, by kind. `{"customer": ["c-17"], "folder": ["/invoices/2026/*"]}`.

What an action touches its contract says, by kind and argument (`touches`), and the arguments are those that were bound. The
world is closed: a kind that is not named is not touched, an action that does not say which records it touches touches none.

One entry is an id, a text or a whole number, compared by type: `17` is not `"17"`. `*` alone is every record of the kind. A text
that ends in `/*` is every path below a folder, and only where the value is such a path however it is read: with `..`, an empty
part, a backslash or what no eye sees in it, percent-encoded or in another script's full stops, it is none. There are no other
patterns: of two of them nobody can say in general which is narrower.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import Final, NamedTuple, TypeAlias

import msgspec

from interlock.domain.canonical import MAX_INTEGER, JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.names import listed
from interlock.domain.unwind import resolve

Id: TypeAlias = str | int
Ids: TypeAlias = tuple[Id, ...]

MAX_KINDS: Final = 32
MAX_IDS: Final = 128
"""Of one kind."""
MAX_ID: Final = 512
"""Characters of one."""
MAX_TOUCHED: Final = 1_000
"""How many records of one kind one action may name to be held against a selector."""
ANY: Final = "*"
BELOW: Final = "/*"
_ENCODED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_DECODINGS: Final = 4
"""How often a path may have been percent-encoded."""


class SelectorError(ValueError):
    """Not a selector, or more than we would hold."""


class _Read(NamedTuple):
    """The entries of one kind, ready to be asked."""

    ids: frozenset[Id]
    folders: tuple[str, ...]
    """Each with the `/` at its end."""
    any: bool


class Selector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Records by kind. One that names nothing allows nothing."""

    records: dict[str, Ids]

    def __post_init__(self) -> None:
        if len(self.records) > MAX_KINDS:
            raise SelectorError(f"{len(self.records)} kinds of records are more than {MAX_KINDS}")
        for kind, ids in self.records.items():
            if len(ids) > MAX_IDS:
                raise SelectorError(f"{len(ids)} records of the kind `{kind}` are more than {MAX_IDS}")
            if not (0 < len(kind) <= MAX_ID and kind.isascii() and kind.isprintable()):
                raise SelectorError("a kind of record is a word of printable ASCII, as contracts name it in `touches`")
            for each in ids:
                _check(each, kind)

    @cached_property
    def entries(self) -> dict[str, _Read]:
        """What is said of each kind, ready to be asked."""
        return {kind: _read(ids) for kind, ids in self.records.items()}

    def admits(self, touched: Mapping[str, JsonValue]) -> str | None:
        """Why an action that touches `touched`, by kind, is not allowed, as a sentence that repeats no value, or None."""
        for kind, value in touched.items():
            read = self.entries.get(kind)
            if read is None:
                return f"it touches records of the kind `{kind}`, and the task may touch {self._kinds()}"
            named = value if isinstance(value, list) else [value]
            if value is None or not named:
                return f"it does not say which `{kind}` it touches"
            if len(named) > MAX_TOUCHED:
                return f"it touches more than {MAX_TOUCHED} of `{kind}` at once"
            for each in named:
                if not _holds(read, each):
                    return f"it touches a `{kind}` that the task was not given"
        return None

    def words(self) -> tuple[str, ...]:
        """The selector for people, a line for each kind: `customer: c-17, c-18`."""
        return tuple(f"{kind}: {', '.join(map(str, ids)) or 'none'}" for kind, ids in sorted(self.records.items()))

    def _kinds(self) -> str:
        return f"only {listed(sorted(self.records))}" if self.records else "no records"


def narrower(child: Selector, parent: Selector) -> str | None:
    """Why `child` allows a record that `parent` does not, as a sentence, or None: then it allows no such record."""
    for kind, ids in child.records.items():
        if kind not in parent.records:
            return f"records of the kind `{kind}` are not among those of the task around it"
        around = parent.entries[kind]
        if not all(_within(each, around) for each in ids):
            return f"not all of `{kind}` is among what the task around it may touch"
    return None


def touched(contract: Contract, arguments: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The records that `contract` touches with bound `arguments`, by kind: an id, a list of ids, or None where none is named."""
    return {kind: _given(path, arguments) for kind, path in contract.touches.items()}


def _given(path: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
    try:
        return resolve(path, {"$args": dict(arguments)})
    except ContractError:
        return None  # an argument that was left out names no record


def _check(each: object, kind: str) -> None:
    # In Python True is a number.
    if type(each) is int and -MAX_INTEGER <= each <= MAX_INTEGER:
        return
    if type(each) is not str or not 0 < len(each) <= MAX_ID or not each.isprintable():
        raise SelectorError(
            f"a `{kind}` is named by a whole number, or by a printable text of up to {MAX_ID} characters"
        )
    folder = each.removesuffix(BELOW)
    if each != ANY and "*" in folder:
        raise SelectorError(f"in `{each}` of `{kind}` there may be a `*` alone, or `/*` at the end of a path")
    if folder != each and folder and not _plain(folder.removeprefix("/")):
        raise SelectorError(f"`{each}` of `{kind}` is no plain path: no `..`, no empty part, no backslash")


def _read(ids: Ids) -> _Read:
    folders = tuple(each[:-1] for each in ids if isinstance(each, str) and each.endswith(BELOW))
    plain = frozenset(each for each in ids if each != ANY and not (isinstance(each, str) and each.endswith(BELOW)))
    return _Read(plain, folders, ANY in ids)


def _holds(read: _Read, value: JsonValue) -> bool:
    # By type: True is a number to Python, and 1.0 equals 1.
    if type(value) is not str and type(value) is not int:
        return False
    if read.any or value in read.ids:
        return True
    return isinstance(value, str) and any(
        value.startswith(folder) and _surely_below(value.removeprefix(folder)) for folder in read.folders
    )


def _within(each: Id, around: _Read) -> bool:
    """Whether everything that the entry `each` allows is allowed by `around`."""
    if around.any:
        return True
    if isinstance(each, str) and each.endswith(BELOW):
        return any(each[:-1].startswith(folder) for folder in around.folders)
    return each != ANY and _holds(around, each)


def _surely_below(rest: str) -> bool:
    """Whether what follows a folder stays in it, however whoever opens it reads it."""
    rest = rest.removesuffix("/")
    if not _plain(rest):
        return False
    for _ in range(_DECODINGS):
        try:
            decoded = _decoded(unicodedata.normalize("NFKC", rest))
        except UnicodeError:
            return False
        if decoded == rest:
            return True
        if not _plain(decoded):
            return False
        rest = decoded
    return False


def _decoded(text: str) -> str:
    """Percent-decoded (RFC 3986 section 2.1). Raises UnicodeError where that is no UTF-8."""
    return _ENCODED.sub(lambda found: bytes((int(found[1], 16),)), text.encode()).decode()


def _plain(path: str) -> bool:
    """Whether each part of `path` is a name: not empty, not only dots and spaces (some systems drop those at the end)."""
    return path.isprintable() and "\\" not in path and all(part.strip(" .") for part in path.split("/"))
