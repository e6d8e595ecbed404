"""An action before anything was decided about it, and one whose arguments did not pass."""

import re
from collections.abc import Mapping
from typing import Final, cast

import msgspec

from interlock.domain.action import Action, first
from interlock.domain.binding import bind, fingerprint
from interlock.domain.canonical import MAX_INTEGER, CanonicalError, JsonValue, digest, encode
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.exception_case import must_be_unanswered
from interlock.domain.ids import ActionId, Digest
from interlock.domain.proposal import Proposal
from interlock.domain.recording import recorded
from interlock.domain.stating import Beginning
from interlock.domain.task import Task
from interlock.ports.clock import Clock, Ids

MAX_WORD_BYTES = 64 * 1024
"""Canonical size of each text around the arguments."""
CERTAIN = 1000
"""The highest confidence there is: it is given per mille."""
_TEXT = f"give it as text in UTF-8 of at most {MAX_WORD_BYTES // 1024} KiB"
MAX_FIGURES = 32
"""How many figures of the business one action may speak of."""
_FIGURE: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_FIGURES = "give figures by name with whole numbers in their smallest unit: {'margin_minor': -250}"
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
NOTHING = Digest("0" * 64)
"""The digest of an action that no contract ever described."""


class Drafts:
    """Gives actions their names, and what is fixed about them from the first."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def key(self) -> str:
        """An idempotency key that nobody has used."""
        return self._ids.new()

    def bound(self, task: Task, contract: Contract, arguments: dict[str, JsonValue], key: str) -> Action:
        """The action with its arguments held against the contract; its state is a placeholder until it is born.

        Raises ContractError with the first field that does not fit.
        """
        nonce = self._ids.nonce()
        bound = bind(contract, arguments, nonce=nonce)
        must_be_unanswered(contract.name, bound.arguments)
        return Action(
            id=ActionId(self._ids.new()),
            task=task.id,
            agent=task.agent,
            release=task.release,
            contract=contract.name,
            contract_digest=contract.digest,
            arguments=bound.arguments,
            nonce=nonce,
            digest=bound.digest,
            fingerprint=fingerprint(contract, bound.arguments),
            idempotency_key=key,
            initiator=task.initiator,
            proposed_at=self._clock.now(),
            place=contract.place,
            state="refused",
        )

    def now(self) -> int:
        """UTC ms."""
        return self._clock.now()

    def refused(
        self, proposal: Proposal, beginning: Beginning, why: str, rule: str, contract: Contract | None = None
    ) -> tuple[Action, Change]:
        """The action as refused. Its arguments did not pass, so only what can be written of them is kept."""
        now = self._clock.now()
        action = Action(
            id=ActionId(self._ids.new()),
            task=proposal.task.id,
            agent=proposal.task.agent,
            release=proposal.task.release,
            contract=proposal.contract,
            contract_digest=contract.digest if contract is not None else Digest(""),
            arguments=storable(proposal.arguments),
            nonce=self._ids.nonce(),
            digest=NOTHING,
            idempotency_key=proposal.idempotency_key or self._ids.new(),
            initiator=proposal.task.initiator,
            caller=beginning.caller,
            proposed_at=now,
            ended_at=now,
            state=first("refuse"),
            reasons=(rule, why),
            justification=proposal.justification,
            traceparent=proposal.traceparent,
            confidence=proposal.confidence,
            kpi=proposal.kpi,
        )
        # What was asked for could not be bound: what can be written of it stands in the action itself.
        beginning = msgspec.structs.replace(beginning, proposed=action.arguments)
        action, fact = recorded(action, "refused", now, contract=contract, beginning=beginning)
        return action, Change(puts=(action,), facts=(fact,))


def must_be_writable(proposal: Proposal) -> None:
    """The words around the arguments go into records and evidence as they are."""
    words: dict[str, object] = {
        "contract": proposal.contract,
        "idempotency_key": proposal.idempotency_key,
        "justification": proposal.justification,
        "traceparent": proposal.traceparent,
        "request": proposal.request,
    }
    sure: object = proposal.confidence
    # 0.9 and True would pass for numbers per mille, and mean something else.
    if sure is not None and (type(sure) is not int or not 0 <= sure <= CERTAIN):
        raise ContractError(
            "`confidence` is a whole number per mille, from 0 to 1000",
            path="/confidence",
            next_step="give it per mille: 900 for nine times in ten, or leave it out",
        )
    _must_be_figures(proposal.kpi)
    for name, text in words.items():
        if text is not None and not isinstance(text, str):
            raise ContractError(
                f"`{name}`: expected `str`, got `{type(text).__name__}`", path=f"/{name}", next_step=_TEXT
            )
        try:
            encode(text, max_bytes=MAX_WORD_BYTES)
        except CanonicalError as error:
            raise ContractError(f"`{name}`: {error.reason}", path=f"/{name}", next_step=_TEXT) from None
    if proposal.traceparent and _TRACEPARENT.fullmatch(proposal.traceparent) is None:
        # It stands in the log for ever, in the open: no other text may come in by this door.
        raise ContractError(
            "`traceparent` is not one of W3C Trace Context",
            path="/traceparent",
            next_step="give it as the tracer writes it, `00-<32 hex>-<16 hex>-<2 hex>`, or leave it out",
        )


def _must_be_figures(kpi: object) -> None:
    """`kpi` is small and whole, so that it can be written down and added up."""
    if not isinstance(kpi, Mapping):
        raise ContractError("`kpi` names figures and gives whole numbers", path="/kpi", next_step=_FIGURES)
    figures = cast(Mapping[object, object], kpi)
    if len(figures) > MAX_FIGURES:
        raise ContractError(f"`kpi` names more than {MAX_FIGURES} figures", path="/kpi", next_step=_FIGURES)
    for name, value in figures.items():
        if not isinstance(name, str) or _FIGURE.fullmatch(name) is None:
            raise ContractError("`kpi`: a figure has no plain name", path="/kpi", next_step=_FIGURES)
        if type(value) is not int or not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ContractError(f"`kpi`: `{name}` is no whole number", path=f"/kpi/{name}", next_step=_FIGURES)


def storable(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Arguments that were refused, if they can be written down at all."""
    try:
        digest(arguments)
    except CanonicalError:
        return {}
    return arguments
