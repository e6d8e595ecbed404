"""`identity` in `interlock.yaml`: by what running instances are recognised, and for how long.

identity:
  attest: [bootstrap, oidc, spire]
  lasts: 1h
  oidc: [{issuer: "https://...", audience: interlock, keys: "https://.../jwks", subjects: {"repo:acme/shop": [support]}}]
  spire: {trust_domain: example.org, bundle: bundle.json, subjects: {"spiffe://example.org/ns/shop": [support]}}
"""

from typing import Final

from interlock.adapters.addresses import is_safe
from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Listing, Node, Scalar
from interlock.domain.attesting import METHODS, Attestation, Method, Oidc, Spire, Subjects
from interlock.domain.credential import LIFE_MS, MAX_LIFE_MS
from interlock.domain.duration import MINUTE
from interlock.domain.ids import AgentName
from interlock.domain.spiffe import SpiffeError, must_be_domain, split

LEAST_LIFE_MS: Final = MINUTE


def read_attestation(section: Section | None, trust_domain: str) -> Attestation:
    """What the settings say of it; `local` alone where they say nothing."""
    if section is None:
        return Attestation()
    methods: list[Method] = [section.one_of(word, "attest", METHODS, "local") for word in section.words("attest")]
    if not methods:
        section.wrong("`attest` is missing: without it nobody could act", section.take("attest"))
    lasts = section.span("lasts", LIFE_MS)
    if not LEAST_LIFE_MS <= lasts <= MAX_LIFE_MS:
        section.wrong("a credential `lasts` from 1m to 24h", section.take("lasts"))
    oidc = tuple(_oidc(each) for each in section.sections("oidc"))
    spire = _spire(section.section("spire"), trust_domain)
    if len({each.issuer for each in oidc}) < len(oidc):
        section.wrong("an issuer is there twice", section.take("oidc"))
    for name, said in (("oidc", bool(oidc)), ("spire", spire is not None)):
        if said != (name in methods):
            missing = f"`attest` names `{name}`, of which nothing is said" if not said else f"`attest` lacks `{name}`"
            section.wrong(missing, section.take(name) or section.take("attest"))
    section.close()
    return Attestation(methods=tuple(methods), lasts_ms=lasts, oidc=oidc, spire=spire)


def _oidc(section: Section) -> Oidc:
    keys = section.text("keys", required=True)
    if keys:
        _must_be_safe(section, "keys", keys)
    found = Oidc(
        issuer=section.text("issuer", required=True),
        audience=section.text("audience", required=True),
        keys=keys,
        subjects=_subjects(section, required=True),
    )
    section.close()
    return found


def _spire(section: Section | None, trust_domain: str) -> Spire | None:
    if section is None:
        return None
    domain = section.text("trust_domain", trust_domain)
    bundle = section.text("bundle", required=True)
    subjects = _subjects(section, required=False)
    try:
        must_be_domain(domain)
        for subject in subjects:
            if split(subject)[0] != domain:
                raise SpiffeError(f"`{subject[:64]}` is of another trust domain than `{domain}`")
    except SpiffeError as error:
        section.wrong(f"`spire`: {error}")
    if "://" in bundle:
        _must_be_safe(section, "bundle", bundle)
    section.close()
    return Spire(trust_domain=domain, bundle=bundle, subjects=subjects)


def _subjects(section: Section, *, required: bool) -> Subjects:
    """Which agents each subject may be."""
    if required:
        section.take("subjects", required=True)
    return {name: _agents(section, node) for name, node in section.pairs("subjects").items()}


def _agents(section: Section, node: Node) -> tuple[AgentName, ...]:
    items = node.items if isinstance(node, Listing) else [node]
    named = [each.text for each in items if isinstance(each, Scalar) and each.text]
    if len(named) != len(items) or not named:
        section.wrong("a subject may be an agent, or a list of them", node)
    return tuple(AgentName(each) for each in named)


def _must_be_safe(section: Section, name: str, address: str) -> None:
    """Whoever could change the keys on their way could be any agent."""
    if not is_safe(address):
        section.wrong(f"`{name}` must begin with https://; http:// is for this machine alone", section.take(name))
