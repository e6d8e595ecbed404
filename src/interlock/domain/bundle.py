"""A policy bundle: the texts of all policies in force and the schema they were held against."""

from typing import ClassVar

from interlock.domain.canonical import JsonValue, digest
from interlock.domain.ids import Digest
from interlock.domain.record import Record


class Bundle(Record, frozen=True, kw_only=True):
    """Policies as one unit: loaded whole, swapped whole, known by digest."""

    kind: ClassVar[str] = "bundle"

    language: str = "cedar"
    sources: dict[str, str]
    """Text by file name."""
    schema: str
    """Generated from the contracts."""

    @property
    def key(self) -> str:
        """Bundles are filed by digest."""
        return self.digest

    @property
    def digest(self) -> Digest:
        """SHA-256 over language, texts and schema."""
        texts: dict[str, JsonValue] = {name: digest(text) for name, text in self.sources.items()}
        return Digest(digest({"language": self.language, "schema": digest(self.schema), "sources": texts}))
