"""What a caller says beside the arguments of a call, and what of that can be written down."""

import re
from collections.abc import Mapping
from typing import Final, cast

from interlock.domain.canonical import MAX_INTEGER, CanonicalError, encode
from interlock.domain.errors import ContractError
from interlock.domain.proposal import Proposal

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
