"""Arguments meet the contract here, before anything else looks at them.

Positional or keyword, given or defaulted: by the time arguments are bound they are one plain object, complete,
closed and valid, and everything after (policy, approval, digest, tool) sees that object and no other.
"""

from typing import cast

import jsonschema_rs
import msgspec

from interlock.domain.canonical import CanonicalError, JsonValue, digest, encode, pointer
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import ContractError
from interlock.domain.exact import InexactError, canonical
from interlock.domain.ids import Digest
from interlock.domain.names import instead

MAX_ARGUMENT_BYTES = 256 * 1024
"""Canonical size of all arguments of one action together."""

Arguments = dict[str, JsonValue]


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments that fit `contract`, and the digest of the one action they would be."""

    arguments: Arguments
    digest: Digest


def bind(contract: Contract, arguments: Arguments, *, nonce: str) -> Bound:
    """Complete `arguments` with the schema's defaults and hold them against the contract. What a contract has as a text of a
    number or of JSON is written in the one way there is, so that a value is one action whatever door it came by.

    `nonce` (128 random bits or more, from the gate) makes the digest of this action unlike that of any other with the
    same arguments, and unguessable from them. Raises ContractError with a pointer to the first field that does not fit.
    """
    complete = {**_defaults(contract), **arguments}
    try:
        # First what bounds the work: what is written anew may be longer, and is measured once more.
        encode(complete, max_bytes=MAX_ARGUMENT_BYTES)
        if isinstance(contract.target, McpTarget) and contract.target.forms:
            complete = canonical(complete, contract.target.forms)
            encode(complete, max_bytes=MAX_ARGUMENT_BYTES)
    except CanonicalError as error:
        raise ContractError(f"`{contract.name}` {error}", path=error.path) from None
    except InexactError as error:
        raise ContractError(f"`{contract.name}` {error.path}: {error.reason}", path=error.path) from None
    problem = next(iter(contract.takes.iter_errors(complete)), None)
    if problem is not None:
        problem = _innermost(problem)
        path = _pointer(problem)
        raise ContractError(f"`{contract.name}` {path or 'arguments'}: {_words(problem, contract)}", path=path)
    return Bound(arguments=complete, digest=action_digest(contract, complete, nonce))


def action_digest(contract: Contract, arguments: Arguments, nonce: str) -> Digest:
    """What an approval is bound to: contract, arguments and nonce together."""
    return bound_digest(contract.name, contract.digest, arguments, nonce)


def bound_digest(name: str, contract: Digest, arguments: Arguments, nonce: str) -> Digest:
    """The same where only the contract's name and digest are at hand."""
    return Digest(digest({"action": name, "args": arguments, "nonce": nonce, "schemaDigest": contract}))


def fingerprint(contract: Contract, arguments: Arguments) -> Digest:
    """What two actions share that ask for the same thing: for loop limits and reused keys."""
    return Digest(digest({"action": contract.name, "args": arguments}))


def result_problem(contract: Contract, result: JsonValue) -> str | None:
    """Why `result` is not what the contract promises, or None."""
    if not contract.output_schema:
        return None
    problem = next(iter(contract.gives.iter_errors(result)), None)
    if problem is None:
        return None
    problem = _innermost(problem)
    return f"{_pointer(problem) or 'result'}: {problem.message}"


def _innermost(problem: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Of a value that fits none of several schemas (an optional list), what is wrong furthest inside it, if anything is."""
    kinds = jsonschema_rs.ValidationErrorKind
    while isinstance(problem.kind, kinds.AnyOf | kinds.OneOfNotValid):
        inner = [branch[0] for branch in problem.kind.context if branch]
        deepest = max(inner, key=lambda each: _pointer(each).count("/"), default=problem)
        if _pointer(deepest).count("/") <= _pointer(problem).count("/"):
            break
        problem = deepest
    return problem


def _words(problem: jsonschema_rs.ValidationError, contract: Contract) -> str:
    """What is wrong, in words that do not take a schema to understand where it is about a name."""
    kinds = jsonschema_rs.ValidationErrorKind
    if isinstance(problem.kind, kinds.Required):
        return "it is required, and missing"
    if isinstance(problem.kind, kinds.AdditionalProperties) and problem.kind.unexpected:
        known = cast(dict[str, JsonValue], contract.input_schema.get("properties", {}))
        if problem.instance_path:
            return "there is no such field"
        return f"there is no such argument; {instead(problem.kind.unexpected[0], known, 'it takes none')}"
    return problem.message


def _pointer(problem: jsonschema_rs.ValidationError) -> str:
    """The field's JSON pointer; a missing or unknown field counts as the field, not as its parent."""
    place = "".join(pointer(part) for part in problem.instance_path)
    kind = problem.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return place + pointer(kind.property)
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties) and kind.unexpected:
        return place + pointer(kind.unexpected[0])
    return place


def _defaults(contract: Contract) -> Arguments:
    properties = cast(dict[str, JsonValue], contract.input_schema.get("properties", {}))
    return {
        name: shape["default"] for name, shape in properties.items() if isinstance(shape, dict) and "default" in shape
    }
