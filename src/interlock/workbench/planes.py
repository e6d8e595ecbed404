"""The control plane of a workspace, for as long as something is done with it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.bootstrap.connecting import connect, looking, rehearsing
from interlock.bootstrap.site import draft, read_site
from interlock.domain.bundle import Bundle
from interlock.services.plane import ControlPlane


@asynccontextmanager
async def working(folder: Path, *, begin: bool = False) -> AsyncGenerator[ControlPlane]:
    """To change what is in force. With `begin` a store is made where there is none."""
    plane = connect(folder, begin=begin)
    try:
        yield plane
    finally:
        await plane.close()


@asynccontextmanager
async def reading(folder: Path, *, private: bool = True) -> AsyncGenerator[ControlPlane]:
    """To look only: no private key is read and nothing is written. Without `private` what is sealed stays so."""
    plane = looking(folder, private=private)
    try:
        yield plane
    finally:
        await plane.close()


@asynccontextmanager
async def supposing(folder: Path) -> AsyncGenerator[ControlPlane]:
    """The files as if they were in force, in memory alone, whatever their tests say."""
    wanted = draft(read_site(folder))
    plane = rehearsing(folder)
    try:
        await plane.registry.apply(wanted, by="nobody")
        yield plane
    finally:
        await plane.close()


def of_files(folder: Path, plane: ControlPlane) -> Bundle:
    """The policies as they are on disk. Raises WorkspaceError and PolicyError."""
    wanted = draft(read_site(folder))
    return plane.means.policies.bundle(wanted.policies, wanted.contracts)
