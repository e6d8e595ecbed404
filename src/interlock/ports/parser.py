"""Taking SQL apart: the one language that policies look into and that we do not read ourselves."""

from typing import Protocol

from interlock.domain.parse import SqlDialect


class Parser(Protocol):
    """Reads SQL as the database would. Both functions are bounded in time and size, and raise Unreadable, which does not
    repeat the text, for whatever the database might take otherwise; the same text always gives the same answer."""

    async def statements(self, text: str, dialect: SqlDialect) -> list[str]:
        """The kinds of its statements, sorted; see `domain.parse.Statements`."""
        ...

    async def tables(self, text: str, dialect: SqlDialect) -> list[str]:
        """The tables it names, sorted; see `domain.parse.Tables`."""
        ...
