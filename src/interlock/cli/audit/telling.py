"""A packet as a person reads it: who, for whom, why, under which policies, with whose word, and what came of it."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from interlock.cli.output import pairs, safe
from interlock.cli.story import Line, text
from interlock.domain.canonical import JsonValue
from interlock.domain.telling import Object, Telling


def show_telling(console: Console, told: Telling, now: str) -> None:
    """What the packet says, each line with whose word it is where that is not the gate's. `now` is RFC 3339, in UTC."""
    lines = pairs()
    for label, value in (*_asked(told), *_decided(told), *_came(told, now), *_left(told)):
        lines.add_row(Text(f"  {safe(label)}"), Text(safe(value)))
    console.print(lines)


def _asked(told: Telling) -> Iterator[Line]:
    said = told.said
    agent = _object(said.get("agent"))
    yield "agent", f"{_word(agent, 'id')} at release {_word(agent, 'release')[:12]}"
    if _word(agent, "model"):
        yield "  model", _word(agent, "model")
    for name, digest in sorted(_object(agent.get("components")).items()):
        yield f"  {name}", f"sha256 {str(digest)[:12]}"
    yield from _clear(told, "initiator", "for")
    yield from _clear(told, "purpose", "purpose")
    yield from _clear(told, "planSummary", "plan")
    chain = [str(each) for each in _list(said.get("delegation"))]
    yield "task", " > ".join(chain) if chain else _word(said, "taskId")
    if _word(said, "requestId"):
        yield "request", f"{_word(said, 'requestId')}, received {_word(said, 'receivedAt')}"
    if _word(said, "traceparent"):
        yield "trace", _with(told, "traceparent", _word(said, "traceparent"))
    tool = _object(said.get("resource"))
    yield "tool", f"{_word(tool, 'id')}, contract {_word(tool, 'schemaDigest')[:12]}"
    yield from _clear(told, "askedArgs", "asked with")
    yield from _clear(told, "toolArgs", "arguments")
    for name, kind in _object(said.get("dataClasses")).items():
        yield "  data", f"{name}: {kind}"
    yield from _clear(told, "justification", "because")
    sure = _object(said.get("confidence"))
    if sure:
        yield "sure", _with(told, "confidence", f"{sure.get('perMille')} per mille")
    yield from _clear(told, "kpi", "expects")


def _decided(told: Telling) -> Iterator[Line]:
    for each in map(_object, _list(told.said.get("decisions"))):
        by = ", ".join(str(name) for name in _list(each.get("policies")))
        yield "decision", f"{_word(each, 'reported')} by {by} at {_word(each, 'at')}"
        yield "  policies", f"bundle {_word(each, 'policyDigest')[:12]}" + _at_stage(each)
        evaluation = _object(each.get("evaluation"))
        for leaned in map(_object, _list(evaluation.get("inputs"))):
            which = f"revision {leaned['revision']}" if "revision" in leaned else f"read {_word(leaned, 'lastResult')}"
            yield f"  {_word(leaned, 'input')}", f"{which}, {leaned.get('ageMs')} ms old"
    yield from _clear(told, "facts", "facts")
    yield from _clear(told, "parsed", "parsed")
    yield from _clear(told, "reasons", "reasons")
    for each in map(_object, (row for rows in told.clear.get("budget", []) for row in _list(rows))):
        where = f"{_word(each, 'scope')}, {_word(each, 'unit')}"
        yield "budget", f"{where}: {each.get('reserved')} reserved and {each.get('spent')} spent of {each.get('limit')}"
    hold = _object(told.said.get("hold"))
    if hold:
        yield "shown", f"view {_word(hold, 'view')[:12]}, until {_word(hold, 'expiresAt')}"
    yield from _around(told)
    names = [row for rows in told.clear.get("approvers", []) for row in _list(rows)]
    for number, word in enumerate(map(_object, _list(told.said.get("approvals")))):
        who = _list(names[number]) if number < len(names) else []
        person = f"{who[0]}, " if who else ""
        roles = "/".join(str(role) for role in _list(word.get("roles")))
        yield _word(word, "verdict"), _with(told, "approvals", f"{person}{roles}, at {_word(word, 'decidedAt')}")


