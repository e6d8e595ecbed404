"""What accounts for Cedar policies, read when the first decision is explained: most processes never explain one."""

from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from typing import cast

from interlock.domain.bundle import Bundle
from interlock.domain.explanation import Considered
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.question import Question
from interlock.ports.explainer import Explainer, Written


class LaterExplainer:
    """`ports.explainer.Explainer`, by `CedarExplainer`."""

    def considered(self, bundle: Bundle, question: Question, hidden: Mapping[str, str]) -> tuple[Considered, ...]:
        """See `Explainer`."""
        return self._explainer.considered(bundle, question, hidden)

    def written(self, bundle: Bundle) -> Mapping[str, Written]:
        """See `Explainer`."""
        return self._explainer.written(bundle)

    def about(self, bundle: Bundle, contract: ContractName, agent: AgentName) -> frozenset[str]:
        """See `Explainer`."""
        return self._explainer.about(bundle, contract, agent)

    @cached_property
    def _explainer(self) -> Explainer:
        return cast(Explainer, import_module("interlock.adapters.cedar.explaining").CedarExplainer())
