"""A key and its successor in the key folder: staged beside it, put in its place, or thrown away.

    <role>.next.key, <role>.next.pub   a successor that the log does not know yet, or that was not put in its place yet
    retired/<role>-<key id>.pub        the public half of every key that was replaced

1. `stage` makes the successor, durably. *A crash leaves a successor nobody has heard of.*
2. The handover is recorded in the log, by whoever calls us. *A crash leaves the log at a key that is only staged.*
3. `promote` keeps the old public key, then replaces the private file, then the public one. *A crash between the last two
   leaves a pair that does not fit, with the public file still staged.*

After every one of these `settle` does what is left, going by the key that the log is at. The old private key is gone
afterwards: who holds none cannot lose it.
"""

from pathlib import Path
from typing import Literal

from interlock.adapters.keys import SigningKey, fresh, private_key, public_key
from interlock.adapters.line_files import PRIVATE_FILE, read_line, sync_folder, write_line
from interlock.domain.errors import KeyFileError
from interlock.domain.keyring import Role

Settled = Literal["in place", "promoted", "discarded"]


class Succession:
    """The succession of one role in one key folder."""

    def __init__(self, folder: Path, role: Role) -> None:
        self._folder = folder
        self.role: Role = role

    def stage(self, name: str) -> SigningKey:
        """Make a successor named `name`. KeyFileError where one is there already."""
        key = fresh(name)
        try:
            write_line(self._at("next.key"), key.line(), PRIVATE_FILE)
            write_line(self._at("next.pub"), key.verifier.vkey(), 0o644)
            sync_folder(self._folder)
        except FileExistsError:
            raise KeyFileError(
                f"another rotation of the {self.role}'s key is under way, or was interrupted",
                next_step="`interlock keys status` says how it stands, `interlock keys recover` ends it",
            ) from None
        except OSError as error:
            self.discard()
            raise KeyFileError(f"no key can be made in `{self._folder}`: {error.strerror}") from None
        return key

    def staged(self) -> bool:
        """Whether a succession was begun and not ended."""
        return self._at("next.key").exists() or self._at("next.pub").exists()

    def current(self) -> str:
        """The vkey of the pair in place, by its private file where the pair does not fit. Raises KeyFileError."""
        path = self._at("key")
        return private_key(read_line(path, private=True), path).verifier.vkey()

    def successor(self) -> str | None:
        """The vkey of what is staged whole, or None."""
        return public_key(self._at("next.pub")).vkey() if self._at("next.pub").exists() else None

    def promote(self) -> None:
        """Put the successor in the place of the key, which is gone then. Goes on where a crash left it. KeyFileError."""
        try:
            if self._at("next.key").exists():
                retired = self._folder / "retired"
                retired.mkdir(mode=0o755, exist_ok=True)
                old = public_key(self._at("pub"))
                kept = retired / f"{self.role}-{old.key_id().hex()}.pub"
                if not kept.exists():
                    write_line(kept, old.vkey(), 0o644)
                    sync_folder(retired)
                self._at("next.key").replace(self._at("key"))
                sync_folder(self._folder)
            self._at("next.pub").replace(self._at("pub"))
            sync_folder(self._folder)
        except OSError as error:
            raise KeyFileError(
                f"the new key of the {self.role} cannot be put in place: {error.strerror}",
                next_step="free the way and run `interlock keys recover`",
            ) from None

    def discard(self) -> None:
        """Throw a successor away that the log never heard of."""
        for kind in ("next.pub", "next.key"):
            self._at(kind).unlink(missing_ok=True)
        sync_folder(self._folder)

    def settle(self, in_force: str | None) -> Settled:
        """End what was begun, going by the key the log is at (None: it has not begun). Raises KeyFileError where neither
        the key in place nor the one that is staged is it."""
        current, successor = self.current(), self.successor()
        if in_force is None or in_force == current:
            if successor is None or successor != current:
                thrown = self.staged()
                self.discard()
                return "discarded" if thrown else "in place"
            # The private file is the successor's already; only its public half still waits.
        elif in_force != successor:
            raise KeyFileError(
                f"the log is at the {self.role}'s key `{in_force}`, which is not in `{self._folder}`",
                next_step="restore the key folder from a backup made since: `interlock keys restore`",
            )
        self.promote()
        return "promoted"

    def _at(self, kind: str) -> Path:
        return self._folder / f"{self.role}.{kind}"
