"""`servers/NAME.yaml`: how a server of the Model Context Protocol is reached, and what its tools may do.

stdio: {command: [mcp-server-git, --repository, /srv/notes], env: {GIT_TOKEN: "${GIT_TOKEN}"}, cwd: .}
# or  http: {url: "https://tools.example/mcp", headers: {Authorization: "Bearer ${TOOLS_TOKEN}"}}
auth: {client_credentials: {issuer: "https://id.example", client: interlock, secret: "env:TOOLS_SECRET"}}   # of http alone
owner: platform-team           # of every contract below
trusted: no                    # whether what it gives counts as our own systems' word
connections: shared            # or each_task: a connection of its own for every task, where it may ask back
timeout: 30s                   # of a connection and of every call, unless a tool says otherwise
most_bytes: 4194304            # of one message
refresh: 1m                    # what it says of its tools is asked again after so long
sampling: deny                 # or ask; elicitation and roots alike
resources: ["file:///srv/notes/*"]     # URIs that may be read
prompts: [summarise]                   # prompts that may be had
tools:                         # by the server's own names; of those not named here the most careful is said
  git_status: {effect: read, risk: low}
  git_commit: {effect: write, risk: medium, reversal: {none: history is kept}, errors: nothing happened}
"""

import re
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.adapters.addresses import is_safe
from interlock.adapters.upstream_addresses import wrong_with
from interlock.adapters.workspace.agent_file import Places
from interlock.adapters.workspace.auth_file import read_auth
from interlock.adapters.workspace.contract_file import EFFECTS, promises
from interlock.adapters.workspace.fields import NAME, Section, near
from interlock.adapters.workspace.nodes import Listing, Node, Scalar, is_empty
from interlock.adapters.workspace.pinned_file import ENDING, read_pinned
from interlock.adapters.workspace.problem import Place, Problem, Problems
from interlock.adapters.workspace.targets import named_values
from interlock.domain.contract import RISKS, Contract
from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.errors import ContractError
from interlock.domain.upstream import MOST_BYTES, Connections, Http, Pinned, Reverse, Server, Stdio, Way
from interlock.domain.upstream_contract import Words, collisions, contract_name, upstream_contract
from interlock.domain.upstream_reads import beside_tools

_CONNECTIONS: Final[tuple[Connections, ...]] = ("shared", "each_task")
_REVERSE: Final[tuple[Reverse, ...]] = ("deny", "ask")
_ERRORS: Final[tuple[Literal["unsure", "nothing happened"], ...]] = ("unsure", "nothing happened")
_TRUE: Final = ("yes", "true")
_FALSE: Final = ("no", "false")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOOPBACK: Final = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)")
LEAST_BYTES: Final = 4 * 1024
MOST_EVER: Final = 8 * 1024 * 1024
"""A longer result could not be looked through for secrets, so nobody would get it."""


class ServerFile(NamedTuple):
    """One server as its two files say: what cannot be bound is among the problems."""

    server: Server
    pinned: Pinned | None
    contracts: tuple[Contract, ...]
    unread: tuple[str, ...]
    """Names of contracts that are wrong: nobody needs to be told that they are missing, too."""


def read_server(path: Path, section: Section, places: Places) -> ServerFile:
    """Read `servers/NAME.yaml`, and the pins beside it. What is wrong is noted in the problems of `section`."""
    name = path.stem
    if not NAME.fullmatch(name):
        section.wrong(f"`{name[:64]}` is no name for a server: a word of letters, digits, `_` and `-`")
    server = _server(name, section)
    tools = section.section("tools")
    words = {} if tools is None else {each: _words(tools, each, node) for each, node in tools.own()}
    owner = section.text("owner")
    section.close()
    pins = path.with_name(name + ENDING)
    problems = Problems(f"{Path(section.problems.file).parent.as_posix()}/{pins.name}")
    pinned = read_pinned(pins, problems)
    section.problems.found += problems.found
    if pinned is None:
        if not problems.found:
            said = f"no tool of `{name}` is under contract: see what it offers, `interlock server pin {name}`"
            section.wrong(said, warn=True)
        return ServerFile(server, None, (), tuple(contract_name(name, each) for each in words))
    contracts, unread = _contracts(server, pinned, words, owner, section, tools, places)
    beside = _beside(server, owner, contracts, section, places)
    return ServerFile(server, pinned, (*contracts, *beside), unread)


