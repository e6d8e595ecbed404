"""What came of an agent's work, counted, with the few things a person will want to hear about."""

from collections import Counter

import msgspec

import interlock


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An action that waits for a person."""

    action_id: str
    task_id: str
    contract: str
    subject: str
    reasons: tuple[str, ...]


class Tally(msgspec.Struct, kw_only=True):
    """The outcomes of one agent. Each agent has its own and only the agent writes to it."""

    tasks: int = 0
    outcomes: Counter[str] = msgspec.field(default_factory=Counter[str])
    reasons: Counter[str] = msgspec.field(default_factory=Counter[str])
    waiting: list[Waiting] = msgspec.field(default_factory=list[Waiting])

    def note(self, outcome: interlock.Outcome, *, task_id: str, contract: str, subject: str) -> object:
        """Count `outcome` and give the tool's result if there is one, else None."""
        match outcome:
            case interlock.Done(result=result):
                self.outcomes["done"] += 1
                return result
            case interlock.Held(action_id=action_id, reasons=reasons):
                self.outcomes["held"] += 1
                self.waiting.append(
                    Waiting(
                        action_id=action_id, task_id=task_id, contract=contract, subject=subject, reasons=tuple(reasons)
                    )
                )
            case other:
                self.outcomes[type(other).__name__.lower()] += 1
                self.reasons.update(reason for reason in other.reasons if not reason.startswith("interlock."))
        return None
