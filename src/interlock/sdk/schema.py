"""Annotations as JSON Schema, in the one form that contracts use.

Types are written out where they stand (only a type that holds itself goes to `$defs`) and class names are left out, so
that renaming a class does not make another contract. Arguments and facts are closed: every object says all its fields,
every list its items, nothing may be anything, and nothing is a floating-point number.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, cast, get_args

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.closing import SCHEMA_DATA, SCHEMA_MAPS, Schema, closed, inexact
from interlock.domain.errors import ContractError
from interlock.sdk.values import is_model

_DROPPED: Final = frozenset({"title", "discriminator", "$defs"})
_REF: Final = "#/$defs/"


def schema_for(annotation: Any, path: str, *, exact: bool) -> tuple[Schema, Schema]:
    """The schema of `annotation`, and the definitions it refers to (empty unless a type holds itself).

    `exact` for what comes in (arguments, facts); results may be open. Raises ContractError under `path`.
    """
    for hint in _foreign(annotation):
        raise ContractError(f"`{path}`: `{hint}` would have no effect; write `msgspec.Meta(...)`", path=path)
    components: Schema = {}
    try:
        (schema,), named = msgspec.json.schema_components(
            [annotation],
            schema_hook=_of_models(components, "validation" if exact else "serialization"),
            ref_template=_REF + "{name}",
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise ContractError(f"`{path}` cannot be described: {' '.join(str(error).split())}", path=path) from None
    components.update(named)
    written = _Written(components)
    schema = written.out(schema, frozenset())
    defs: Schema = {name: _held(cast(Schema, part), path, exact=exact) for name, part in written.kept().items()}
    return _held(schema, path, exact=exact), defs


def _held(schema: Schema, path: str, *, exact: bool) -> Schema:
    """`schema` closed, or as it is for results. Raises ContractError for the first thing that cannot be."""
    shut, flaws = closed(schema) if exact else (schema, inexact(schema))
    for flaw in flaws:
        raise ContractError(f"`{path}{flaw.value}` {flaw.detail}", path=path + flaw.value)
    return shut


def _of_models(components: Schema, mode: str) -> Callable[[type], Schema]:
    """A hook by which msgspec asks for the schema of a pydantic model; what that refers to is put into `components`."""

    def hook(kind: type) -> Schema:
        if not is_model(kind):
            raise TypeError(f"`{kind.__name__}` is not a type that JSON knows")
        prefix = re.sub(r"[^A-Za-z0-9_.]", "_", f"{kind.__module__}.{kind.__qualname__}")
        schema = kind.model_json_schema(ref_template=f"{_REF}{prefix}.{{model}}", mode=mode)
        components.update({f"{prefix}.{name}": part for name, part in schema.pop("$defs", {}).items()})
        return schema

    return hook


class _Written:
    """Schemas with their references written out."""

    def __init__(self, components: Schema) -> None:
        self.components = components
        self.circular: set[str] = set()

    def out(self, node: Schema, within: frozenset[str]) -> Schema:
        """`node` without references, but to the types it stands `within`."""
        ref = node.get("$ref")
        name = ref.removeprefix(_REF) if isinstance(ref, str) else ""
        beside = {word: self.member(word, value, within) for word, value in node.items() if word not in _DROPPED}
        if not name:
            return beside
        if name in within:
            self.circular.add(name)
            return beside
        del beside["$ref"]
        return {**self.out(cast(Schema, self.components[name]), within | {name}), **beside}

    def member(self, word: str, value: JsonValue, within: frozenset[str]) -> JsonValue:
        """What stands under one keyword."""
        if word in SCHEMA_DATA:
            return value
        if word in SCHEMA_MAPS and isinstance(value, dict):
            return {name: self.out(cast(Schema, part), within) for name, part in value.items()}
        if isinstance(value, dict):
            return self.out(value, within)
        if isinstance(value, list):
            return [self.out(part, within) if isinstance(part, dict) else part for part in value]
        return value

    def kept(self) -> Schema:
        """The types that hold themselves, each once."""
        defs: Schema = {}
        while left := self.circular - defs.keys():
            name = min(left)
            defs[name] = self.out(cast(Schema, self.components[name]), frozenset({name}))
        return defs


def _foreign(annotation: Any) -> Iterator[str]:
    """Constraints written for another library: msgspec passes over them in silence, a gate must not."""
    for hint in getattr(annotation, "__metadata__", ()):
        if type(hint).__module__.split(".")[0] in ("pydantic", "annotated_types"):
            yield f"{type(hint).__name__}(...)"
    for part in get_args(annotation):
        yield from _foreign(part)
