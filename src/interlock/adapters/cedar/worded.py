"""The policies of a bundle as people read them: their own words, and the contracts their scope takes in."""

from interlock.adapters.cedar.annotations import policy_of
from interlock.adapters.cedar.parsing import parsed
from interlock.adapters.cedar.reads import reads
from interlock.adapters.cedar.remark import Noting
from interlock.adapters.cedar.schema import parse
from interlock.adapters.cedar.scope import about_action
from interlock.adapters.cedar.source import Problems
from interlock.domain.bundle import Bundle
from interlock.domain.ids import ContractName
from interlock.domain.ownership import Worded


def worded(bundle: Bundle) -> dict[str, Worded]:
    """By id. Raises PolicyError for what is no policy."""
    found, problems = parse(bundle.schema), Problems()
    policies: dict[str, Worded] = {}
    for statement, template in parsed(bundle.sources, problems):
        policy = policy_of(template, Noting(problems, statement, template.annotations.get("id", "")))
        if policy is not None:
            about = frozenset(ContractName(name) for name, each in found.items() if about_action(template, each))
            seen = reads((template,))
            roles = seen.whole or "user" in seen.members
            unusual = seen.whole or "unusual" in seen.members
            policies[policy.id] = Worded(
                text=statement.text, policy=policy, contracts=about, roles=roles, unusual=unusual
            )
    problems.settle()
    return policies
