"""Where the keys of private values are kept, apart from the values: so that to forget a key is to erase a value."""

from typing import Protocol

from interlock.domain.erasure import Shred


class Vault(Protocol):
    """Keys by number. May be called from any thread. Raises KeyFileError and StoreErrors when it cannot be read or written."""

    def begin(self, vault: str | None) -> str:
        """Make sure that this is the vault with the id `vault`, or, where that is None, that there is one; give its id.

        Raises KeyFileError when it is another one, or is gone: what was sealed with its keys cannot be read with others.
        """
        ...

    def fresh(self) -> int:
        """The number of a key that nobody was given before, in any process. It survives a loss of power."""
        ...

    def seal(self, number: int, about: bytes, text: bytes) -> bytes:
        """`text` encrypted under the key `number`, to be opened only as what it is `about`. Raises KeyGone."""
        ...

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """What was sealed. Raises KeyGone where its key was shredded or is missing, or where it was altered."""
        ...

    def mark(self, text: str) -> str:
        """A word that stands for `text` and says nothing about it to who lacks this vault: the same for the same text."""
        ...

    def shred(self, shred: Shred) -> None:
        """Destroy keys for ever. Durable on return; the same part twice is once, and names all the keys that either named."""
        ...

    def shreds(self) -> list[Shred]:
        """Every part of every erasure that this vault has carried out, oldest first."""
        ...

    def renew(self) -> None:
        """Exchange the key over all keys: older copies of the vault cannot be read any more. Interrupted, it did nothing
        or all."""
        ...

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        ...
