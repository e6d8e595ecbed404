"""Where the program begins: whoever presses Ctrl-C while it is still being loaded is told what is told later, too.

Only what costs nothing is imported here. Everything else takes most of a second, and is loaded under `_at_once`.
"""

import gc
import json
import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

from interlock.domain.errors import InterlockError

INTERRUPTED = 130
"""What a program ends with that somebody stopped by Ctrl-C."""


class Interrupted(InterlockError):
    """Somebody pressed Ctrl-C while the program worked or waited."""

    code = "interrupted"
    fault = "yours"
    next = "run it again; where actions stand: `interlock actions`"

    def __init__(self) -> None:
        super().__init__("stopped by Ctrl-C")


def main() -> None:
    """Load the command line and run it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have it ignored, and means it
        signal.signal(signal.SIGINT, _at_once)
    # Half of the time of loading went to looking for garbage among a thousand modules that stay: nobody looks meanwhile,
    # and later only at what came after them.
    gc.disable()
    program = import_module("interlock.cli.app")
    gc.freeze()
    gc.enable()
    program.main()


def interruptible() -> None:
    """From here on Ctrl-C raises KeyboardInterrupt, as it does in any program: there is somebody to catch it."""
    if signal.getsignal(signal.SIGINT) is _at_once:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def uninterruptible() -> None:
    """From here on Ctrl-C does nothing: what was to be done is done, and the exit code is known."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _at_once(number: int, frame: FrameType | None) -> NoReturn:
    """Say it and be gone. Nothing was begun, and modules that are half imported have nothing to tidy up."""
    del number, frame
    error = Interrupted()
    as_json = "--json" in sys.argv
    said = json.dumps({"error": error.problem()}, indent=2) if as_json else f"error {error}\nnext  {error.next_step}"
    try:
        os.write(1 if as_json else 2, f"{said}\n".encode())
    except OSError:
        os._exit(INTERRUPTED)  # nobody reads it
    os._exit(INTERRUPTED)
