"""A workspace becomes a control plane: adapters become means, and means become services."""

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from interlock.adapters.attesting import LaterTokens
from interlock.adapters.bearing import LaterAccessTokens
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.explaining_later import LaterExplainer
from interlock.adapters.effectors.all import AllEffectors
from interlock.adapters.effectors.functions import Functions
from interlock.adapters.effectors.http_later import LaterHttp
from interlock.adapters.effectors.mcp_later import LaterMcp
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.adapters.issuing import InstanceKey, KeyIssuer, before_in, identity_key
from interlock.adapters.keys import KeyFolder, Keys, fresh, verify
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.memory import MemoryStore
from interlock.adapters.notifying import LaterNotifier
from interlock.adapters.parsing import LaterSql
from interlock.adapters.passwords_later import LaterPasswords
from interlock.adapters.prices_later import LaterPrices
from interlock.adapters.providing import LaterProvider
from interlock.adapters.remote.address import is_address
from interlock.adapters.sealer import Author, LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.sqlite.vault import SqliteVault
from interlock.adapters.system import SystemClock, SystemIds
from interlock.adapters.workspace import (
    Problems,
    Workspace,
    load_modules,
)
from interlock.adapters.workspace.pinned_file import pinned_path, read_pinned
from interlock.attended import Attended
from interlock.bootstrap.afar import open_afar
from interlock.bootstrap.anchors import anchoring
from interlock.bootstrap.auditing import index_of, rollups_of
from interlock.bootstrap.site import definition, read_site, settled
from interlock.domain.contract import InProcess
from interlock.domain.errors import KeyFileError, NotAllowed, StoreError, StoreMissing
from interlock.domain.fitting import checked
from interlock.domain.ids import StreamId, WorkerId
from interlock.domain.upstream import Pinned
from interlock.embedded import Embedded
from interlock.ports.steps import Steps
from interlock.sdk.client import Client
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.sdk.identity import Identity, Shows, shows
from interlock.sdk.lending import Lend
from interlock.sdk.signature import plain_result, values_of
from interlock.sdk.tool import Hooks, Tool, tools_in
from interlock.services.audit import Verifying
from interlock.services.means import Means
from interlock.services.plane import ControlPlane, plane

MEMORY = "memory:"


def connect(folder: Path, *, begin: bool = False, steps: Steps | None = None) -> ControlPlane:
    """The control plane on the workspace in `folder`. With `begin` a store is made where there is none.

    Raises WorkspaceError, KeyFileError and StoreErrors.
    """
    return _connect(settled(folder), memory=False, begin=begin, steps=steps)[0]


def lending(folder: Path) -> tuple[ControlPlane, Lend]:
    """The same for a program that lends functions of its own to single calls, and how it does."""
    plane, offered = _connect(settled(folder), memory=False, begin=False, steps=None)
    return plane, offered.lend


def rehearsing(folder: Path) -> ControlPlane:
    """A control plane of nothing but memory, with the workspace's tools: what is done in it is forgotten with it."""
    return _connect(settled(folder), memory=True, begin=False, steps=None)[0]


def looking(folder: Path, *, private: bool = True) -> ControlPlane:
    """The control plane for somebody who only looks: public keys suffice, and nothing can be written or run.

    Without `private` the vault is left alone, and what is sealed stays so: for whoever shows the log to strangers.
    """
    workspace = settled(folder)
    settings = workspace.settings
    _there(settings.store)
    vault = vault_at_hand(settings.keys) if private else None
    store = SqliteStore.look(settings.store, settings.tenant, vault)
    functions = Functions(values_of, plain_result)
    return _assembled(
        workspace,
        store,
        InProcessEffectors(functions),
        functions,
        public_keys(folder),
        None,
        worker_of(SystemIds()),
        None,
    )


def vault_of(keys: Path) -> SqliteVault:
    """The vault beside a key folder."""
    return SqliteVault(keys.with_name(f"{keys.name}.db"), keys)


def vault_at_hand(keys: Path) -> SqliteVault | None:
    """The vault, to be looked at; None for whoever was given the store and public keys alone."""
    file = keys.with_name(f"{keys.name}.db")
    if not file.is_file() or not any(keys.glob("vault.*.key")):
        return None
    return SqliteVault(file, keys, writable=False)


