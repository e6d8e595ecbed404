"""Secrets in a text, by the shapes that those who issue them publish.

Each shape and its source:
- PEM private keys: RFC 7468 section 10 and 11, RFC 9580 section 6.2 (`PGP PRIVATE KEY BLOCK`).
- AWS access key ids (`AKIA`, `ASIA`): IAM User Guide, "IAM identifiers, unique ID prefixes"; the secret key is 40 characters
  without a mark, and is found where its own name stands before it.
- GitHub (`ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_`, `github_pat_`): GitHub Docs, "About authentication to GitHub, token formats".
- Slack (`xoxb-`, `xoxp-`, `xapp-`, ...; incoming webhooks): Slack API docs, "Tokens" and "Incoming webhooks".
- Stripe (`sk_live_`, `rk_live_`, test mode alike, `whsec_`): Stripe Docs, "API keys" and "Webhooks, signatures".
- Google (`AIza`, `GOCSPX-`, `ya29.`): Google Cloud docs, "API keys" and "OAuth 2.0".
- OpenAI (`sk-proj-`, `sk-svcacct-`, `sk-admin-`, `sk-`) and Anthropic (`sk-ant-...`): their API references, "Authentication".
- Keys of agents, our own (`ila_`): `domain/agent_key.py`.
- JWT: RFC 7519 section 3 in the compact form of RFC 7515, whose header is JSON and hence begins `eyJ`.
- Bearer and basic credentials: RFC 6750 section 2.1, RFC 7617 section 2.
- Passwords in URLs: RFC 3986 section 3.2.1.

One pattern finds all of them, in time linear in the text: what may repeat without bound is either taken whole when it
matches, or may begin only where a word does. A secret that is split, encoded again or of no published shape is not found.
"""

import re
from collections.abc import Callable
from typing import Final

_START: Final = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
"""Where a token may begin: not within a word; but JSON within a text writes a line's end as `\\n`."""
_REST: Final = r"[A-Za-z0-9_-]*"
"""Whatever is written on without a break goes with a token, so that nothing of it is left to look like another."""

_SHAPES: Final[tuple[tuple[str, str], ...]] = (
    ("private_key", r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"),
    ("aws_key", _START + r"(?:AKIA|ASIA)[A-Z2-7]{16}" + _REST),
    ("aws_secret", r"""(?i:secret_?access_?key)["'\\\s:=>]{1,8}(?P<aws>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"""),
    ("github_token", _START + r"(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{36})" + _REST),
    ("slack_token", _START + r"(?:xox[abceoprs]-|xapp-|xoxe\.xox[bp]-)[0-9A-Za-z][A-Za-z0-9-]{9}" + _REST),
    (
        "slack_webhook",
        r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9]{6,20}/[A-Za-z0-9]{6,20}/[A-Za-z0-9]{16}" + _REST,
    ),
    ("stripe_key", _START + r"(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16}|whsec_[A-Za-z0-9]{24})" + _REST),
    ("google_key", _START + r"(?:AIza[0-9A-Za-z_-]{35}|GOCSPX-[0-9A-Za-z_-]{24}|ya29\.[0-9A-Za-z_-]{20})" + _REST),
    ("anthropic_key", _START + r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20}" + _REST),
    ("openai_key", _START + r"sk-(?:(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20}|[A-Za-z0-9]{40})" + _REST),
    ("agent_key", _START + r"ila_[0-9a-f]{32}\.[0-9a-f]{64}" + _REST),
    ("jwt", r"(?:(?<![A-Za-z0-9_.-])|(?<=\\[nrt]))eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_.-]*"),
    # With a digit: "bearer" is a word, too. The look ahead is bounded, or each `bearer` would read to the text's end.
    ("bearer", r"(?i:bearer)\s{1,4}(?P<bearer_>(?=[A-Za-z._~+/-]{0,256}[0-9])[A-Za-z0-9._~+/-]{16,}=*)"),
    ("basic", r"(?i:authorization)[\"'\\\s:=]{1,8}(?i:basic)\s{1,4}(?P<basic_>[A-Za-z0-9+/]{8,}=*)"),
    ("url_password", r"://(?P<user>[^\s/?#@:\"'<>]{0,256}:[^\s/?#@\"'<>]{1,256})@"),
)
_PATTERN: Final = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in _SHAPES))
_PART: Final = {"aws_secret": "aws", "bearer": "bearer_", "basic": "basic_", "url_password": "user"}
"""Where only a part of what was found is the secret."""

_MARKS: Final = tuple(
    b"AKIA ASIA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ xox xapp- hooks.slack k_live_ k_test_ whsec_ AIza GOCSPX- ya29. sk- eyJ "
    b"PRIVATE ila_".split()
)
_WORDS: Final = (b"bearer", b"authorization", b"secret")
_END: Final = "-----END "
_DASHES: Final = "-----"

Found = Callable[[str], None]
"""Is told the kind of each thing that is masked."""


def mask(kind: str) -> str:
    """What stands where something of `kind` was. The space and the brackets keep it from being found again."""
    return f"[masked: {kind}]"


def may_hold_secrets(text: bytes) -> bool:
    """Whether anything in `text`, UTF-8 or JSON, has the mark of a secret. No means no; yes costs a closer look."""
    for mark in _MARKS:
        if mark in text:
            return True
    if b"://" in text and b"@" in text:
        return True
    lower = text.lower()
    return any(word in lower for word in _WORDS)


def without_secrets(text: str, found: Found) -> str:
    """`text` with a mask in the place of each secret; the same object where there is none."""
    parts: list[str] = []
    done = 0
    match = _PATTERN.search(text)
    while match is not None:
        # Of groups in each other the outer one closes last: it names the shape.
        shape = match.lastgroup or ""
        start, stop = match.span(_PART.get(shape, shape))
        after = match.end()
        if shape == "private_key":
            stop = after = _end_of_key(text, after)
        kind = shape.replace("_", "-")
        found(kind)
        parts += (text[done:start], mask(kind))
        done = stop
        match = _PATTERN.search(text, after)
    return "".join((*parts, text[done:])) if parts else text


def _end_of_key(text: str, begun: int) -> int:
    """Where a key that begins before `begun` ends: behind its last line, or with the text where that was cut off."""
    last = text.find(_END, begun)
    close = text.find(_DASHES, last + len(_END)) if last >= 0 else -1
    return close + len(_DASHES) if close >= 0 else len(text)
