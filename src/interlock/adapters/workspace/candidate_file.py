"""A policy in shadow mode in its file: put in force there, or taken out, with nothing else in the file changed."""

import codecs
import shutil
from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters.cedar.editing import Found, dropped, policies_in, promoted
from interlock.domain.errors import FileError, IllegalMove, NotFound, WorkspaceError
from interlock.domain.names import instead

_FOLDER: Final = "policies"


class CandidateFile(msgspec.Struct, frozen=True):
    """Where one candidate stands. Whoever changes the file in between is not overwritten."""

    path: Path
    name: str
    """The file's, below the workspace."""
    found: Found
    seen: bytes

    @property
    def text(self) -> str:
        """The policy, with line ends as they are read."""
        return _text(self.seen)[self.found.start : self.found.end].replace("\r\n", "\n")

    def promote(self) -> None:
        """Take the `@mode` away: once published, it is enforced. Raises WorkspaceError."""
        self._write(promoted(_text(self.seen), self.found))

    def drop(self) -> None:
        """Take the whole policy away, with its comments. Raises WorkspaceError."""
        self._write(dropped(_text(self.seen), self.found))

    def _write(self, text: str) -> None:
        mark = codecs.BOM_UTF8 if self.seen.startswith(codecs.BOM_UTF8) else b""
        path = self.path.resolve()
        fresh = path.with_name(f".{path.name}.new")
        try:
            if path.read_bytes() != self.seen:
                raise WorkspaceError("the file changed while it was looked at", file=self.name)
            fresh.write_bytes(mark + text.encode())
            shutil.copymode(path, fresh)
            # Whole or not at all: nobody may ever read half a policy.
            fresh.replace(path)
        except OSError as error:
            raise FileError(f"`{self.name}` cannot be written: {error.strerror}") from None


def candidate_file(folder: Path, policy: str) -> CandidateFile:
    """Find `policy` among the files of the workspace. Raises NotFound where there is none of that id, IllegalMove where it
    is not in shadow mode, WorkspaceError where it is there twice or a file cannot be read."""
    known: list[str] = []
    matching: list[CandidateFile] = []
    for path in sorted((folder / _FOLDER).glob("*.cedar")):
        if path.name.startswith("."):
            continue
        name = path.relative_to(folder).as_posix()
        try:
            seen = path.read_bytes()
            text = _text(seen)
        except (OSError, UnicodeDecodeError) as error:
            raise WorkspaceError(f"the file cannot be read: {error}", file=name) from None
        for found in policies_in(text):
            known.append(found.name)
            if found.name == policy:
                matching.append(CandidateFile(path, name, found, seen))
    if not matching:
        raise NotFound(f"there is no policy `{policy}`", next_step=instead(policy, known, "write one in policies/"))
    first, *others = matching
    if others:
        raise WorkspaceError(
            f"there is another `{policy}` in {others[0].name}:{others[0].found.line}",
            file=first.name,
            line=first.found.line,
            column=1,
        )
    if not first.found.tried:
        raise IllegalMove(
            f"`{policy}` ({first.name}:{first.found.line}) is no candidate: it is enforced",
            next_step='put `@mode("shadow")` on it to try it first, or edit the file',
        )
    return first


def _text(data: bytes) -> str:
    return data.decode("utf-8-sig")
