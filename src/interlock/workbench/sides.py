"""Which policies are meant, as people say it: `in-force`, `files`, a folder, or the beginning of a bundle's digest."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from interlock.bootstrap.connecting import looking, rehearsing
from interlock.bootstrap.site import draft, read_site
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.errors import NotFound, StoreMissing
from interlock.domain.ids import AgentName, ContractName
from interlock.services.editions import Definition
from interlock.services.plane import ControlPlane
from interlock.workbench.finding import SHORTEST

IN_FORCE, FILES = "in-force", "files"
_WORKSPACE = "interlock.yaml"


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One set of policies."""

    name: str
    bundle: Bundle
    contracts: Mapping[str, Contract]
    """Those it is about, by name; of a bundle out of force, those in force."""
    capabilities: Mapping[AgentName, Collection[ContractName]]
    """What each agent may use."""

    @property
    def agents(self) -> tuple[AgentName, ...]:
        """Their names."""
        return tuple(self.capabilities)

    @property
    def label(self) -> str:
        """Digest and name."""
        digest = self.bundle.digest[:12]
        return digest if digest.startswith(self.name) else f"{digest} ({self.name})"


@asynccontextmanager
async def plane_for(folder: Path, *names: str) -> AsyncGenerator[ControlPlane]:
    """The control plane for looking. Without a store, one in memory, if none of `names` is to be found in a store."""
    try:
        plane = looking(folder)
    except (NotFound, StoreMissing):
        if not all(_on_disk(name) for name in names):
            raise
        plane = rehearsing(folder)
    try:
        yield plane
    finally:
        await plane.close()


async def side(folder: Path, plane: ControlPlane, name: str) -> Side:
    """The policies that `name` means. Raises NotFound, PolicyError and WorkspaceError."""
    if name == IN_FORCE:
        return await _in_force(plane, name, await plane.orders.bundle())
    wanted = _written(folder, name)
    if wanted is None:
        return await _in_force(plane, name, await _stored(plane, name))
    return Side(
        name=name,
        bundle=plane.means.policies.bundle(wanted.policies, wanted.contracts),
        contracts={each.name: each for each in wanted.contracts},
        capabilities={each.name: each.capabilities for each in wanted.agents},
    )


def _on_disk(name: str) -> bool:
    try:
        return name == FILES or (name != "" and Path(name).is_dir())
    except OSError:
        return False  # no file can have such a name


def _written(folder: Path, name: str) -> Definition | None:
    """What the files of `name` want: this workspace, another one, or this one with the policies of a folder. None where
    `name` is no files."""
    if not _on_disk(name):
        return None
    if name == FILES:
        return draft(read_site(folder))
    other = Path(name)
    if (other / _WORKSPACE).is_file():
        return draft(read_site(other))
    texts = {path.name: text_of(path, "name a folder with `.cedar` files") for path in sorted(other.glob("*.cedar"))}
    if not texts:
        raise NotFound(f"there are no policies in `{name}`", next_step="name a folder with `.cedar` files")
    return msgspec.structs.replace(draft(read_site(folder)), policies=texts)


def text_of(path: Path, next_step: str) -> str:
    """The text of a file. Raises NotFound where it cannot be read."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise NotFound(f"`{path}` cannot be read: {why}", next_step=next_step) from None


async def _in_force(plane: ControlPlane, name: str, bundle: Bundle) -> Side:
    orders = await plane.orders.current()
    contracts = {str(each.name): each for each in orders.contracts.values()}
    capabilities = {name: each.capabilities for name, each in orders.agents.items()}
    return Side(name=name, bundle=bundle, contracts=contracts, capabilities=capabilities)


async def _stored(plane: ControlPlane, name: str) -> Bundle:
    known = await plane.means.store.all(Bundle)
    found = [each for each in known if len(name) >= SHORTEST and each.digest.startswith(name)]
    if len(found) == 1:
        return found[0]
    said = f"`{name}` is the beginning of {len(found)} bundles" if found else f"`{name}` is no bundle and no folder"
    raise NotFound(said, next_step=f"name `{IN_FORCE}`, `{FILES}`, a folder, or the beginning of a bundle's digest")
