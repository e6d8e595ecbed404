"""Which call of which run a framework's call is.

Some frameworks keep their calls' ids, and have the same ones after a restart. Others ask the model anew, and it makes up new ids.
For those a program names its run: under that name calls of one tool with the same arguments are one and the same call, whoever
makes them, in whatever process and however often.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import NamedTuple

import msgspec


class Named(NamedTuple):
    """What `FrameworkCall` asks for."""

    run_id: str
    call_id: str


class NamedRun:
    """How calls are told from one another: by the framework's ids, or, where the program gave its run a name, by what they do."""

    def __init__(self, name: str = "", repeats: Collection[str] = ()) -> None:
        """`repeats` are tools of which each call is one of its own also in a run that has a name."""
        self._name = name
        self._repeats = frozenset(repeats)

    def call(self, tool: str, arguments: Mapping[str, object], run_id: str, call_id: str) -> Named:
        """Which call it is; `run_id` and `call_id` are the framework's."""
        if not self._name:
            return Named(run_id, call_id)
        if tool in self._repeats:
            return Named(self._name, f"{run_id}/{call_id}")
        written = msgspec.json.encode([tool, arguments], enc_hook=repr, order="sorted")
        return Named(self._name, f"alike:{sha256(written).hexdigest()}")
