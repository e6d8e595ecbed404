"""A server's file for what a client is configured with: reached as the client reached it, with no secret in it."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from interlock.adapters.adopting.contract_text import guessed
from interlock.adapters.adopting.yaml_text import clean, flow, plain
from interlock.domain.adoption import FoundServer
from interlock.domain.canonical import JsonValue
from interlock.domain.guess import Guess
from interlock.domain.hiding import REFERENCE


def server_text(server: FoundServer, root: Path | None, guesses: Mapping[str, Guess], *, begun: str = "") -> str:
    """The file `servers/NAME.yaml`. `root` is the folder in which the client began its program, where that is known; `begun` says
    why the way it is reached is a guess."""
    lines = [f"# Found in {clean(f'{server.file}:{server.line}', 200)}."]
    if server.hidden:
        variables = ", ".join(dict.fromkeys(each.variable for each in server.hidden))
        lines.append(f"# Set where it is begun, for no secret was copied: {clean(variables, 300)}")
    if server.disabled:
        lines.append("# The client has it switched off.")
    if begun:
        lines.append(f"# {clean(begun)}")
    lines.append(_http(server) if server.url else _stdio(server, root))
    if not guesses:
        lines.append("# tools:  # by the server's own names; of what is not named here the most careful is said")
    else:
        lines.append("tools:  # by the server's own names; of what is not named here the most careful is said")
        for name, guess in guesses.items():
            said = f"{{effect: {guess.effect}, risk: {guess.risk}}}"
            lines.append(f"  {plain(name)}: {said}  # {guessed(guess)}")
    return "\n".join(lines) + "\n"


def _http(server: FoundServer) -> str:
    way: dict[str, JsonValue] = {"url": server.url}
    if server.headers:
        way["headers"] = dict(server.headers)
    return f"http: {flow(way)}"


def _stdio(server: FoundServer, root: Path | None) -> str:
    words = [server.command, *server.arguments]
    words = [_placed(each, root) for each in words]
    env = dict(server.env)
    if any(REFERENCE.search(each) for each in words):
        # A command has no place for variables, its environment has: a shell puts them in.
        names = {found[1] for each in words for found in REFERENCE.finditer(each)}
        env.update({name: f"${{{name}}}" for name in sorted(names) if name not in env})
        words = ["sh", "-c", "exec " + " ".join(_quoted(each) for each in words)]
    command: list[JsonValue] = list(words)
    way: dict[str, JsonValue] = {"command": command}
    if env:
        way["env"] = {name: _placed(value, root) for name, value in env.items()}
    folder = _placed(server.folder, root)
    if root is not None:
        folder = str(root / folder) if folder else str(root)
    if folder:
        way["cwd"] = folder
    return f"stdio: {flow(way)}"


def _placed(text: str, root: Path | None) -> str:
    """What editors write for the folder they have open."""
    for name in ("workspaceFolder", "workspaceRoot"):
        text = text.replace("${" + name + "}", str(root) if root is not None else ".")
    return text


def _quoted(word: str) -> str:
    """A word as a shell reads it, its variables filled in and nothing else."""
    parts, done = list[str](), 0
    for found in REFERENCE.finditer(word):
        if found.start() > done:
            parts.append(shlex.quote(word[done : found.start()]))
        parts.append(f'"${{{found[1]}}}"')
        done = found.end()
    if done < len(word) or not parts:
        parts.append(shlex.quote(word[done:]))
    return "".join(parts)
