"""Ways to models: who is asked under which name, what may be asked there, and who is asked instead. `models` in interlock.yaml.

A model without a route is asked by nobody. The key of a provider is only named here (`env:NAME`, `file:PATH`): it is read when
it is sent, and the agent never sees it.
"""

from typing import Final, Literal, get_args

import msgspec

from interlock.domain.duration import MINUTE
from interlock.domain.output import Secrets

Reason = Literal["connect", "timeout", "429", "5xx"]
"""Why another is asked instead: nobody was reached, or the connection broke before an answer began; none began in time; there
were too many requests; the provider says that it is broken."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
OutputField = Literal["max_completion_tokens", "max_tokens"]
OUTPUT_FIELDS: Final[tuple[OutputField, ...]] = get_args(OutputField)
Dialect = Literal["openai"]
DIALECTS: Final[tuple[Dialect, ...]] = get_args(Dialect)

TIMEOUT_MS: Final = 2 * MINUTE
LASTS_MS: Final = 10 * MINUTE
MOST_BYTES: Final = 4 * 1024 * 1024
LARGEST_BYTES: Final = 8 * 1024 * 1024
"""Of a question, however many the workspace allows."""
MOST_ANSWER: Final = 16 * 1024 * 1024
LARGEST_ANSWER: Final = 256 * 1024 * 1024
AT_ONCE: Final = 256
OF_ONE: Final = 64
MOST_FALLBACKS: Final = 4


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who runs models."""

    name: str
    url: str
    """What stands before `/chat/completions`: `https://api.openai.com/v1`."""
    key: str = ""
    """Where its key is; empty: it takes none."""
    headers: dict[str, str] = {}
    """Sent with every question. What begins with `env:` or `file:` says where the value is."""
    dialect: Dialect = "openai"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a provider."""

    provider: str
    model: str
    """What it is called there."""
    name: str
    """Under which name it is counted, priced, and held against what the agent may run on."""


class ModelRoute(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked when an agent asks for a model of that name."""

    name: str
    legs: tuple[Leg, ...]
    """The first is asked first, each other one where the one before it failed in a way that `when` names."""
    when: tuple[Reason, ...] = REASONS
    most_output: int = 0
    """How many tokens an answer may have at most, and may have where the agent does not say; 0: the agent has to say."""
    most_input: int = 0
    """How many tokens the model can read at all; 0: nobody says."""
    tools: tuple[str, ...] = ()
    """The tools that the provider itself may run for the agent, such as `web_search`."""
    output_field: OutputField = "max_completion_tokens"
    """As what the number of tokens is sent where the agent does not say, in chats."""
    timeout_ms: int = TIMEOUT_MS
    """How long the model may say nothing: until its answer begins, and in the middle of it."""


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """All of `models`."""

    providers: dict[str, Provider] = {}
    routes: dict[str, ModelRoute] = {}
    secrets: Secrets = "mask"
    """What becomes of secrets in what agents ask."""
    most_bytes: int = MOST_BYTES
    """Of a question."""
    most_answer: int = MOST_ANSWER
    """Bytes of an answer."""
    at_once: int = AT_ONCE
    """How many questions are open at once."""
    of_one: int = OF_ONE
    """How many of these may be one bearer's."""
    lasts_ms: int = LASTS_MS
    """How long one may take from beginning to end."""
