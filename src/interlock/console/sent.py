"""What a form sends."""

from collections.abc import Mapping
from typing import Final

from interlock.domain.errors import ContractError
from interlock.domain.ids import Digest
from interlock.web.parts import Asked


async def sent_by(request: Asked) -> dict[str, str]:
    """The fields of a form: text, each once, the last of them. Files are nothing here."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


LONGEST: Final = 4_000
"""Of what somebody says with what they do, as the API has it."""


def note_of(sent: Mapping[str, str]) -> str:
    """What somebody says with their word. Raises ContractError where it is too long."""
    return bounded(sent.get("note", ""))


def bounded(text: str, name: str = "note") -> str:
    """What a person wrote, without what surrounds it. Raises ContractError where it is too long."""
    said = text.strip()
    if len(said) > LONGEST:
        raise ContractError(
            f"that is longer than {LONGEST:,} characters", path=f"/{name}", next_step="say it in fewer words"
        )
    return said


def view_of(sent: Mapping[str, str], name: str = "view") -> Digest:
    """What was shown. A form without it is no word on anything: such a digest no view has."""
    return Digest(sent.get(name, "") or "nothing was shown")
