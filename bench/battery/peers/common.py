"""What every script of this folder shares. Standard library only: each runs in an environment that knows nothing of ours.

    python peer.py about                 versions, how it is set up, where its records lie
    python peer.py records DIR N         N more actions, each recorded as durably as it can be
    python peer.py keep DIR FILE         what somebody could keep elsewhere of the log as it is now
    python peer.py verify DIR...         a JSON line for each folder: does its own verification accept what lies there?
    python peer.py verify --kept FILE DIR...     the same, held against what was kept
    python peer.py rebuild DIR           records changed and everything made anew with its own code, without its keys
    python peer.py crash DIR             the process is killed inside the tool, right after the effect
    python peer.py again DIR             the same action once more, in a new process, the way its documentation says
    python peer.py hold DIR              an action that waits for a person; the process is killed while it waits
    python peer.py edit DIR              somebody changes the amount of what waits, in the store
    python peer.py approve DIR           the person agrees, in a new process, and it runs
    python peer.py twice DIR             the same yes is given once more

An effect is a line of DIR/effects.txt. A command that a peer has no means for prints {"none": why}.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def effect(folder: Path, what: str) -> None:
    """The world: one line, on disk."""
    with (folder / "effects.txt").open("a") as file:
        file.write(what + "\n")
        file.flush()
        os.fsync(file.fileno())


def die() -> None:
    """As if somebody pulled the plug on this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def versions(*names: str) -> dict[str, str]:
    """What is installed here."""
    return {name: version(name) for name in names}


def say(**found: Any) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def serve(commands: dict[str, Callable[..., Any]]) -> None:
    """Run the command that was asked for."""
    name, *arguments = sys.argv[1:]
    command = commands.get(name)
    if command is None:
        say(none="there is no such thing")
        return
    if name == "verify":
        kept: tuple[Path, ...] = ()
        if arguments[0] == "--kept":
            kept, arguments = (Path(arguments[1]),), arguments[2:]
        for folder in arguments:
            try:
                command(Path(folder), *kept)
                say(ok=True)
            except Exception as error:  # noqa: BLE001  whatever a peer raises is its way of saying no
                say(ok=False, why=f"{type(error).__name__}: {error}"[:200])
        return
    if name == "records":
        command(Path(arguments[0]), int(arguments[1]))
        return
    command(*map(Path, arguments))
