"""Of critical risk a yes is not one key away: whoever gives it types what the action is about.

What is typed is the value of the first argument that the contract says it touches, or is about; where it says neither, of
the first required argument that is text or a whole number. It is compared exactly.
"""

import hmac

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import NotAllowed


def target_of(action: Action, contract: Contract) -> tuple[str, str]:
    """The argument whose value is to be typed, and the value as text; both empty where nothing needs to be. Where a critical
    contract has no argument that says it, the contract's own name is typed."""
    if contract.risk != "critical":
        return "", ""
    for name in _candidates(contract):
        text = _typed(action.arguments.get(name))
        if text:
            return name, text
    return "contract", contract.name


def must_be_named(action: Action, contract: Contract, typed: str | None) -> None:
    """Return where nothing needs to be typed or exactly that was. Raises NotAllowed."""
    name, wanted = target_of(action, contract)
    if not wanted:
        return
    if typed is None or not typed:
        raise NotAllowed(
            f"this is of critical risk, so a yes names its target: the value of `{name}`",
            next_step=f"type exactly what `{name}` is: `--target VALUE`",
        )
    if not hmac.compare_digest(typed.encode(errors="surrogatepass"), wanted.encode(errors="surrogatepass")):
        raise NotAllowed(
            f"what was typed is not the value of `{name}`",
            next_step="read once more what it is about; nothing was said",
        )


def _candidates(contract: Contract) -> list[str]:
    named = [
        path.removeprefix("$args.").split(".")[0] for path in (*contract.touches.values(), *contract.subject.values())
    ]
    required = contract.input_schema.get("required")
    return [*named, *(str(each) for each in (required if isinstance(required, list) else []))]


def _typed(value: JsonValue) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value)
    # What nobody can type on one line is no target.
    return text if text.isprintable() and text == text.strip() and len(text) <= 200 else ""