def _beside(
    server: Server, owner: str, tools: tuple[Contract, ...], section: Section, places: Places
) -> tuple[Contract, ...]:
    """The contracts of what is let pass beside tools, resources say. A tool of such a name keeps it."""
    taken, found = {each.name for each in tools}, list[Contract]()
    for each in beside_tools(server, owner):
        if each.name in taken:
            section.wrong(
                f"`{each.name}` is a tool, and what is had beside tools would be called so: let none of it pass"
            )
            continue
        places["contract", each.name] = places["contract", each.name, "reversal"] = section.place("tools")
        found.append(each)
    return tuple(found)


def _contracts(
    server: Server,
    pinned: Pinned,
    words: dict[str, Words],
    owner: str,
    section: Section,
    tools: Section | None,
    places: Places,
) -> tuple[tuple[Contract, ...], tuple[str, ...]]:
    """A contract of every tool that was accepted; what cannot be one is noted, with what to do."""
    there = {each.name: each for each in pinned.tools}
    for each in words:
        if each not in there and tools is not None:
            tools.wrong(f"`{server.name}` has no tool `{each[:64]}`{near(each, tuple(there))}", tools.take(each))
    alike = collisions(server.name, there)
    found: list[Contract] = []
    unread: list[str] = []
    for tool in pinned.tools:
        name = contract_name(server.name, tool.name)
        node = None if tools is None else tools.take(tool.name)
        place = section.place("tools") if node is None else Place(section.problems.file, node.line, node.column)
        places["contract", name] = places["contract", name, "reversal"] = place
        said = words.get(tool.name, Words())
        promised = said.promises if owner == "" else {"owner": owner, **said.promises}
        try:
            if name in alike:
                others = ", ".join(f"`{each[:64]}`" for each in alike[name])
                raise ContractError(f"several tools would be called `{name}`: {others}")
            found.append(upstream_contract(server, tool, msgspec.structs.replace(said, promises=promised)))
        except ContractError as error:
            unread.append(name)
            detail = error.detail.removeprefix(f"contract `{name}`: ")
            # What nobody spoke of here is left out, and said; what somebody spoke of is their mistake.
            warn = node is None and name not in alike
            out = f"the tool `{tool.name[:64]}` is left out: {detail}"
            section.problems.found.append(
                Problem(
                    file=place.file,
                    line=place.line,
                    column=place.column,
                    message=out,
                    severity="warning" if warn else "error",
                )
            )
    return tuple(found), tuple(unread)


def _server(name: str, section: Section) -> Server:
    connections: Connections = section.choice("connections", _CONNECTIONS, "shared")
    reverse: dict[str, Reverse] = {word: _reverse(section, word) for word in ("sampling", "elicitation", "roots")}
    for word, said in reverse.items():
        if said == "ask" and connections == "shared":
            why = "of a shared connection nobody knows whom it asks; say `connections: each_task`"
            section.wrong(f"`{word}: ask`: {why}", section.take(word))
    most = section.integer("most_bytes", MOST_BYTES, least=LEAST_BYTES)
    if most > MOST_EVER:
        section.wrong(f"`most_bytes` is at most {MOST_EVER}", section.take("most_bytes"))
    return Server(
        name=name,
        way=_way(section),
        trusted=_flag(section, "trusted"),
        connections=connections,
        timeout_ms=section.span("timeout", 30 * SECOND),
        most_bytes=most,
        refresh_ms=section.span("refresh", MINUTE),
        sampling=reverse["sampling"],
        elicitation=reverse["elicitation"],
        roots=reverse["roots"],
        resources=section.texts("resources"),
        prompts=section.texts("prompts"),
    )


