"""Verdicts in their colours."""

from interlock.domain.explanation import words
from interlock.domain.policy import Verdict

COLOURS: dict[Verdict, str] = {
    "allow": "green",
    "oblige": "green",
    "require_approval": "yellow",
    "escalate": "yellow",
    "shadow": "cyan",
    "deny": "red",
}


def coloured(verdict: Verdict) -> str:
    """A verdict in its colour."""
    return f"[{COLOURS[verdict]}]{words(verdict)}[/{COLOURS[verdict]}]"