def _around(told: Telling) -> Iterator[Line]:
    """What was said around the decision: who was shown it, who asked what, who handed it to whom."""
    for who in dict.fromkeys(map(str, told.clear.get("viewer", []))):
        yield "shown to", who
    answers = {row[0]: row[1] for row in map(_list, told.clear.get("answer", [])) if len(row) == 2}
    for row in map(_list, told.clear.get("question", [])):
        if len(row) == 3:
            yield "asked", f"by {row[1]}: {row[2]}  (approver-asserted)"
            if row[0] in answers:
                yield "answered", f"{answers[row[0]]}  (agent-asserted)"
    for row in map(_list, told.clear.get("handing", [])):
        if len(row) >= 2:
            back = ", taken back" if row[3:] else ""
            yield "handed", f"by {row[0]} to {row[1]}{back}  (approver-asserted)"


def _came(told: Telling, now: str) -> Iterator[Line]:
    for each in map(_object, _list(told.said.get("attempts"))):
        if each.get("number"):
            yield "dispatched", f"{_word(each, 'at')}, attempt {each.get('number')}, fence {each.get('fence')}"
    effect = _object(told.said.get("effect"))
    if effect:
        checked = {True: ", verified", False: ", and the postcondition does not hold"}
        verified = checked.get(effect.get("verified") is True, "") if "verified" in effect else ""
        seen = f"{_word(effect, 'observed')}, by the {_word(effect, 'by')} at {_word(effect, 'at')}{verified}"
        yield "effect", _with(told, "effect", seen)
        yield "agreement", _word(told.said, "agreement")
    yield from _clear(told, "toolResult", "result")
    yield from _taken(_object(told.said.get("output")))
    yield from _clear(told, "error", "error")
    yield from _clear(told, "note", "note")
    yield from _undo(_object(told.said.get("compensation")), now)


def _taken(output: Object) -> Iterator[Line]:
    """What the agent did not get of the result, and the digests of what there was before and after."""
    if not output:
        return
    if output.get("withheld") is True:
        yield "withheld", "the agent got nothing of the result"
    for each in map(_object, _list(output.get("taken"))):
        count = f" ({each.get('places')} places)" if each.get("places") != 1 else ""
        yield "taken", f"{_word(each, 'kind')} at {_word(each, 'path') or 'the whole of it'}{count}"
    yield "before", _word(output, "before") or "no JSON"
    yield "after", _word(output, "after")


def _undo(way: Object, now: str) -> Iterator[Line]:
    if "undoes" in way:
        yield "undoes", _word(way, "undoes")
        return
    state, until = _word(way, "state"), _word(way, "deadline")
    if state == "impossible":
        yield "undo", "impossible"
    elif state == "armed" and until < now:
        yield "undo", f"expired: {_word(way, 'hook')} until {until}"
    elif state:
        yield "undo", f"{state}: {_word(way, 'hook')}" + (f" until {until}" if until else "")
    if "ref" in way:
        yield "  undone by", _word(way, "ref")


def _left(told: Telling) -> Iterator[Line]:
    if told.withheld:
        yield "withheld", ", ".join(told.withheld)
    for each in _list(told.said.get("doesNotAssert")):
        yield "not said", str(each)


def _clear(told: Telling, name: str, label: str) -> Iterator[Line]:
    """Each clear text of that name: the arguments of an action that was modified were two."""
    for value in told.clear.get(name, []):
        yield label, _with(told, name, text(value))


def _with(told: Telling, name: str, words: str) -> str:
    return f"{words}  ({told.whose[name]})" if name in told.whose else words


def _at_stage(decision: Object) -> str:
    return f", stage {_word(decision, 'stage')}" if "stage" in decision else ""


def _word(value: Object, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _object(value: JsonValue) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
