"""A workspace folder, read whole.

    interlock.yaml      tenant, store, keys, modules with tools, budgets
    people.yaml         who there is, and the roles each holds
    on_call.yaml        when each role is on call, where anything is said of that
    rights.yaml         what whoever a task is for may lend, where anything is said of that
    vigilance.yaml      items known to be bad, put before people to see whether they notice
    agents/*.yaml       contracts/*.yaml       policies/*.cedar       invariants.cedar
    servers/*.yaml      servers/*.pinned.json  servers of the Model Context Protocol, and what was accepted of them

Reading never raises for what is in the folder: whatever is wrong is among the `problems`, with file, line and column.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters.workspace.agent_file import Places, read_agent
from interlock.adapters.workspace.anchors_file import Anchorage, read_anchorage
from interlock.adapters.workspace.contract_file import read_contract
from interlock.adapters.workspace.fields import NAME, Section
from interlock.adapters.workspace.files import bytes_of, text_of
from interlock.adapters.workspace.gateway_file import read_patience, read_resource
from interlock.adapters.workspace.identity_file import read_attestation
from interlock.adapters.workspace.limits_of import limits, prices, rates
from interlock.adapters.workspace.models_file import read_models
from interlock.adapters.workspace.nodes import Node, Scalar, Table, parse
from interlock.adapters.workspace.notifications_file import read_channels
from interlock.adapters.workspace.people_file import read_people
from interlock.adapters.workspace.pinned_file import ENDING
from interlock.adapters.workspace.problem import Place, Problem, Problems
from interlock.adapters.workspace.publishing_file import read_publishing
from interlock.adapters.workspace.rights_file import read_rights
from interlock.adapters.workspace.routing_file import read_approvals, read_on_call
from interlock.adapters.workspace.server_file import read_hosting
from interlock.adapters.workspace.upstream_file import read_server
from interlock.adapters.workspace.vigilance_file import read_watch
from interlock.domain.access_token import Resource
from interlock.domain.agent import Agent
from interlock.domain.attesting import Attestation
from interlock.domain.channel import Channel
from interlock.domain.contract import Contract
from interlock.domain.errors import FileError, WorkspaceError
from interlock.domain.hosting import Hosting
from interlock.domain.ids import Person, Tenant
from interlock.domain.model_route import Models
from interlock.domain.on_call import Rota
from interlock.domain.patience import Patience
from interlock.domain.policy import ENGINES, Engine
from interlock.domain.proof import INVARIANTS
from interlock.domain.publishing import TESTING, Publishing
from interlock.domain.rate import Rate
from interlock.domain.rights import Rights
from interlock.domain.routing import Routing
from interlock.domain.settlement import Timing
from interlock.domain.spiffe import SpiffeError, default_domain, must_be_domain
from interlock.domain.upstream import Pinned, Server
from interlock.domain.use import Price
from interlock.domain.vigilance import Watch

SETTINGS: Final = "interlock.yaml"
PEOPLE: Final = "people.yaml"
RIGHTS: Final = "rights.yaml"
ON_CALL: Final = "on_call.yaml"
VIGILANCE: Final = "vigilance.yaml"


class WorkspaceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What `interlock.yaml` says. Paths are absolute, or below the workspace."""

    tenant: Tenant = Tenant("default")
    trust_domain: str = "default.interlock.internal"
    """Within which agents are named: the domain of their SPIFFE ids."""
    attestation: Attestation = Attestation()
    """By what running instances are recognised."""
    store: Path
    keys: Path
    modules: tuple[str, ...] = ()
    """Python modules whose tools are part of the workspace."""
    pythonpath: tuple[Path, ...]
    """Folders in which they are looked for first."""
    budgets: dict[str, int] = {}
    """The tenant's limits by unit (`EUR`, `EUR per day`)."""
    soft: dict[str, int] = {}
    """Of some of them: the share of the limit, per mille, from which on it is noticed."""
    rates: dict[str, Rate] = {}
    """How often may be called, by `tenant` or `tag:web`."""
    prices: dict[str, Price] = {}
    """What models cost, where that is not to be looked up."""
    timing: Timing = Timing()
    publishing: Publishing = Publishing()
    routing: Routing = Routing()
    """Without the hours on call, which have a file of their own."""
    retention: dict[str, int] = {}
    """By data class, for how many milliseconds what has something of it is kept; longer, and it may be erased."""
    engine: Engine = "compiled"
    """What answers for the policies."""
    channels: tuple[Channel, ...] = ()
    """Ways to people outside."""
    anchorage: Anchorage = Anchorage()
    """Who cosigns the log."""
    hosting: Hosting = Hosting()
    """Where the server is to be found."""
    patience: Patience = Patience()
    """How long calls of the gateway's clients wait for people."""
    models: Models = Models()
    """Who is asked when an agent asks for a model."""
    resource: Resource = Resource()
    """Whose access tokens let programs in, and as which agents."""

    @property
    def gateway(self) -> Hosting:
        """Where what is spoken to with tokens is to be found: at its own address, where it has one."""
        resource = self.resource
        if not resource.resource:
            return self.hosting
        return msgspec.structs.replace(self.hosting, public_url=resource.origin, host=resource.host)


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a workspace's files say. In force it goes only without an error among the `problems`."""

    folder: Path
    settings: WorkspaceSettings
    people: dict[Person, tuple[str, ...]]
    rights: Rights | None
    """What initiators may lend; None where there is no `rights.yaml`."""
    routing: Routing = Routing()
    """How what waits for people reaches them."""
    watch: Watch = Watch()
    """Items known to be bad."""
    agents: tuple[Agent, ...]
    contracts: tuple[Contract, ...]
    """Those written in YAML, and those of servers; those of the modules are added by whoever imports them."""
    servers: tuple[Server, ...] = ()
    """Servers of the Model Context Protocol."""
    pins: dict[str, Pinned] = {}
    """What was accepted of each, by name."""
    policies: dict[str, str]
    """Cedar text by file name."""
    problems: tuple[Problem, ...]
    places: Places
    invariants: dict[str, str] = {}
    """The same of what must always hold; nothing where nobody wrote it."""
    overlooked: tuple[str, ...] = ()
    """Files below `policies/`, relative to it, that by their names were meant as policies and are not read."""
    unread: frozenset[str] = frozenset()
    """Names of contracts whose files are there but wrong: nobody needs to be told that they are missing, too."""


