"""What the policies of a Cedar bundle see of each contract, as its own piece of the schema."""

from collections.abc import Mapping

from interlock.adapters.cedar.schema import parse, render
from interlock.domain.bundle import Bundle
from interlock.domain.ids import ContractName


class CedarViews:
    """`ports.views.Views` for Cedar."""

    def of(self, bundle: Bundle) -> Mapping[ContractName, str]:
        """See `Views.of`."""
        return {ContractName(name): render({name: surface}) for name, surface in parse(bundle.schema).items()}
