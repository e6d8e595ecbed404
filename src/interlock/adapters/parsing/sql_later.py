"""The parser of SQL, made when the first contract asks for it."""

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

import anyio.to_thread

from interlock.domain.parse import SqlDialect

if TYPE_CHECKING:
    from interlock.adapters.parsing.sql import Sql


class LaterSql:
    """`Sql`, whose grammar takes as long to import as the whole gate: most contracts never need it. It works in a thread,
    so that the longest text it takes holds up nobody else."""

    async def statements(self, text: str, dialect: SqlDialect) -> list[str]:
        """See `Parser`."""
        return await anyio.to_thread.run_sync(lambda: self._sql.statements(text, dialect))

    async def tables(self, text: str, dialect: SqlDialect) -> list[str]:
        """See `Parser`."""
        return await anyio.to_thread.run_sync(lambda: self._sql.tables(text, dialect))

    @cached_property
    def _sql(self) -> "Sql":
        made: Sql = import_module("interlock.adapters.parsing.sql").Sql()
        return made
