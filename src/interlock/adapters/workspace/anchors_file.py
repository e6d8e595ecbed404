"""`witnesses`, `quorum`, `timestamps` and `anchor_every` in `interlock.yaml`: who cosigns the log, and how often it is asked.

witnesses: [{url: "https://w.example/", key: w.example/w1+0a1b2c3d+BA...}]
quorum: 1
timestamps: {url: "https://tsa.example/", certificates: tsa.pem}
anchor_every: 1m
"""

from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters.workspace.fields import Section
from interlock.domain.cosignature import parse_cosigner
from interlock.domain.note import NoteError
from interlock.domain.quorum import NONE, TrustPolicy, Witness, at_least

_SCHEMES: Final = ("http://", "https://")


class Anchorage(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked to cosign the log."""

    policy: TrustPolicy = TrustPolicy(quorum=NONE)
    stamp_url: str = ""
    stamp_certificates: Path | None = None
    every_ms: int = 0
    """How often workers anchor; 0: only who asks for it."""

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be asked at all."""
        return bool(self.policy.witnesses or self.stamp_url)


def read_anchorage(section: Section, folder: Path) -> Anchorage:
    """What the settings say of it; nobody where they say nothing."""
    witnesses = _witnesses(section)
    needed = section.integer("quorum", len(witnesses), least=1 if witnesses else 0)
    every_ms = section.span("anchor_every", 0)
    url, certificates = "", None
    stamps = section.section("timestamps")
    if stamps is not None:
        url = _url(stamps, "url")
        name = stamps.text("certificates", required=True)
        certificates = folder / name
        if name and not certificates.is_file():
            stamps.wrong(f"there is no file `{name}`", stamps.take("certificates"))
        stamps.close()
    policy = TrustPolicy(quorum=NONE)
    if witnesses:
        if needed > len(witnesses):
            section.wrong(f"{needed} of {len(witnesses)} witnesses can never agree", section.take("quorum"))
        else:
            policy = at_least(needed, witnesses)
    elif section.has("quorum"):
        section.wrong("a `quorum` needs `witnesses`", section.take("quorum"))
    if every_ms and not witnesses and not url:
        section.wrong("`anchor_every` needs `witnesses` or `timestamps`", section.take("anchor_every"))
    return Anchorage(policy=policy, stamp_url=url, stamp_certificates=certificates, every_ms=every_ms)


def _witnesses(section: Section) -> list[Witness]:
    found: dict[bytes, Witness] = {}
    for number, each in enumerate(section.sections("witnesses"), start=1):
        url = _url(each, "url")
        line = each.text("key", required=True)
        try:
            key = parse_cosigner(line)
        except NoteError as error:
            if line:
                each.wrong(f"`key` is not the public key of a witness: {error}", each.take("key"))
        else:
            witness = Witness(name=f"w{number}", key=key, url=url)
            if found.setdefault(key.public, witness) is not witness:
                each.wrong("this witness is there twice", each.take("key"))
        each.close()
    return list(found.values())


def _url(section: Section, name: str) -> str:
    url = section.text(name, required=True)
    if url and not url.startswith(_SCHEMES):
        section.wrong(f"`{name}` must begin with http:// or https://", section.take(name))
    return url