def _reverse(section: Section, word: str) -> Reverse:
    return section.choice(word, _REVERSE, "deny")


def _way(section: Section) -> Way:
    stdio, http, auth = section.section("stdio"), section.section("http"), read_auth(section.section("auth"))
    nowhere = Stdio(command=())
    if (stdio is None) == (http is None):
        section.wrong("a server needs `stdio: {command: [...]}` or `http: {url: ...}`, one of them")
        return nowhere
    if stdio is not None:
        if auth is not None:
            section.wrong(
                "`auth` is for a server behind `http`; a program is given its own in `env`", section.take("auth")
            )
        command = _command(stdio)
        environ = named_values(stdio, "env", "variable")
        for each in environ:
            if not _VARIABLE.fullmatch(each):
                stdio.wrong(f"`{each[:64]}` is no name of a variable", stdio.take("env"))
        way: Way = Stdio(command=command, env=environ, cwd=stdio.text("cwd"))
        stdio.close()
        return way
    if http is None:
        return nowhere
    url = http.text("url", required=True)
    node = http.take("url")
    if url and not url.startswith(("http://", "https://")):
        http.wrong("`url` must begin with http:// or https://", node)
    elif url.startswith("http://") and not _LOOPBACK.match(url):
        http.wrong("what is sent to it can be read on the way: write https://", node, warn=True)
    if url and (problem := wrong_with(url)):
        http.wrong(f"`url` {problem}", node)
    way = Http(url=url, headers=named_values(http, "headers", "header"), auth=auth)
    if auth is not None and not is_safe(url):
        http.wrong("a credential is sent there: write https://", node)
    if auth is not None and "${" in url:
        http.wrong("`auth` and a secret in the address are two credentials; write one", node)
    if auth is not None and any(each.lower() == "authorization" for each in way.headers):
        http.wrong("`auth` and a header `Authorization` are two credentials; write one", http.take("headers"))
    http.close()
    return way


def _command(section: Section) -> tuple[str, ...]:
    """A program and its arguments, each as it is given: no shell reads them."""
    node = section.take("command", required=True)
    if node is None:
        return ()
    if not isinstance(node, Listing) or not node.items:
        section.wrong("`command` must be a list: the program and its arguments, a word each", node)
        return ()
    words: list[str] = []
    for each in node.items:
        if not isinstance(each, Scalar) or "\0" in each.text:
            section.wrong("`command` must be a list of words", each)
        else:
            words.append(each.text)
    return tuple(words)


def _flag(section: Section, name: str) -> bool:
    node = section.take(name)
    if node is None:
        return False
    return section.one_of(node, name, (*_TRUE, *_FALSE), "no") in _TRUE


def _words(tools: Section, name: str, node: Node) -> Words:
    """What is said of one tool. Whatever is not said stays the most careful."""
    section = None if is_empty(node) else tools.below(node, name)
    if section is None:
        return Words()
    spoken = {field: value for field, value in promises(section).items() if value}
    if section.has("effect"):
        spoken["effect"] = section.choice("effect", EFFECTS, "external")
    if section.has("risk"):
        spoken["risk"] = section.choice("risk", RISKS, "critical")
    if section.has("timeout") or section.has("timeout_ms"):
        spoken["timeout_ms"] = section.span("timeout", 30 * SECOND)
    if section.has("owner"):
        spoken["owner"] = section.text("owner")
    if section.has("description"):
        spoken["description"] = section.text("description")
    words = Words(
        promises=spoken,
        key=section.text("key"),
        errors="nothing" if section.choice("errors", _ERRORS, "unsure") == "nothing happened" else "unsure",
        whole=frozenset(section.texts("integers")),
    )
    section.close()
    return words
