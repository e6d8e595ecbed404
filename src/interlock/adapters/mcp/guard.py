"""Keeps a server's whole family of processes from outliving us: run as a program of its own, between us and the server.

    python -I -S guard.py FD COMMAND ...

FD is the reading end of a pipe that nobody writes to; when its other end is closed, by us or by our death, everything in our
process group is killed. It imports nothing of Interlock, so that it begins in a few milliseconds.
"""

import os
import select
import signal
import subprocess
import sys

NOT_BEGUN = 127
"""How it ends where it could not begin the command. In every other case it is killed, with all the others."""


def main() -> int:
    """Run the command with our own standard streams; end as it ends, and take all it began with it."""
    alive, command = int(sys.argv[1]), sys.argv[2:]
    ended, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _noted)
    signal.signal(signal.SIGTERM, _noted)  # it is for the server; it is waited for
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command)  # noqa: S603  what the workspace's owner wrote; no shell reads it
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_BEGUN
    # Its standard streams are the server's alone from here on: their ends must show.
    for stream in (0, 1):
        os.close(stream)
    while child.poll() is None:
        ready, _, _ = select.select([alive, ended], [], [])
        if alive in ready and not os.read(alive, 1):
            break
        if ended in ready:
            os.read(ended, 64)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.killpg(0, signal.SIGKILL)
    return 0


def _noted(_number: int, _frame: object) -> None:
    """It is only to be heard of."""


if __name__ == "__main__":
    sys.exit(main())
