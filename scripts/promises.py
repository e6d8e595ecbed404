"""What is promised and which tests claim to prove it, drawn from `tests/promises.py` and the marks on the tests."""

from pathlib import Path

from scripts.claims import claims
from scripts.markdown import table
from tests.promises import PROMISES

TESTS = Path(__file__).parent.parent / "tests"


def promises() -> str:
    """Every promise, by its id."""
    claimed: dict[str, dict[str, None]] = {}
    for claim in claims(TESTS):
        claimed.setdefault(claim.promise, {})[claim.test.partition("::")[0]] = None
    rows = [
        [
            f"`{promise.id}`",
            promise.sentence,
            promise.source,
            ", ".join(f"`{file}`" for file in claimed.get(promise.id, {})),
        ]
        for promise in sorted(PROMISES)
    ]
    return table(["promise", "what it says", "where it was made", "tests"], rows)
