"""What a form sends, and addresses of ours with a query."""

from collections.abc import Mapping
from urllib.parse import urlencode

from interlock.web.parts import Asked


async def sent_by(request: Asked) -> dict[str, str]:
    """The fields of a form: text, each once, the last of them. Files are nothing here."""
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def address(path: str, query: Mapping[str, str]) -> str:
    """`path` with `query`, without what is empty in it."""
    said = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{said}" if said else path
