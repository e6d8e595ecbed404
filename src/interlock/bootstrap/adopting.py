"""Beginning a workspace from what somebody has already: looked at, written as a whole or not at all, and never run."""

import os
import pwd
import shlex
import shutil
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters.adopting.drafting import Draft, Wanted, draft
from interlock.adapters.adopting.looking import look_closely
from interlock.adapters.adopting.naming import fitted
from interlock.adapters.adopting.rewriting import by_hand, replace, rewritten
from interlock.adapters.workspace.folder import SETTINGS
from interlock.adapters.workspace.starters import write_new
from interlock.bootstrap.beginning import begin_matrix, initialise
from interlock.bootstrap.site import read_site
from interlock.domain.adoption import CALLED, Adopted, Configured, Found, FoundServer, Framework, Step
from interlock.domain.errors import FileError, WorkspaceError
from interlock.domain.names import instead

CONFIDENCE: Final = 800
"""From how many per mille on an agent counts as sure, in the policies to begin with."""
GUIDES: Final[dict[Framework, str]] = {
    "langchain": "docs/how-to/put-it-under-langchain.md",
    "openai-agents": "docs/how-to/put-it-under-openai-agents.md",
    "pydantic-ai": "docs/how-to/put-it-under-pydantic-ai.md",
    "google-adk": "docs/how-to/put-it-under-google-adk.md",
    "strands": "docs/how-to/put-it-under-strands.md",
    "autogen": "docs/how-to/put-it-under-autogen.md",
    "ag2": "docs/how-to/put-it-under-ag2.md",
    "crewai": "docs/how-to/put-it-under-crewai.md",
    "mcp": "docs/how-to/put-an-mcp-server-under-contract.md",
    "plain": "docs/how-to/use-it-from-a-program.md",
}
"""The page about each."""


