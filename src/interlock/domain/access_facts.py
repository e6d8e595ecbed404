"""What the log says of who was let in: links, sign-ins, passwords, sessions, keys and broken glass. No secret, nor a digest of
one, and nobody's name: names stand behind commitments, `person` whose account it is and `by` who did it. They go with the record
of how that person signs in."""

from typing import Literal

from interlock.domain.canonical import JsonValue
from interlock.domain.evidence import Fact, Phase, digest_of_said
from interlock.domain.login import Login, handle_of

What = Literal["link", "session", "password", "key", "glass", "provider"]


def access_fact(
    phase: Phase,
    what: What,
    name: str,
    *,
    person: str,
    by: str,
    now: int,
    why: str = "",
    **body: JsonValue,
) -> Fact:
    """The fact that `what` of this name was given, used or taken by `by`, for `person`. `body` stands in the open."""
    said: dict[str, JsonValue] = {
        "what": what,
        **{key: value for key, value in body.items() if value not in ("", None)},
    }
    private: dict[str, JsonValue] = {"by": by, "person": person}
    if why:
        private["why"] = why
    return Fact(
        phase=phase,
        subject="access",
        subject_id=name,
        subject_digest=digest_of_said(phase, said, name),
        observed_at=now,
        body=said,
        private=private,
        under=(Login.kind, handle_of(person)),
    )