def _there(store: Path) -> None:
    """Raises StoreMissing where there is none."""
    if not store.exists():
        raise StoreMissing(f"there is no store `{store}`")


def public_keys(folder: Path) -> Verifying:
    """What the log of the workspace in `folder` is verified with. Raises WorkspaceError and KeyFileError."""
    log, gate = KeyFolder(settled(folder).settings.keys).public()
    return Verifying(log_key=log, gate_keys=(gate,), verify=verify)


def public_key_file(folder: Path) -> Path:
    """Where the log's public key lies, for whoever hands out evidence. Raises WorkspaceError."""
    return settled(folder).settings.keys / "log.pub"


@checked
def open(  # noqa: A001 the field's word
    location: str | Path,
    *,
    apply: bool = False,
    tools: Sequence[Tool[..., Any]] = (),
    attest: str = "local",
    evidence: str | Path | Callable[[str], str] = "",
    ca: str | Path = "",
    proxy: str = "",
) -> Client:
    """The agent's side of the control plane in a workspace folder, or at the address of an `interlock serve`.

    `apply=True` brings the workspace as it is on disk into force first. `tools` are tools of this program alone (nested
    functions, those of the main program): the workspace is brought into force together with their contracts.
    `attest` is how this program is to be recognised (`local`, `bootstrap`, `oidc` or `spire`), and `evidence` what it shows for
    that: a token, a file that holds one, or a function that gives one for an agent; asked for only when it is needed.
    `memory:FOLDER` keeps everything in memory, for tests, and always applies. `https://HOST` is a server, `http://127.0.0.1:PORT`
    one on this machine: nothing comes into force from there, and `attest` is another way than `local`; `ca` is a file of the
    authorities whose certificates are trusted instead of this machine's, `proxy` the address of a proxy, or `environment` for
    what the environment names. Raises InterlockError.
    """
    text = str(location)
    if is_address(text):
        return open_afar(text, apply=apply, tools=tools, attest=attest, evidence=evidence, ca=ca, proxy=proxy)
    if ca or proxy:
        raise NotAllowed(
            "`ca` and `proxy` are for a server", next_step="leave them away: a folder is not reached by a network"
        )
    memory = text.startswith(MEMORY)
    shown = shows(attest, evidence)
    folder = Path(text.removeprefix(MEMORY) or ".")
    control, offered = _connect(settled(folder), memory=memory, begin=apply or bool(tools), steps=None)

    def register(tool: Tool[..., Any]) -> None:
        _offer(offered, tool)

    for tool in tools:
        register(tool)
    # Home of what is done before there is a client, whose own home is to be the loop of the program.
    before = Home()
    try:
        if apply or memory or tools:
            before.block(control.registry.apply, definition(read_site(folder, tools)), by="open")
    except BaseException:
        before.block(control.close)
        raise
    finally:
        before.stop()
    embedded = Embedded(control)
    identity = identity_of(control, shown)
    return Client(
        Connection(embedded, Home(), register, identity, offered.lend, offer=offered.offer), Attended(control)
    )


class _Quiet:
    """Nobody is told of steps."""

    def reached(self, step: str) -> None:
        """Do nothing."""


def _connect(
    workspace: Workspace, *, memory: bool, begin: bool, steps: Steps | None
) -> tuple[ControlPlane, InProcessEffectors]:
    settings = workspace.settings
    load_modules((), settings.pythonpath, tools_in)
    ids = SystemIds()
    stream = StreamId(ids.new())
    worker = worker_of(ids)
    author = Author(worker, SystemClock())
    functions = Functions(values_of, plain_result)
    offered = InProcessEffectors(functions)
    if memory:
        keys = Keys(log=fresh("memory/log"), gate=fresh("memory/log/gate"))
        identity, before = fresh("memory/log/identity"), None
        store: MemoryStore | SqliteStore = MemoryStore(
            settings.tenant, LogSealer(keys, stream, ids, introduces=True, author=author)
        )
    else:
        if not settings.keys.exists() and not settings.store.exists():
            raise KeyFileError(
                f"there are no keys in `{settings.keys}`, and no log yet",
                next_step=f"make them: `interlock init {workspace.folder}`",
            )
        if not begin:
            # A store that was lost must not be replaced in silence by an empty one, which would verify.
            _there(settings.store)
        keys = KeyFolder(settings.keys).load()
        identity = identity_key(settings.keys, keys.log.verifier.name)
        before = before_in(settings.keys)
        keys = msgspec.structs.replace(keys, identity=identity)
        sealer = LogSealer(keys, stream, ids, introduces=True, author=author)
        try:
            settings.store.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the store's folder `{settings.store.parent}` cannot be made: {error.strerror}"
            ) from error
        store = SqliteStore.open(settings.store, settings.tenant, sealer, vault_of(settings.keys))
    verifying = Verifying(log_key=keys.log.verifier, gate_keys=(keys.gate.verifier,), verify=verify)
    issuer = KeyIssuer(identity, settings.trust_domain, before=before, clock=SystemClock())
    return _assembled(workspace, store, offered, functions, verifying, steps, worker, issuer), offered


