"""What the policies of a bundle see."""

from collections.abc import Mapping
from typing import Protocol

from interlock.domain.bundle import Bundle
from interlock.domain.ids import ContractName


class Views(Protocol):
    """A policy language, as far as it tells what a bundle is about."""

    def of(self, bundle: Bundle) -> Mapping[ContractName, str]:
        """For each contract of `bundle`, what its policies see of that contract, in words that are the same exactly where
        that is the same. Raises PolicyError."""
        ...
