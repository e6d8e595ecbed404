"""What is wrong, or doubtful, at one place in a policy file."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody who writes policies should know. An `error` keeps the bundle from being formed."""

    severity: Severity = "error"
    message: str
    policy: str = ""
    """The policy's id, if it is known."""
    folder: str = "policies"
    """Where the file is in the workspace; nothing where it stands at its top, as the invariants do."""
    file: str
    line: int
    """From 1."""
    column: int
    """Of the first letter meant, from 1."""
    end_column: int
    """Just after the last letter meant that stands on that line."""
    source: str = ""
    """The line, as far as it belongs to the policy."""

    def __str__(self) -> str:
        """On one line, as `file:line:column: policy `id`: message`."""
        return f"{self.file}:{self.line}:{self.column}: {self.told}"

    @property
    def path(self) -> str:
        """The file, relative to the workspace."""
        return f"{self.folder}/{self.file}" if self.folder else self.file

    @property
    def told(self) -> str:
        """The message, with the policy it is about."""
        return f"policy `{self.policy}`: {self.message}" if self.policy else self.message

    @property
    def caret(self) -> str:
        """The line with the letters meant underlined, as two lines; nothing where the line is not known."""
        if not self.source:
            return ""
        # Tabs stay tabs, so that what is underlined stands under itself at any width of them.
        before = "".join("\t" if letter == "\t" else " " for letter in self.source[: self.column - 1])
        return f" | {self.source}\n | {before}{'^' * max(1, self.end_column - self.column)}"
