"""What came of a call that did not just happen, in words for a model: what is so, and what to do next."""

from interlock.domain.approval import Query
from interlock.domain.errors import KeyReused
from interlock.sdk.outcomes import Denied, Done, Failed, Held, Outcome, Pending, Refused, Shadowed, Unknown, Withheld

_NO_CONTRACT = "is no contract"


def told_of(outcome: Outcome, tool: str) -> str:
    """`outcome` of a call of `tool`, as the model is told."""
    match outcome:
        case Done():
            return "Done."
        case Refused() if outcome.rule == "interlock.capability":
            return (
                f"Not done: `{tool}` is not among what this agent may use. Nothing was touched; go on without it. "
                f"For the operator: {_how(outcome, tool)}."
            )
        case Refused() | Denied():
            return f"Not done: {outcome.detail}. Nothing was touched. What to do: {outcome.next_step}."
        case Shadowed():
            return (
                f"Not done: {outcome.detail}. It was recorded only, and nothing was touched: this agent acts in shadow."
            )
        case Failed():
            return f"Not done: {outcome.detail}. Nothing happened. What to do: {outcome.next_step}."
        case Held() | Pending():
            return (
                f"{waiting_of(outcome, tool)} To learn what became of it, call `{tool}` again with the same arguments."
            )
        case Unknown():
            return (
                f"It is not known whether `{tool}` happened: {'; '.join(outcome.reasons) or 'no answer was recorded'}. "
                f"Do not call it again for this: a person settles it (action {outcome.action_id})."
            )


def waiting_of(outcome: Held | Pending, tool: str) -> str:
    """That it waits, and for what."""
    why = f": {'; '.join(outcome.reasons)}" if outcome.reasons else ""
    asked = "".join(f" A reviewer asks: {each.text}" for each in _questions(outcome))
    what = "waits until a person agrees" if isinstance(outcome, Held) else "is cleared and waits to be carried out"
    return f"Not done yet: `{tool}` {what}{why} (action {outcome.action_id}).{asked}"


def refusal_of(error: Withheld | KeyReused, tool: str) -> str:
    """Of what was done before, or is done and may not be seen."""
    if isinstance(error, Withheld):
        return f"Done, but its result may not be seen: {error.detail}. Do not call `{tool}` again for this."
    return f"Not done: {error.detail}. Nothing was touched."


def _questions(outcome: Held | Pending) -> list[Query]:
    return [each for each in outcome.questions if each.answered_at is None] if isinstance(outcome, Held) else []


def _how(outcome: Refused, tool: str) -> str:
    if any(_NO_CONTRACT in each for each in outcome.reasons):
        return (
            f"put it under a contract (`contracts/`, with `run: in_process`), name that under `capabilities` of the agent "
            f"and in a policy, then `interlock apply`; a tool that is called otherwise than its contract is given its name "
            f"with `contracts={{'{tool}': ...}}`"
        )
    return outcome.next_step