class Adopting(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    path: Path
    out: Path
    agent: str = ""
    person: str = ""
    rewrite: bool = False
    """Whether clients' configurations are changed as well."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and what is to be written for it. `values` are what was secret: it is never shown or written."""

    asked: Adopting
    found: Found
    wanted: Wanted
    made: Draft
    values: dict[str, str]
    there: bool = False
    """The workspace is there already: of all of this only clients' configurations are changed."""


def looked(asked: Adopting) -> Looked:
    """Look. Raises FileError and WorkspaceError; nothing is written."""
    there = asked.rewrite and (asked.out / SETTINGS).is_file()
    if not there:
        free(asked.out)
    found, values = look_closely(asked.path)
    wanted = _wanted(asked, found)
    return Looked(asked=asked, found=found, wanted=wanted, made=draft(found, wanted), values=values, there=there)


def adopt(asked: Adopting) -> Adopted:
    """Look, and write a workspace in shadow. Raises FileError and WorkspaceError; then nothing was written."""
    return written(looked(asked))


def written(seen: Looked) -> Adopted:
    """Write it. Raises FileError and WorkspaceError; then nothing was."""
    if seen.there:
        return _put_before(seen)
    asked, wanted, made = seen.asked, seen.wanted, seen.made
    files, wrong = _written(asked.out, made, wanted)
    words = gateway_words(asked.out, wanted.agent, wanted.person)
    return Adopted(
        folder=str(asked.out),
        agent=wanted.agent,
        files=tuple(files),
        servers=made.servers,
        tools=made.tools,
        todo=made.todo,
        overlooked=made.overlooked,
        wrong=tuple(wrong),
        clients=_clients(asked, seen.found, seen.values, words),
        steps=next_steps(seen, ()),
    )


def _put_before(seen: Looked) -> Adopted:
    """Put the gateway of a workspace that is there into the configurations of clients, in the place of the servers that it names.
    Nothing of the workspace is changed. Raises WorkspaceError where it names none of them, or not the agent."""
    asked, workspace = seen.asked, read_site(seen.asked.out).workspace
    agents = [each.name for each in workspace.agents]
    agent = asked.agent or (agents[0] if len(agents) == 1 else seen.wanted.agent)
    if agent not in agents:
        raise WorkspaceError(
            f"`{asked.out}` has no agent `{agent}`",
            next_step=instead(agent, agents, "name one of its agents: `--agent`"),
        )
    named = {each.name for each in workspace.servers}
    pairs = [
        (found, made)
        for found, made in zip(seen.found.servers, seen.made.servers, strict=False)
        if made.name in named and _same_variables(asked.out, made)
    ]
    if not pairs:
        raise WorkspaceError(
            f"`{asked.out}` names none of these servers as they are reached here, and nothing of it is overwritten",
            next_step="adopt into another place, `--out FOLDER`",
        )
    found = msgspec.structs.replace(seen.found, servers=tuple(each for each, _ in pairs))
    made = seen.made._replace(servers=tuple(each for _, each in pairs), tools=())
    return Adopted(
        folder=str(asked.out),
        agent=agent,
        files=(),
        servers=made.servers,
        tools=(),
        todo=(),
        overlooked=seen.found.overlooked,
        wrong=(),
        clients=_clients(asked, found, seen.values, gateway_words(asked.out, agent, seen.wanted.person)),
        steps=next_steps(msgspec.structs.replace(seen, made=made), workspace.pins),
    )


def _same_variables(out: Path, server: FoundServer) -> bool:
    """Whether the workspace's file of the server is given all that the configuration holds back of it."""
    text = (out / "servers" / f"{server.name}.yaml").read_text(encoding="utf-8")
    return all(each.variable in text for each in server.hidden)


def _clients(asked: Adopting, found: Found, values: Mapping[str, str], words: Sequence[str]) -> tuple[Configured, ...]:
    """Every configuration with the gateway in it; put in place where that was asked for."""
    made = list[Configured]()
    folder = asked.path if asked.path.is_dir() else asked.path.parent
    for file in dict.fromkeys(each.file for each in found.servers if not each.file.endswith(".py")):
        servers = [each for each in found.servers if each.file == file]
        try:
            new = rewritten(folder / file, words, servers, values)
            before = str(replace(folder / file, new.text)) if asked.rewrite else ""
        except (WorkspaceError, FileError) as error:
            made.append(Configured(file=file, shown=by_hand(file, words, servers), why=error.detail))
            continue
        made.append(Configured(file=file, shown=new.shown, gone=new.gone, kept=new.kept, before=before))
    return tuple(made)


def free(out: Path) -> None:
    """Raises WorkspaceError where there is anything already."""
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise WorkspaceError(
            f"there is something at `{out}` already, and nothing is overwritten",
            next_step="name another place for the workspace: `--out FOLDER`",
        )


def _wanted(asked: Adopting, found: Found) -> Wanted:
    """Raises WorkspaceError where nothing was found."""
    if not found.servers and not found.tools:
        seen = f"; {found.overlooked[0].file}: {found.overlooked[0].why}" if found.overlooked else ""
        raise WorkspaceError(
            f"in `{asked.path}` there is no MCP server and no tool that we know{seen}",
            next_step="name a client's configuration (`claude_desktop_config.json`, `.mcp.json`) or the folder of a program; "
            "`interlock init` begins a workspace from nothing",
        )
    whole = asked.path.resolve()
    folder = whole if whole.is_dir() else whole.parent
    name = fitted(folder.name, "agent") if whole.is_dir() else fitted(whole.stem, "agent")
    return Wanted(
        tenant=fitted(folder.name, "default"),
        agent=fitted(asked.agent, "agent") if asked.agent else name,
        person=asked.person or _somebody(),
        what=whole.name,
        root=folder if whole.is_dir() else None,
    )


def _somebody() -> str:
    """Who is at the keyboard, by the name the system knows."""
    try:
        return fitted(pwd.getpwuid(os.getuid()).pw_name, "me")
    except KeyError:
        return "me"


def _written(out: Path, made: Draft, wanted: Wanted) -> tuple[list[str], list[str]]:
    """All of it at once: made beside `out`, held against the rules, then put in its place. Gives the files, and what is wrong."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise FileError(f"`{out}` cannot be written: {error.strerror}") from None
    try:
        files = write_new(beside, made.files)
        files += begin_matrix(beside, confidence=CONFIDENCE).files
        files += initialise(beside, wanted.tenant)
        wrong = [
            f"{each.file}:{each.line}: {each.message}"
            for each in read_site(beside).problems
            if each.severity == "error"
        ]
        beside.chmod(0o755)
        beside.replace(out)
    except OSError as error:
        raise FileError(f"`{out}` cannot be written: {error.strerror}") from None
    finally:
        # Once it is in its place there is nothing left to take away.
        shutil.rmtree(beside, ignore_errors=True)
    return files, wrong


def next_steps(seen: Looked, pinned: Collection[str]) -> tuple[Step, ...]:
    """The next three. `pinned` are the servers of which somebody accepted what they offer."""
    asked, wanted, made = seen.asked, seen.wanted, seen.made
    here = f"interlock -w {shlex.quote(str(asked.out))}"
    pins = [f"{here} server pin {each.name}" for each in made.servers if not each.disabled and each.name not in pinned]
    variables = {hidden.variable: hidden.what for each in made.servers for hidden in each.hidden}
    first = "Read what was guessed, say it yourself where it is wrong, and put it in force."
    if pins:
        first = (
            "See what each server offers, accept it, say what its tools do (unsaid, they count as acting), name what the agent "
            "may use in its file, and put it in force. Adopted anew with `--connect`, all of that is done at once, with guesses."
        )
    exported = [f"export {name}=...  # {what}" for name, what in sorted(variables.items())]
    return (
        Step(words=first, lines=(*exported, *pins, f"{here} check", f"{here} apply")),
        _put_under(asked, made),
        Step(
            words="Let it work as ever: what reads happens, what acts is only recorded. Look at what it would have done. Then "
            f"name the four owners in agents/{wanted.agent}.yaml, and raise its stage.",
            lines=(f"{here} actions --agent {wanted.agent}", f"{here} agent show {wanted.agent}"),
        ),
    )


def _put_under(asked: Adopting, made: Draft) -> Step:
    frameworks: list[Framework] = [
        each for each in CALLED if any(tool.framework == each and not tool.server for tool in made.tools)
    ]
    guides = [f"{CALLED[each]}: {GUIDES[each]}" for each in frameworks if each != "mcp"]
    if not made.servers:
        return Step(words="Put the agent's tools under the gate, which is a line in its program.", lines=tuple(guides))
    if asked.rewrite:
        return Step(words="Begin the client anew: the gateway stands in the place of its servers.", lines=tuple(guides))
    return Step(
        words="Put the gateway in the place of the servers in the client's configuration, as printed above (`--rewrite` "
        "does so, now or later), and begin the client anew.",
        lines=tuple(guides),
    )


def gateway_words(out: Path, agent: str, person: str) -> Sequence[str]:
    """The command by which a client begins the gateway. Clients know no PATH of ours, so it is the whole way."""
    place = str(out.resolve())
    return [
        sys.executable,
        "-m",
        "interlock",
        "-w",
        place,
        "gateway",
        "--agent",
        agent,
        "--on-behalf-of",
        f"user:{person}",
    ]
