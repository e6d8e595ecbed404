"""Pages from templates. Whatever is put into one is text: Jinja escapes it, and what a template lacks is an error."""

from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.enums import MediaType

from interlock.web.parts import Asked

_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("interlock.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(request: Asked, template: str, **values: Any) -> Response[str]:
    """The page of `template`, which is told who asks as `actor`, or None."""
    text = _ENVIRONMENT.get_template(template).render(actor=request.user, request=request, **values)
    return Response(text, media_type=MediaType.HTML)
