"""Reading what agents write in other languages."""

from interlock.adapters.parsing.sql_later import LaterSql

__all__ = ["LaterSql"]
