"""What a form sends."""

from interlock.web.parts import Asked


async def sent_by(request: Asked) -> dict[str, str]:
    """The fields of a form: text, each once, the last of them. Files are nothing here."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
