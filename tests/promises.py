"""Every promise that Interlock makes: what it is called, where it was made, what it says.

A test claims one with `@pytest.mark.proves("id")`. `test_promises.py` fails when a test claims what is not here, and when
something here is claimed by no test.
"""

from typing import NamedTuple


class Promise(NamedTuple):
    """One sentence that somebody may hold us to."""

    id: str
    """Dotted lower-case words: `gate.no_effect_without_intent`."""
    source: str
    """Where it was made: a page, a heading."""
    sentence: str
    """What is promised, as one sentence with a full stop."""


PROMISES: tuple[Promise, ...] = ()
