"""What a form sends."""

from collections.abc import Mapping

from interlock.domain.ids import Digest
from interlock.web.parts import Asked


async def sent_by(request: Asked) -> dict[str, str]:
    """The fields of a form: text, each once, the last of them. Files are nothing here."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def note_of(sent: Mapping[str, str]) -> str:
    """What somebody says with their word."""
    return sent.get("note", "").strip()


def view_of(sent: Mapping[str, str], name: str = "view") -> Digest:
    """What was shown. A form without it is no word on anything: such a digest no view has."""
    return Digest(sent.get(name, "") or "nothing was shown")
