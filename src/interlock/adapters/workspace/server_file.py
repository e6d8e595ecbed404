"""`server` in `interlock.yaml`: where people open the console.

server:
  public_url: "https://interlock.example.org"
  proxies: ["127.0.0.1"]
  live: 2000
  rate: 50
  oidc: {issuer: "https://id.example.org", client: interlock, secret: "env:OIDC_SECRET", people: {ana@example.org: ana}}
"""

from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from interlock.adapters.addresses import unfit
from interlock.adapters.references import is_reference
from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Scalar
from interlock.domain.hosting import Hosting
from interlock.domain.providing import EMAIL, SignInProvider

MOST_LIVE: Final = 20_000
MOST_RATE: Final = 100_000


def read_hosting(section: Section | None) -> Hosting:
    """What it says; a server for this machine alone where nothing is said."""
    if section is None:
        return Hosting()
    url = section.text("public_url").rstrip("/")
    problem = unfit(url, path=False) if url else ""
    host = (urlsplit(url).hostname or "") if url and not problem else ""
    if problem:
        section.wrong(f"`public_url` {problem}", section.take("public_url"))
    live = section.integer("live", Hosting().live_most, least=1)
    if live > MOST_LIVE:
        section.wrong(f"`live` is at most {MOST_LIVE}", section.take("live"))
    rate = section.integer("rate", Hosting().rate, least=1)
    if rate > MOST_RATE:
        section.wrong(f"`rate` is at most {MOST_RATE}", section.take("rate"))
    proxies = _proxies(section)
    provider = _provider(section.section("oidc"))
    section.close()
    return Hosting(
        public_url=url if host else "",
        host=host,
        proxies=proxies,
        live_most=min(live, MOST_LIVE),
        rate=min(rate, MOST_RATE),
        provider=provider,
    )


def _proxies(section: Section) -> tuple[str, ...]:
    """Whose word counts on where requests come from."""
    found: list[str] = []
    for each in section.words("proxies"):
        try:
            network = ip_network(each.text, strict=False)
        except ValueError:
            section.wrong("`proxies` are addresses or networks: `127.0.0.1`, `10.0.0.0/8`", each)
            continue
        if network.prefixlen == 0:
            section.wrong("`proxies` names everybody: then anybody says where they come from", each)
            continue
        found.append(str(network))
    return tuple(found)


def _provider(section: Section | None) -> SignInProvider | None:
    """Whom people may sign in with."""
    if section is None:
        return None
    issuer = section.text("issuer", required=True)
    secret = section.text("secret")
    if issuer and unfit(issuer):
        section.wrong("`issuer` must begin with https://; http:// is for this machine alone", section.take("issuer"))
    if secret and not is_reference(secret):
        # It is not repeated: it may be the secret itself.
        section.wrong("`secret` says where it is, not what: `env:NAME` or `file:PATH`", section.take("secret"))
    found = SignInProvider(
        issuer=issuer,
        client=section.text("client", required=True),
        secret=secret,
        name=section.text("name"),
        claim=section.text("claim", EMAIL),
        people={said: node.text for said, node in section.pairs("people").items() if isinstance(node, Scalar)},
    )
    section.close()
    return found
