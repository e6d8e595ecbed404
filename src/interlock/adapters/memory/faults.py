"""Writes that fail on purpose, by number: either nothing was stored, or everything was and only the answer is lost."""

from collections.abc import Mapping
from typing import Literal

Fault = Literal["not stored", "stored"]


class Faults:
    """Which writes fail, and how. Every commit, and every claim that takes something, is one write, counted from 1.

    A test first lets a story run to learn `writes`, then runs it again for every n and both faults.
    """

    def __init__(self, at: Mapping[int, Fault] | None = None) -> None:
        self.at: dict[int, Fault] = dict(at or {})
        self.writes = 0

    def next(self) -> Fault | None:
        """Count one write, and say how it fails."""
        self.writes += 1
        return self.at.get(self.writes)