def read_workspace(folder: Path) -> Workspace:
    """Read all of it. Raises WorkspaceError only where `folder` is no workspace at all."""
    if not (folder / SETTINGS).is_file():
        raise WorkspaceError(f"`{folder}` is no workspace: it has no {SETTINGS}", next_step=_elsewhere(folder))
    reading = _Reading(folder)
    settings = reading.settings()
    people = reading.people()
    rights = reading.rights()
    agents = reading.agents()
    contracts = (*reading.contracts(), *reading.upstream())
    policies = reading.policies()
    return Workspace(
        folder=folder,
        settings=settings,
        people=people,
        rights=rights,
        routing=msgspec.structs.replace(settings.routing, on_call=reading.on_call()),
        watch=reading.watch(),
        agents=agents,
        contracts=contracts,
        servers=tuple(reading.servers),
        pins=reading.pins,
        policies=policies,
        invariants=reading.invariants(),
        overlooked=reading.overlooked(),
        problems=tuple(reading.problems),
        places=reading.places,
        unread=frozenset(reading.unread),
    )


def _meant_as_policy(name: str) -> bool:
    """Whether a file's name says that. What an editor keeps beside a file it is at does not."""
    ending = f".{name.rpartition('.')[2].casefold()}" if "." in name else ""
    spelled = ".cedar" in name.casefold() or get_close_matches(ending, [".cedar"], cutoff=0.7)
    return bool(spelled) and not name.endswith(("~", "#", ".swp"))


def _elsewhere(folder: Path) -> str:
    """Where the workspace may be instead: `folder` is often one of its own folders."""
    for parent in folder.absolute().parents:
        if (parent / SETTINGS).is_file():
            return f"`{parent}` is one: go there, or name it: `interlock -w {parent} ...`"
    return "go into the workspace's folder, or name it: `interlock -w FOLDER ...`; a new one: `interlock init FOLDER`"


def sound(problems: tuple[Problem, ...]) -> None:
    """Raise the first error among `problems` as WorkspaceError, which says how many more there are.

    Raises FileError where we may not read the file.
    """
    wrong = [problem for problem in problems if problem.severity == "error"]
    if wrong:
        first, more = wrong[0], f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        if first.message.endswith(os.strerror(errno.EACCES)):
            raise FileError(f"permission to read `{first.file}` is denied")
        raise WorkspaceError(first.message + more, file=first.file, line=first.line, column=first.column)


