"""`auth` in `servers/NAME.yaml`: by what account of this installation's own a server is called.

auth:
  client_credentials:
    issuer: "https://id.example.org"      # or token_url: "https://id.example.org/token"
    client: interlock
    secret: "env:TOOLS_SECRET"            # or private_key: "file:.secrets/tools.pem", key_id: "2026-1"
    scope: "tools.read"
    resource: "https://tools.example.org/mcp"
"""

from interlock.adapters.addresses import is_safe
from interlock.adapters.references import is_reference
from interlock.adapters.workspace.fields import Section
from interlock.domain.upstream_auth import ClientCredentials


def read_auth(section: Section | None) -> ClientCredentials | None:
    """What it says; None where nothing is said."""
    if section is None:
        return None
    below = section.section("client_credentials", required=True)
    found = None if below is None else _credentials(below)
    section.close()
    return found


def _credentials(section: Section) -> ClientCredentials:
    issuer, token_url = section.text("issuer"), section.text("token_url")
    if bool(issuer) == bool(token_url):
        section.wrong("one of `issuer` and `token_url` says where tokens are had")
    for name, address in (("issuer", issuer), ("token_url", token_url), ("resource", section.text("resource"))):
        if address and not is_safe(address):
            section.wrong(f"`{name}` must begin with https://; http:// is for this machine alone", section.take(name))
    secret, key = section.text("secret"), section.text("private_key")
    if bool(secret) == bool(key):
        section.wrong("one of `secret` and `private_key` says by what this client is known")
    for name, reference in (("secret", secret), ("private_key", key)):
        if reference and not is_reference(reference):
            # It is not repeated: it may be the secret itself.
            section.wrong(f"`{name}` says where it is, not what: `env:NAME` or `file:PATH`", section.take(name))
    found = ClientCredentials(
        client=section.text("client", required=True),
        issuer=issuer,
        token_url=token_url,
        secret=secret,
        key=key,
        key_id=section.text("key_id"),
        scope=section.text("scope"),
        resource=section.text("resource"),
    )
    section.close()
    return found
