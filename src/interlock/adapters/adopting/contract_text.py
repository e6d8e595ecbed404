"""A contract file for a tool that was found: what is guessed is marked as a guess, and what nobody could tell as to be said."""

from typing import Final, NamedTuple

from interlock.adapters.adopting.yaml_text import clean, flow, plain
from interlock.domain.adoption import CALLED, FoundTool
from interlock.domain.canonical import JsonValue
from interlock.domain.closing import SCHEMA_DATA, Schema, closed
from interlock.domain.guess import Guess

UNSAID: Final = "nobody has said yet how it is undone"
MAX_DESCRIPTION: Final = 400
_NUMERIC: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})


class Written(NamedTuple):
    """The text of a file, and what a person has to say in it."""

    text: str
    todo: tuple[str, ...]


def guessed(guess: Guess) -> str:
    """What stands behind a word that is a guess."""
    return clean(f"guessed {guess.why}; say yourself")


def contract_text(tool: FoundTool, name: str, guess: Guess) -> Written:
    """The file `contracts/NAME.yaml` of `tool`."""
    marked = f"  # {guessed(guess)}"
    where = clean(f"{tool.file}:{tool.line}", 200)
    lines = [f"# Found in {where}, {CALLED[tool.framework]}. What is guessed is marked as a guess."]
    if name != tool.name:
        lines.append(f"# The program calls it {clean(plain(tool.name))}.")
    lines += [f"name: {plain(name)}", f"description: {plain(clean(tool.description, MAX_DESCRIPTION))}"]
    lines += [f"effect: {guess.effect}{marked}", f"risk: {guess.risk}{marked}"]
    arguments, unclear = _arguments(tool)
    todo = [f"say what `{clean(each)}` is: {why}" for each, why in unclear.items()]
    lines += _said(tool, arguments, unclear)
    if "" in tool.unclear:
        lines.append("# TO SAY: it takes more than it names (`*args` or `**kwargs`); name what may be given.")
        todo.append("name what else it takes, which is `*args` or `**kwargs` in the program")
    if guess.acts:
        lines.append(
            f"reversal: {{none: {UNSAID}}}  # say yourself: a contract that undoes it, or why it cannot be undone"
        )
    lines.append("run: in_process  # the function stays in the agent's program")
    return Written("\n".join(lines) + "\n", tuple(todo))


def _said(tool: FoundTool, arguments: dict[str, Schema], unclear: dict[str, str]) -> list[str]:
    """The lines of the arguments: by name, or as a whole schema where one may be left out that has no default."""
    if not arguments:
        return []
    left_out = [name for name in arguments if name in tool.optional and "default" not in arguments[name]]
    if not left_out:
        return ["arguments:", *(_line(name, schema, unclear, "  ") for name, schema in arguments.items())]
    required = [
        plain(name) for name, schema in arguments.items() if name not in tool.optional and "default" not in schema
    ]
    return [
        "arguments:",
        "  type: object",
        f"  required: [{', '.join(required)}]",
        "  additionalProperties: false",
        "  properties:",
        *(_line(name, schema, unclear, "    ") for name, schema in arguments.items()),
    ]


def _line(name: str, schema: Schema, unclear: dict[str, str], indent: str) -> str:
    mark = f"  # TO SAY: {unclear[name]}" if name in unclear else ""
    return f"{indent}{plain(name)}: {flow(dict(schema))}{mark}"


def _arguments(tool: FoundTool) -> tuple[dict[str, Schema], dict[str, str]]:
    """The schema of each argument as a contract takes it, and what is wrong with those that nobody could tell."""
    found: dict[str, Schema] = {}
    unclear = {
        name: "its annotation says nothing that could be read; `string` stands for it" for name in tool.unclear if name
    }
    for name, given in tool.arguments.items():
        whole = _whole(given) if isinstance(given, dict) else {}
        schema = whole if isinstance(whole, dict) else {}
        if name not in unclear and whole != given:
            unclear[name] = "a fraction has no exact form; take whole minor units, or text"
        shut, flaws = closed({"type": "object", "properties": {name: schema}}, narrow=True)
        inner = shut["properties"]
        if flaws or not isinstance(inner, dict):
            why = f"it {clean(flaws[0].detail)}; " if flaws else ""
            unclear.setdefault(name, f"{why}`string` stands for it")
            found[name] = {"type": "string"}
            continue
        part = inner[name]
        found[name] = part if isinstance(part, dict) else {"type": "string"}
    return found, unclear


def _whole(node: JsonValue) -> JsonValue:
    """A schema in which what may be a fraction is a whole number."""
    if isinstance(node, list):
        return [_whole(each) for each in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, JsonValue] = {}
    for word, part in node.items():
        if word == "type":
            kinds = part if isinstance(part, list) else [part]
            given: list[JsonValue] = ["integer" if each == "number" else each for each in kinds]
            made[word] = given if isinstance(part, list) else given[0]
        elif word in SCHEMA_DATA or word in _NUMERIC:
            made[word] = part
        else:
            made[word] = _whole(part)
    return made
