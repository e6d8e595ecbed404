"""Names in files of figures: each stored once, and a small number wherever it is meant."""

from typing import Final, cast

import msgspec

from interlock.adapters.sqlite.connection import Connection

KNOWN: Final = 50_000
"""So many names are kept at hand."""


class Names:
    """Texts as small numbers, each stored once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers: dict[str, int] = {}
        self._texts: dict[int, str] = {}

    def number(self, text: str) -> int:
        """Its number; within a transaction that writes."""
        found = self._numbers.get(text)
        if found is None:
            run = self._connection.execute
            run("INSERT OR IGNORE INTO name (text) VALUES (?)", (text,))
            found = cast(int, run("SELECT id FROM name WHERE text = ?", (text,)).get)
            if len(self._numbers) >= KNOWN:
                self._numbers.clear()
            self._numbers[text] = found
        return found

    def text(self, number: int) -> str:
        """What has this number."""
        found = self._texts.get(number)
        if found is None:
            found = cast(str, self._connection.execute("SELECT text FROM name WHERE id = ?", (number,)).get)
            if len(self._texts) >= KNOWN:
                self._texts.clear()
            self._texts[number] = found
        return found

    def listed(self, number: int) -> tuple[str, ...]:
        """The texts that were `joined`."""
        return tuple(msgspec.json.decode(self.text(number), type=list[str]))


def joined(texts: tuple[str, ...]) -> str:
    """Several texts as one."""
    return msgspec.json.encode(texts).decode()
