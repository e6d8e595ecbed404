"""The files' rights, held against what was decided under those in force."""

from pathlib import Path

from interlock.bootstrap.site import draft, read_site
from interlock.domain.errors import NotFound
from interlock.domain.rights import Lending
from interlock.services.lending import Held, held_against
from interlock.workbench.planes import reading


async def tried_rights(folder: Path, *, since_at: int | None = None) -> Held:
    """What the rights in the workspace's files would have refused. Raises NotFound where there are none, WorkspaceError where
    the files are wrong, StoreErrors."""
    wanted = draft(read_site(folder))
    if wanted.rights is None:
        raise NotFound("there is no rights.yaml", next_step="write one: who, and which tools with which arguments")
    async with reading(folder) as plane:
        return await held_against(plane.means.store, Lending(wanted.rights, wanted.people), since_at=since_at or 0)