def identity_of(control: ControlPlane, shown: Shows | None = None) -> Identity:
    """Who this process is when it proposes as an agent, and by what it is to be recognised; by being here, unless said."""
    means = control.means
    return Identity(Embedded(control), InstanceKey(), means.clock, means.ids, shown or Shows())


def worker_of(ids: SystemIds) -> WorkerId:
    """A name for this process, that no other has."""
    return WorkerId(f"{socket.gethostname()}:{os.getpid()}:{ids.new()[-6:]}")


def _assembled(
    workspace: Workspace,
    store: MemoryStore | SqliteStore,
    offered: InProcessEffectors,
    functions: Functions,
    verifying: Verifying,
    steps: Steps | None,
    worker: WorkerId,
    issuer: KeyIssuer | None,
) -> ControlPlane:
    beside = None if isinstance(store, MemoryStore) else workspace.settings.store
    servers = upstreams_of(workspace)
    effectors = AllEffectors(
        python=PythonEffectors(functions), http=LaterHttp(os.environ), in_process=offered, mcp=servers
    )
    return plane(
        Means(
            tenant=workspace.settings.tenant,
            index=partial(index_of, beside),
            rollups=partial(rollups_of, beside),
            worker=worker,
            store=store,
            log=store,
            policies=CedarPolicies(),
            explainer=LaterExplainer(),
            effectors=effectors,
            upstreams=servers,
            parser=LaterSql(),
            prices=LaterPrices(workspace.settings.prices),
            passwords=LaterPasswords(),
            provider=_provider(workspace),
            clock=SystemClock(),
            ids=SystemIds(),
            steps=steps or _Quiet(),
            timing=workspace.settings.timing,
            retention=workspace.settings.retention,
            verifying=verifying,
            issuer=issuer,
            attestation=workspace.settings.attestation,
            attestor=LaterTokens(workspace.settings.attestation, workspace.folder),
            access_tokens=LaterAccessTokens(workspace.settings.resource, workspace.folder),
            resource=workspace.settings.resource,
            watch=workspace.watch,
            channels=workspace.settings.channels,
            notifiers={each.name: LaterNotifier(each.way, workspace.folder) for each in workspace.settings.channels},
            public_url=workspace.settings.hosting.public_url,
            anchoring=anchoring(workspace.settings.anchorage, store),
        )
    )


def upstreams_of(workspace: Workspace) -> LaterMcp:
    """The servers that the workspace names, as they are reached from here; pins are read when they are asked for."""

    def pinned(server: str) -> Pinned | None:
        return read_pinned(pinned_path(workspace.folder, server), Problems(server))

    return LaterMcp(Reach({each.name: each for each in workspace.servers}, pinned, workspace.folder.absolute()))


def _provider(workspace: Workspace) -> LaterProvider | None:
    """Whom people may sign in with."""
    named = workspace.settings.hosting.provider
    return None if named is None else LaterProvider(named, workspace.folder)


def _offer(offered: InProcessEffectors, tool: Tool[..., Any]) -> None:
    """Make a tool of this process callable, with the functions beside it."""
    contract = tool.contract
    if isinstance(contract.target, InProcess):
        offered.offer(contract.target.name, tool)
    hooks: Hooks = tool.hooks
    for name, hook in (
        ("lookup", hooks.lookup),
        ("facts", hooks.facts),
        ("postcondition", hooks.postcondition),
        ("prepare", hooks.prepare),
        ("abort", hooks.abort),
    ):
        if hook is not None:
            offered.offer(f"{contract.name}:{name}", hook)
