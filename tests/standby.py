"""The program `interlock`, loaded once and begun often: every process is a copy of one that has only loaded it.

Loading takes several times as long as what most commands do, and the tests begin hundreds. `stands_by()` is a folder with a
program `interlock` that hands its words, its folder, its environment and its three files to a server; that makes a copy of
itself, which becomes a process like any other, in a session of its own, and ends with the code the caller then ends with.
What Python itself reads when it starts (`PYTHON*`, the locale) is the server's. Whoever measures what is reached
(`make coverage`) gets the program as it is installed.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import io
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from interlock.cli import main

PATIENCE_S = 60
NAME = "socket"
LOADED = ("interlock.cli.app", "interlock.bootstrap.gateway", "interlock.bootstrap.house", "mcp.server.stdio")
"""What the server has loaded: the program, and what its heaviest commands load when they begin."""
CALLER = """\
#!{python} -IS
import json, os, signal, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
first = {first!r} or os.getcwd()
said = json.dumps([sys.argv[1:], os.getcwd(), first, os.umask(0o22), dict(os.environ)]).encode()
socket.send_fds(server, [b"%9d" % len(said)], [0, 1, 2])
server.sendall(said)
heard = server.makefile("r")
number = int(heard.readline())
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, lambda sign, _: os.kill(number, sign))
code = int(heard.readline())
if code < 0:
    signal.signal(-code, signal.SIG_DFL) if code != -9 else None
    os.kill(os.getpid(), -code)
os._exit(code)
"""


class Asked(NamedTuple):
    """One process that is wanted."""

    words: list[str]
    folder: str
    first: str
    """Where its Python looks for modules first."""
    mask: int
    environment: dict[str, str]


@cache
def stands_by(first: str = "") -> Path:
    """A folder with the program `interlock`; its Python looks for modules in `first`, or in the folder it is begun in."""
    installed = Path(sys.executable).parent
    if any(name.startswith("COVERAGE_") for name in os.environ):
        return installed
    folder = _server()
    made = folder / f"first{len(list(folder.iterdir()))}"
    made.mkdir()
    caller = made / "interlock"
    python = Path(sys.executable).resolve()
    caller.write_text(CALLER.format(python=python, address=str(folder / NAME), first=first))
    caller.chmod(0o755)
    return made


@cache
def _server() -> Path:
    """Begin the server of this process. It ends, with all it began, when this process does."""
    folder = Path(tempfile.mkdtemp(prefix="interlock-"))
    child = subprocess.Popen(
        [sys.executable, __file__, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"

    def end() -> None:
        child.communicate(timeout=PATIENCE_S)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return folder


def serve(folder: Path) -> Callable[[], None] | None:
    """Begin a process for every caller, until nobody holds our standard input. In the process: what it has to do."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / NAME))
        server.listen(64)
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([0, server.fileno()], [], [])
            if 0 in ready:
                return None
            caller, _ = server.accept()
            _reap()
            with caller:
                if os.fork() == 0:
                    server.close()
                    return _keep(caller)


def _reap() -> None:
    """Let go of the keepers that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(caller: socket.socket) -> Callable[[], None]:
    """Begin the one process of `caller`, and tell how it ended. If the caller goes away, so does the process."""
    head, files, _, _ = socket.recv_fds(caller, 9, 3)
    said = b""
    while len(said) < int(head):
        said += caller.recv(65536)
    asked = Asked(*json.loads(said))
    ended, alive = os.pipe()
    number = os.fork()
    if number == 0:
        os.close(ended)
        caller.close()
        return lambda: _become(asked, files, alive)
    os.close(alive)
    for each in files:
        os.close(each)
    caller.sendall(b"%d\n" % number)
    ready, _, _ = select.select([ended, caller.fileno(), 0], [], [])
    if ended not in ready:
        for kill in (os.kill, os.killpg):
            with contextlib.suppress(ProcessLookupError):
                kill(number, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    with contextlib.suppress(OSError):
        caller.sendall(b"%d\n" % code)
    os._exit(0)


def _become(asked: Asked, files: list[int], alive: int) -> None:
    """Be the program: with the caller's files, in its folder, with its environment. `alive` is closed by our end."""
    os.setsid()
    for place, each in enumerate(files):
        os.dup2(each, place)
        os.close(each)
    assert not os.get_inheritable(alive)
    os.umask(asked.mask)
    os.chdir(asked.folder)
    os.environ.clear()
    os.environ.update(asked.environment)
    sys.dont_write_bytecode = bool(asked.environment.get("PYTHONDONTWRITEBYTECODE"))
    sys.argv = ["interlock", *asked.words]
    sys.path[0] = asked.first
    sys.stdin = io.TextIOWrapper(open(0, "rb", closefd=False), "utf-8")  # noqa: SIM115  open to the program\'s end
    for place, name, errors in ((1, "stdout", "strict"), (2, "stderr", "backslashreplace")):
        binary = open(place, "wb", closefd=False)  # noqa: SIM115  open to the program's end
        lines = name == "stderr" or os.isatty(place)
        setattr(sys, name, io.TextIOWrapper(binary, "utf-8", errors, line_buffering=lines))
    main()


if __name__ == "__main__":
    gc.disable()
    for each in LOADED:
        import_module(each)
    gc.freeze()
    gc.enable()
    if become := serve(Path(sys.argv[1])):
        become()
