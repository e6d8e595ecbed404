"""The shop set up in a folder: its databases, its payment service, its workspace with keys, and everything put in force.

FOLDER/shop/        shop.db, payments.db       what the agents act on
FOLDER/workspace/   agents, policies, people   what they may do, and the log of what they did
FOLDER/env          the two variables that point a shell at both
"""

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import msgspec

from interlock_demo.door import Door, door_in
from interlock_demo.program import Program
from interlock_demo.world.place import SHOP_HOME, Place
from interlock_demo.world.seed import seed


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where everything is, and the releases that the first `apply` formed, by agent."""

    folder: Path
    place: Place
    workspace: Path
    program: Program
    door: Door
    releases: dict[str, str]

    def apply(self) -> dict[str, str]:
        """Put the workspace as it is on disk in force; the releases' labels by agent."""
        applied: dict[str, dict[str, str]] = self.program.json("apply", person="sam")
        return applied["releases"]


@contextmanager
def set_up(folder: Path, number: int) -> Generator[Setting, None, None]:
    """The shop of `number` in `folder`, which must be empty. While it is open this process works for it."""
    place, workspace = Place(folder=folder / "shop"), folder / "workspace"
    seed(place, number)
    program = Program(workspace, {SHOP_HOME: str(place.folder)})
    with resources.as_file(resources.files("interlock_demo") / "workspace") as ours:
        shutil.copytree(ours, workspace)
    program.json("init", str(workspace))
    door = door_in(workspace)
    variables = {"INTERLOCK_WORKSPACE": workspace, SHOP_HOME: place.folder}
    (folder / "env").write_text("".join(f"export {name}='{value}'\n" for name, value in variables.items()), "utf-8")
    before = os.environ.get(SHOP_HOME)
    os.environ[SHOP_HOME] = str(place.folder)
    try:
        bare = Setting(folder=folder, place=place, workspace=workspace, program=program, door=door, releases={})
        yield msgspec.structs.replace(bare, releases=bare.apply())
    finally:
        if before is None:
            del os.environ[SHOP_HOME]
        else:
            os.environ[SHOP_HOME] = before
