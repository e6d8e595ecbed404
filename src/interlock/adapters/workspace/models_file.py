"""`models` in `interlock.yaml`: who is asked when an agent asks for a model.

models:
  providers: {openai: {url: "https://api.openai.com/v1", key: "env:OPENAI_API_KEY", headers: {OpenAI-Project: shop}}}
  routes:
    gpt-4o-mini: {provider: openai, most_output: 4096, most_input: 128000, fallback: [{provider: local, model: "llama3.2"}]}
  secrets: mask
"""

from collections.abc import Mapping
from typing import Final

from interlock.adapters.addresses import unfit
from interlock.adapters.references import is_reference
from interlock.adapters.workspace.agent_file import Places
from interlock.adapters.workspace.fields import NAME, Section, kind_of
from interlock.adapters.workspace.nodes import Node, Scalar
from interlock.adapters.workspace.problem import Place
from interlock.domain.duration import MINUTE
from interlock.domain.model_route import (
    DIALECTS,
    LARGEST_ANSWER,
    LARGEST_BYTES,
    MOST_FALLBACKS,
    OUTPUT_FIELDS,
    REASONS,
    Leg,
    ModelRoute,
    Models,
    Provider,
    Reason,
)
from interlock.domain.output import SECRETS
from interlock.domain.relayed import LONGEST_WORD
from interlock.domain.use import MODEL, MOST_MS, MOST_TOKENS

_OURS: Final = (
    "authorization",
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "cookie",
)
"""Headers that are not for a file to say."""
_AROUND_MS: Final = MINUTE
"""So much longer than the answer lasts the use of the model."""


def read_models(section: Section | None, places: Places) -> Models:
    """What it says; without it no model is asked for anybody."""
    if section is None:
        return Models()
    providers = {
        name: provider
        for name, node in section.pairs("providers").items()
        if (below := section.below(node, f"providers.{name[:64]}")) and (provider := _provider(name, below))
    }
    written = section.pairs("routes")
    routes = {
        name: route
        for name, node in written.items()
        if (below := section.below(node, f"routes.{name[:64]}")) and (route := _route(name, below, providers))
    }
    for name, node in written.items():
        places["route", name] = Place(section.problems.file, node.line, node.column)
    plain = Models()
    models = Models(
        providers=providers,
        routes=routes,
        secrets=section.choice("secrets", SECRETS, plain.secrets),
        most_bytes=_up_to(section, "most_bytes", plain.most_bytes, LARGEST_BYTES),
        most_answer=_up_to(section, "most_answer", plain.most_answer, LARGEST_ANSWER),
        at_once=_up_to(section, "at_once", plain.at_once, 10_000),
        of_one=_up_to(section, "of_one", plain.of_one, 10_000),
        lasts_ms=section.span("lasts", plain.lasts_ms),
    )
    if models.lasts_ms + _AROUND_MS > MOST_MS:
        section.wrong("an answer `lasts` at most 59 minutes", section.take("lasts"))
    section.close()
    return models


def _provider(name: str, section: Section) -> Provider | None:
    if not NAME.fullmatch(name):
        section.wrong(f"`{name[:64]}` is no name: a word of letters, digits, `_` and `-`")
        return None
    url = section.text("url", required=True).rstrip("/")
    problem = unfit(url) if url else ""
    if problem:
        section.wrong(f"`url` {problem}", section.take("url"))
    key = section.text("key")
    if key and not is_reference(key):
        # It is not repeated: it may be the key itself.
        section.wrong("`key` says where it is, not what: `env:NAME` or `file:PATH`", section.take("key"))
        key = ""
    found = Provider(
        name=name,
        url="" if problem else url,
        key=key,
        headers=_headers(section, section.pairs("headers")),
        dialect=section.choice("kind", DIALECTS, "openai"),
    )
    section.close()
    return found


def _headers(section: Section, pairs: Mapping[str, Node]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, node in pairs.items():
        if not isinstance(node, Scalar):
            section.wrong(f"the header `{name[:64]}` must be words, not {kind_of(node)}", node)
        elif not name.isascii() or not name.replace("-", "").isalnum() or name.lower() in _OURS:
            section.wrong(f"`{name[:64]}` is no header that is yours to say", node)
        elif not (node.text.isascii() and node.text.isprintable()):
            section.wrong(f"the header `{name[:64]}` holds something else than plain words", node)
        else:
            found[name.lower()] = node.text
    return found


def _route(name: str, section: Section, providers: Mapping[str, Provider]) -> ModelRoute | None:
    if not name.isprintable() or len(name) > LONGEST_WORD:
        section.wrong(f"`{name[:64]}` is no name that a program can ask for")
    first = _leg(section, providers, name)
    legs = [first]
    for each in section.sections("fallback"):
        legs.append(_leg(each, providers, name))
        each.close()
    if len(legs) > MOST_FALLBACKS + 1:
        section.wrong(f"a route has at most {MOST_FALLBACKS} others behind it", section.take("fallback"))
    found = ModelRoute(
        name=name,
        legs=tuple(leg for leg in legs if leg is not None),
        when=_reasons(section),
        most_output=_up_to(section, "most_output", 0, MOST_TOKENS),
        most_input=_up_to(section, "most_input", 0, MOST_TOKENS),
        tools=section.texts("tools"),
        output_field=section.choice("output_field", OUTPUT_FIELDS, "max_completion_tokens"),
        timeout_ms=section.span("timeout", ModelRoute(name="", legs=()).timeout_ms),
    )
    section.close()
    return found if first is not None else None


def _leg(section: Section, providers: Mapping[str, Provider], route: str) -> Leg | None:
    """Who is asked, and under which name that counts. A model is called there as it is asked for, unless said."""
    provider = section.text("provider", required=True)
    model = section.text("model", route)
    name = section.text("counts_as", model)
    if provider and provider not in providers:
        section.wrong(f"there is no provider `{provider[:64]}` in `providers`", section.take("provider"))
        return None
    if not MODEL.fullmatch(name):
        section.wrong(
            f"`{name[:64]}` cannot be counted by that name: letters, digits and `._:/@+-`; `counts_as` gives it another",
            section.take("model"),
        )
        return None
    if not model.isprintable() or len(model) > LONGEST_WORD:
        section.wrong("`model` is a name that can be printed", section.take("model"))
        return None
    return Leg(provider=provider, model=model, name=name) if provider else None


def _reasons(section: Section) -> tuple[Reason, ...]:
    """When another is asked instead."""
    if not section.has("when"):
        return REASONS
    found: list[Reason] = [section.one_of(word, "when", REASONS, "connect") for word in section.words("when")]
    return tuple(found)


def _up_to(section: Section, name: str, default: int, most: int) -> int:
    value = section.integer(name, default, least=1) if section.has(name) else default
    if value > most:
        section.wrong(f"`{name}` is at most {most}", section.take(name))
    return min(value, most)
