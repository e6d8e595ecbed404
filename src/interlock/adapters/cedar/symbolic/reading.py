"""The way back: from a solver's model to the question it describes."""

from collections.abc import Iterator
from typing import Any

from interlock.adapters.cedar.symbolic.request import Request
from interlock.adapters.cedar.symbolic.values import Bag, Fields, Flag, Number, Pick, Text, Value, Z
from interlock.domain.baseline import UNUSUAL
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import AgentName, Digest
from interlock.domain.question import Circumstances, Question


def question(z: Z, request: Request, model: Z) -> Question:
    """The question that a model of `request` describes."""
    return _Reading(z, request, model).question()


class _Reading:
    def __init__(self, z: Z, request: Request, model: Z) -> None:
        self._z = z
        self._request = request
        self._model = model

    def question(self) -> Question:
        request = self._request
        found = self._read(request.context)
        release = self._text(request.release).rpartition("@")[2]
        task, user = found["task"], found["user"]
        arguments: dict[str, JsonValue] = found["args"]
        arguments |= {name: None for name, null in request.nulls.items() if self._true(null)}
        classes = request.contract.data_classes
        return Question(
            agent=AgentName(request.agent),
            release=Digest(release.ljust(64, "0")),
            contract=request.contract.name,
            contract_digest=request.contract.digest,
            tenant=request.tenant,
            arguments=arguments,
            facts=found["facts"],
            parsed=found["parsed"],
            data=tuple(sorted({kind for name, kind in classes.items() if name in arguments})),
            initiator=task["initiator"],
            confidence=found.get("confidence"),
            around=Circumstances(
                purpose=task["purpose"],
                depth=task["depth"],
                lent=task["lent"],
                stage=found["stage"],
                asked_at=found["nowMs"],
                undo=found["undo"],
                roles=tuple(sorted(user["roles"])),
                budget=found["budget"],
                tainted=self._tainted(found["taint"]),
                unusual=tuple(name for name in UNUSUAL if found["unusual"][name]),
                parsed=found["parsed"],
            ),
        )

    def _tainted(self, flags: dict[str, bool]) -> tuple[str, ...]:
        elsewhere = self._request.unseen[:1] if self._true(self._request.elsewhere) else ()
        return tuple(sorted((*(name for name, flag in flags.items() if flag), *elsewhere)))

    def _read(self, fields: Fields) -> dict[str, Any]:
        return {name: self._value(value) for name, (there, value) in fields.members.items() if self._true(there)}

    def _value(self, value: Value) -> Any:
        match value:
            case Flag(term):
                return self._true(term)
            case Number(term):
                return self._number(term)
            case Text(term):
                return self._text(term)
            case Pick(kind, term):
                return self._request.enums[kind][self._number(term)]
            case Fields():
                return self._read(value)
            case Bag(term, kind):
                return self._elements(term, self._request.enums.get(kind))
            case _:
                return []

    def _elements(self, term: Z, values: tuple[str, ...] | None) -> list[Any]:
        """What a set is said to hold, of what anything said of it names."""
        held = self._model.eval(term, model_completion=True)
        found: list[Any] = []
        for item in _named(self._z, held):
            plain: int | str | None = item.as_long() if self._z.is_int_value(item) else _unescaped(item.as_string())
            if values is not None and isinstance(plain, int):
                plain = values[plain] if 0 <= plain < len(values) else None
            if plain is not None and plain not in found and self._true(self._z.Select(held, item)):
                found.append(plain)
        return found

    def _true(self, term: Z) -> bool:
        return bool(self._z.is_true(self._model.eval(term, model_completion=True)))

    def _number(self, term: Z) -> int:
        return int(self._model.eval(term, model_completion=True).as_long())

    def _text(self, term: Z) -> str:
        return _unescaped(self._model.eval(term, model_completion=True).as_string())


def _unescaped(text: str) -> str:
    r"""The solver writes what is not plain ASCII as `\u{1f600}`."""
    first, *others = text.split("\\u{")
    found = [first]
    for each in others:
        code, _, rest = each.partition("}")
        found += (chr(int(code, 16)), rest)
    return "".join(found)


def _named(z: Z, held: Z) -> Iterator[Z]:
    """The elements that a set's value names."""
    pending = [held]
    while pending:
        term = pending.pop()
        if z.is_store(term):
            yield term.arg(1)
        if z.is_quantifier(term):
            pending.append(term.body())
        elif z.is_app(term):
            pending.extend(term.children())
            if z.is_string_value(term) or z.is_int_value(term):
                yield term
