"""A time, as somebody who looks back says it."""

import time

from interlock.cli.output import UsageError
from interlock.domain.duration import parse
from interlock.domain.errors import ContractError
from interlock.domain.moment_given import WHEN, given_moment


def between(since: str, until: str) -> tuple[int | None, int | None]:
    """`--since` and `--until`. Raises UsageError for what is no time, and where nothing could lie between them."""
    first, last = when(since, "--since"), when(until, "--until")
    if first is not None and last is not None and first >= last:
        raise UsageError(
            f"nothing lies between `--since {since}` and `--until {until}`",
            next_step="name the earlier time with `--since`; `30d` is earlier than `1d`",
        )
    return first, last


def when(word: str, option: str) -> int | None:
    """UTC ms of a time or of so long ago; None where nothing was said. Raises UsageError."""
    try:
        return given_moment(word, time.time_ns() // 1_000_000, option)
    except ContractError:
        raise UsageError(f"`{word}` is no time", next_step=f"write `{option}` as {WHEN}") from None


def span_of(text: str, option: str) -> int:
    """Milliseconds of a duration that was given with `option`. Raises UsageError."""
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
