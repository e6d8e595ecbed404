"""The API's description, OpenAPI 3.1, drawn from its handlers: their paths, the types they take and give, and who may ask.

The schemas are msgspec's own of the types that are decoded and encoded, so that nothing is said that is not so.
https://spec.openapis.org/oas/v3.1.0.html
"""

import inspect
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from interlock.web.problems import PROBLEM

REF: Final = "#/components/schemas/{name}"
_PROBLEM: Final[dict[str, Any]] = {
    "title": "Problem",
    "description": "What is wrong, whose fault it is, and what to do next (RFC 9457). Some kinds say more.",
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "fault": {"enum": ["yours", "operator", "ours"]},
        "detail": {"type": "string"},
        "next": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "fault", "detail", "next"],
}
_WHO: Final = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: `il_<id>.<secret>`."},
    "session": {"type": "apiKey", "in": "cookie", "name": "interlock", "description": "A signed-in browser."},
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request again under it gets the first one's answer; another one under it is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One handler as it is described."""

    path: str
    method: str
    name: str
    said: str
    needs: str
    of_keys: str
    """What a key needs, where that is more."""
    status: int
    parameters: tuple[tuple[str, str, Any, Any], ...]
    """Name, `path` or `query`, type, default."""
    body: Any
    answer: Any
    once: bool
    """Whether it takes a key under which it is done once."""


def schema(handlers: Sequence[HTTPRouteHandler]) -> dict[str, Any]:
    """The whole description."""
    asked = sorted((_asked(handler) for handler in handlers), key=lambda each: (each.path, each.method))
    types = [kind for each in asked for kind in _types(each)]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    known = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for each in asked:
        paths.setdefault(each.path, {})[each.method] = _operation(each, known)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Interlock",
            "version": version("interlock"),
            "description": "The control plane between AI agents that act and the systems they act on.",
        },
        "paths": paths,
        "components": {"schemas": {**components, "Problem": _PROBLEM}, "securitySchemes": _WHO},
    }


def _asked(handler: HTTPRouteHandler) -> Asked:
    function = handler.fn
    hints, signature = get_type_hints(function, include_extras=True), inspect.signature(function)
    parameters = list[tuple[str, str, Any, Any]]()
    for name, each in signature.parameters.items():
        place, kind = _placed(hints[name])
        if place:
            parameters.append((name, place, kind, each.default))
    (path,), (method,) = handler.paths, handler.http_methods
    for name, place, _, _ in parameters:
        if place == "path":
            path = path.replace(f"{{{name}:str}}", f"{{{name}}}")
    answer = hints["return"]
    return Asked(
        path=path,
        method=method.lower(),
        name=handler.handler_name,
        said=inspect.getdoc(function) or "",
        needs=str(handler.opt.get("needs")),
        of_keys=str(handler.opt.get("of_keys", "")),
        status=handler.status_code,
        parameters=tuple(parameters),
        body=get_args(hints["data"])[0] if "data" in hints else None,
        answer=get_args(answer)[0] if get_args(answer) else answer,
        once="once" in hints,
    )


def _placed(hint: Any) -> tuple[str, Any]:
    """Where a parameter stands in a request, and its type with its limits; nothing for what is given by name."""
    if get_origin(hint) is not Annotated:
        return "", None
    kind, *marks = get_args(hint)
    for mark in marks:
        if isinstance(mark, PathParameter):
            return "path", Annotated[kind, msgspec.Meta(min_length=1)]
        if isinstance(mark, QueryParameter):
            limits = {name: getattr(mark, name) for name in ("ge", "le") if getattr(mark, name) is not None}
            return "query", Annotated[kind, msgspec.Meta(**limits)] if limits else kind
    return "", None


def _types(asked: Asked) -> Iterator[Any]:
    yield from (kind for _, _, kind, _ in asked.parameters)
    if asked.body is not None:
        yield asked.body
    if asked.answer is not type(None):
        yield asked.answer


def _operation(asked: Asked, schemas: Iterator[dict[str, Any]]) -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": place,
            "required": place == "path",
            "schema": next(schemas) | ({} if place == "path" or default is None else {"default": default}),
        }
        for name, place, _, default in asked.parameters
    ]
    operation: dict[str, Any] = {
        "operationId": asked.name,
        "summary": asked.said.split("\n")[0],
        "x-needs": asked.needs,
        "security": [{who: []} for who in _WHO] if asked.needs != "nobody" else [],
    }
    if asked.of_keys:
        operation["x-needs-of-keys"] = asked.of_keys
    if asked.once:
        parameters.append(_KEY)
    if parameters:
        operation["parameters"] = parameters
    if asked.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": next(schemas)}}}
    done: dict[str, Any] = {"description": "Done."}
    if asked.answer is not type(None):
        done["content"] = {"application/json": {"schema": next(schemas)}}
    operation["responses"] = {
        str(asked.status): done,
        "default": {
            "description": "What is wrong.",
            "content": {PROBLEM: {"schema": {"$ref": REF.format(name="Problem")}}},
        },
    }
    return operation