class _Reading:
    """One reading of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.places: Places = {}
        self.unread: set[str] = set()
        self.servers: list[Server] = []
        self.pins: dict[str, Pinned] = {}

    def settings(self) -> WorkspaceSettings:
        """`interlock.yaml`."""
        problems = Problems(SETTINGS)
        path = self.folder / SETTINGS
        # Defaults are settings, too: an empty file is a workspace.
        table = self._table(path, problems, empty_is_none=True) or Table({}, {}, 1, 1)
        section = Section(table, SETTINGS, problems)
        tenant = section.text("tenant", "default")
        if not NAME.fullmatch(tenant):
            section.wrong(
                f"`{tenant[:64]}` is no name for a tenant: a word of letters, digits, `_` and `-`",
                section.take("tenant"),
            )
        trust_domain = section.text("trust_domain", default_domain(tenant) if NAME.fullmatch(tenant) else "")
        if trust_domain:
            try:
                must_be_domain(trust_domain)
            except SpiffeError as error:
                section.wrong(f"`{trust_domain[:64]}`: {error}", section.take("trust_domain"))
        timing, base = section.section("timing"), Timing()
        budgets, soft = limits(section, "budgets")
        routing = read_approvals(section.section("approvals"))
        gateway = section.section("gateway")
        settings = WorkspaceSettings(
            tenant=Tenant(tenant),
            trust_domain=trust_domain,
            attestation=read_attestation(section.section("identity"), trust_domain),
            store=self.folder / section.text("store", ".interlock/interlock.db"),
            keys=self.folder / section.text("keys", ".interlock/keys"),
            modules=section.texts("modules"),
            pythonpath=tuple(self.folder / path for path in section.texts("pythonpath") or (".",)),
            budgets=budgets,
            soft=soft,
            rates=rates(section, "rates"),
            prices=prices(section, "prices"),
            timing=base
            if timing is None
            else Timing(
                lease_margin_ms=timing.span("lease_margin", base.lease_margin_ms),
                skew_ms=timing.span("skew", base.skew_ms),
            ),
            publishing=msgspec.structs.replace(
                read_publishing(section.section("publishing")),
                tests=section.choice("policy_tests", TESTING, "required"),
            ),
            routing=routing,
            retention=_retention(section.section("retention")),
            engine=section.choice("engine", ENGINES, "compiled"),
            channels=read_channels(section.section("notifications")),
            anchorage=read_anchorage(section, self.folder),
            hosting=read_hosting(section.section("server")),
            models=read_models(section.section("models"), self.places),
            patience=read_patience(gateway),
            resource=read_resource(gateway, self.places),
        )
        for scope, node in section.pairs("rates").items():
            self.places["rate", scope] = Place(SETTINGS, node.line, node.column)
        self.places["setting", "publishing"] = section.place("publishing")
        for word in section.words("modules"):
            self.places["module", word.text] = Place(SETTINGS, word.line, word.column)
            if not all(part.isidentifier() for part in word.text.split(".")):
                section.wrong(f"`{word.text[:64]}` is no module: `package.module`", word)
        if timing is not None:
            timing.close()
        section.close()
        self.problems += problems.found
        return settings

    def people(self) -> dict[Person, tuple[str, ...]]:
        """`people.yaml`."""
        problems = Problems(PEOPLE)
        people: dict[Person, tuple[str, ...]] = {}
        if not (self.folder / PEOPLE).exists():
            problems.add("there is no people.yaml, so nobody can approve anything", severity="warning")
        elif (table := self._table(self.folder / PEOPLE, problems)) is not None:
            people = read_people(Section(table, PEOPLE, problems))
        self.problems += problems.found
        return people

    def rights(self) -> Rights | None:
        """`rights.yaml`. One that cannot be read gives nobody any."""
        path, problems = self.folder / RIGHTS, Problems(RIGHTS)
        if not path.exists():
            return None
        table = self._table(path, problems)
        rights = Rights() if table is None else read_rights(Section(table, RIGHTS, problems), self.places)
        self.problems += problems.found
        return rights

    def on_call(self) -> dict[str, Rota]:
        """`on_call.yaml`."""
        path, problems = self.folder / ON_CALL, Problems(ON_CALL)
        if not path.exists():
            return {}
        rotas: dict[str, Rota] = {}
        if (table := self._table(path, problems)) is not None:
            section = Section(table, ON_CALL, problems)
            rotas = read_on_call(section)
            for role in rotas:
                self.places["on call", role] = section.place(role)
        self.problems += problems.found
        return rotas

    def watch(self) -> Watch:
        """`vigilance.yaml`."""
        path, problems = self.folder / VIGILANCE, Problems(VIGILANCE)
        if not path.exists():
            return Watch()
        table = self._table(path, problems)
        watch = Watch() if table is None else read_watch(Section(table, VIGILANCE, problems), self.places)
        self.problems += problems.found
        return watch

    def agents(self) -> tuple[Agent, ...]:
        """`agents/*.yaml`."""
        found: dict[str, Agent] = {}
        for section in self._sections("agents", "an agent"):
            agent = read_agent(section, self.folder, self.places)
            if agent is not None and found.setdefault(agent.name, agent) is not agent:
                section.wrong(f"there is another agent `{agent.name}`", section.take("name"))
            self.problems += section.problems.found
        return tuple(found.values())

    def contracts(self) -> tuple[Contract, ...]:
        """`contracts/*.yaml`."""
        found: dict[str, Contract] = {}
        for section in self._sections("contracts", "a contract"):
            name, contract = read_contract(section, self.places)
            if contract is None:
                self.unread.add(name)
            elif found.setdefault(name, contract) is not contract:
                section.wrong(f"there is another contract `{name}`", section.take("name"))
            self.problems += section.problems.found
        return tuple(found.values())

    def upstream(self) -> tuple[Contract, ...]:
        """`servers/*.yaml`, with the pins beside them."""
        found: list[Contract] = []
        for path in self._files("servers", ".yaml"):
            problems = Problems(self._name(path))
            table = self._table(path, problems)
            if table is not None:
                read = read_server(path, Section(table, "a server", problems), self.places)
                found += read.contracts
                self.unread.update(read.unread)
                if not problems.wrong:
                    self.servers.append(read.server)
                    self.pins |= {} if read.pinned is None else {read.server.name: read.pinned}
            self.problems += problems.found
        return tuple(found)

    def policies(self) -> dict[str, str]:
        """`policies/*.cedar`, as text."""
        return self._texts(self._files("policies", ".cedar"))

    def invariants(self) -> dict[str, str]:
        """`invariants.cedar`, as text."""
        path = self.folder / INVARIANTS
        return self._texts([path]) if path.exists() else {}

    def _texts(self, paths: Sequence[Path]) -> dict[str, str]:
        texts: dict[str, str] = {}
        for path in paths:
            found = text_of(path)
            if found.text is None:
                self.problems.append(Problem(file=self._name(path), message=f"the file {found.why}"))
            else:
                texts[path.name] = found.text
        return texts

    def overlooked(self) -> tuple[str, ...]:
        """What stands below `policies/` and was meant to be read: a misspelt ending, or a file in a folder of its own."""
        folder, found = self.folder / "policies", list[str]()
        for path in folder.rglob("*"):
            below = path.relative_to(folder)
            read = path.suffix == ".cedar" and len(below.parts) == 1
            hidden = any(part.startswith(".") for part in below.parts)
            if not read and not hidden and _meant_as_policy(path.name) and path.is_file():
                found.append(below.as_posix())
        return tuple(sorted(found))

    def _sections(self, kind: str, what: str) -> Iterator[Section]:
        """Each file of a kind as a table; what cannot be one is noted."""
        for path in self._files(kind, ".yaml"):
            problems = Problems(self._name(path))
            table = self._table(path, problems)
            if table is None:
                self.problems += problems.found
            else:
                yield Section(table, what, problems)

    def _files(self, kind: str, ending: str) -> list[Path]:
        """The files of a kind, by name. A file of another ending that was meant to be read is noted."""
        folder = self.folder / kind
        try:
            paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            self.problems.append(Problem(file=kind, message=f"the folder cannot be read: {error.strerror}"))
            return []
        for path in paths:
            if path.suffix in (".yml", ".json") and ending == ".yaml" and not path.name.endswith(ENDING):
                self.problems.append(
                    Problem(file=self._name(path), message="is not read: call it `.yaml`", severity="warning")
                )
        return [path for path in paths if path.suffix == ending]

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _parsed(self, path: Path, problems: Problems) -> Node | None:
        data, why = bytes_of(path)
        if data is None:
            problems.add(f"the file {why}")
            return None
        return parse(data, problems)

    def _table(self, path: Path, problems: Problems, *, empty_is_none: bool = False) -> Table | None:
        node = self._parsed(path, problems)
        if isinstance(node, Table):
            return node
        if not problems.found and not (node is None and empty_is_none):
            line, column = (node.line, node.column) if isinstance(node, Scalar) else (1, 1)
            problems.add("the file must be a table of fields", line, column)
        return None


def _retention(section: Section | None) -> dict[str, int]:
    """For how long each class of data is kept."""
    if section is None:
        return {}
    kept = {name: section.span(name, 0) for name in section.table.entries}
    section.close()
    return kept
