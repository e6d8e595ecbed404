"""`gateway` in `interlock.yaml`: whose access tokens let programs in, and as which agents.

gateway:
  hold: wait
  wait: 45s
  resource: "https://gateway.example.org/mcp"
  issuers:
    - issuer: "https://id.example.org"
      keys: "https://id.example.org/jwks"
      algorithms: [ES256]
      types: [at+jwt]
      lasts: 1h
      bound: required
      initiator: sub
      scopes: {shelf.read: [shelf.look], shelf.write: [shelf.look, "shelf.*"]}
      clients:
        - {client: assistant, agent: keeper, purpose: "tidy up the shelf", for: [mcp, models], prohibited: [shelf.clear],
           data: {customer: [$sub], shelf: ["*"]}}
"""

from typing import Final, Literal

from interlock.adapters.addresses import is_safe, unfit
from interlock.adapters.workspace.agent_file import Places
from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Listing, Node, Scalar
from interlock.domain.access_token import (
    ALGORITHMS,
    LONGEST_MS,
    MOST_SCOPES,
    TYPE,
    TYPES,
    AccessIssuer,
    Client,
    Resource,
)
from interlock.domain.bearer import SURFACES, Bounds, Surface
from interlock.domain.duration import HOUR, MINUTE
from interlock.domain.grant import anything_with
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.patience import HOLD_MODES, Patience
from interlock.domain.patience import LONGEST_MS as LONGEST_WAIT_MS
from interlock.domain.selector import Selector, SelectorError

Bound = Literal["required", "where it is"]
BOUND: Final[tuple[Bound, ...]] = ("required", "where it is")
MOST_ISSUERS: Final = 16


def read_patience(section: Section | None) -> Patience:
    """How long calls wait for people, which it says beside."""
    if section is None:
        return Patience()
    base = Patience()
    wait = section.span("wait", base.wait_ms)
    if wait > LONGEST_WAIT_MS:
        section.wrong("a call waits for 10m at most", section.take("wait"))
    return Patience(hold=section.choice("hold", HOLD_MODES, base.hold), wait_ms=min(wait, LONGEST_WAIT_MS))


def read_resource(section: Section | None, places: Places) -> Resource:
    """What it says; no access token counts where nothing is said."""
    if section is None:
        return Resource()
    resource = section.text("resource")
    problem = unfit(resource) if resource else ""
    if problem:
        section.wrong(f"`resource` {problem}", section.take("resource"))
    issuers = tuple(_issuer(each, places) for each in section.sections("issuers"))
    if issuers and not resource:
        section.wrong("`resource` is missing: tokens are made for one address, and must be for this one")
    if len({each.issuer for each in issuers}) < len(issuers):
        section.wrong("an issuer is there twice", section.take("issuers"))
    if len(issuers) > MOST_ISSUERS:
        section.wrong(f"`issuers` are at most {MOST_ISSUERS}", section.take("issuers"))
    section.close()
    return Resource(resource=resource, issuers=issuers)


def _issuer(section: Section, places: Places) -> AccessIssuer:
    issuer, keys = section.text("issuer", required=True), section.text("keys", required=True)
    if issuer and unfit(issuer):
        section.wrong(f"`issuer` {unfit(issuer)}", section.take("issuer"))
    if "://" in keys and not is_safe(keys):
        section.wrong("`keys` must begin with https://; http:// is for this machine alone", section.take("keys"))
    lasts = section.span("lasts", HOUR)
    if not MINUTE <= lasts <= LONGEST_MS:
        section.wrong("a token `lasts` from 1m to 24h", section.take("lasts"))
    algorithms = tuple(section.one_of(each, "algorithms", ALGORITHMS, "ES256") for each in section.words("algorithms"))
    types = tuple(section.one_of(each, "types", TYPES, TYPE) for each in section.words("types"))
    section.take("clients", required=True)
    found = AccessIssuer(
        issuer=issuer,
        keys=keys,
        algorithms=algorithms or ALGORITHMS,
        types=types or (TYPE,),
        clients=tuple(_client(each, issuer, places) for each in section.sections("clients")),
        initiator=section.text("initiator", "sub"),
        scopes=_scopes(section),
        beside=section.texts("other_audiences"),
        lasts_ms=lasts,
        bound=section.choice("bound", BOUND, "where it is") == "required",
    )
    section.close()
    return found


def _client(section: Section, issuer: str, places: Places) -> Client:
    tools = section.texts("tools")
    surfaces: list[Surface] = [section.one_of(each, "for", SURFACES, "mcp") for each in section.words("for")]
    lasts = section.span("task_lasts", None)
    budgets = {unit: section.whole(node, unit) for unit, node in section.pairs("budgets").items()}
    found = Client(
        name=section.text("client", required=True),
        agent=AgentName(section.text("agent", required=True)),
        purpose=section.text("purpose", required=True),
        subject=section.text("subject"),
        surfaces=tuple(each for each in SURFACES if each in surfaces) or ("mcp",),
        bounds=Bounds(
            tools=anything_with(tools) if tools else None,
            data=_data(section),
            budgets=budgets,
            prohibited=tuple(ContractName(each) for each in section.texts("prohibited")),
            lasts_ms=lasts,
        ),
    )
    places["client", issuer, found.name] = section.place("agent")
    section.close()
    return found


def _data(section: Section) -> Selector | None:
    """The records by kind, each a list. Nothing is said: whatever the agent may touch."""
    if "data" not in section.table.entries:
        return None
    said = section.section("data", required=True)
    if said is None:
        return None
    try:
        found = Selector(records={kind: said.texts(kind) for kind, _ in said.own()})
    except SelectorError as error:
        section.wrong(f"`data`: {error}", section.take("data"))
        return None
    said.close()
    return found


def _scopes(section: Section) -> dict[str, tuple[str, ...]]:
    """The tools each scope opens."""
    found = {name: _tools(section, node) for name, node in section.pairs("scopes").items()}
    for name in found:
        if not name.isascii() or not name.isprintable() or set(name) & set(' "\\'):
            section.wrong(f"`{name[:64]}` is no scope: printable ASCII without spaces, quotes and backslashes")
    if len(found) > MOST_SCOPES:
        section.wrong(f"`scopes` are at most {MOST_SCOPES}", section.take("scopes"))
    return found


def _tools(section: Section, node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, Listing) else [node]
    named = [each.text for each in items if isinstance(each, Scalar) and each.text]
    if len(named) != len(items) or not named:
        section.wrong("a scope opens a tool, or a list of them: `shop.refund`, `shop.*`, `*`", node)
    for each in named:
        if "*" in each.removesuffix(".*") and each != "*":
            section.wrong(f"`{each[:64]}`: a `*` stands alone, or for all that begins so: `shop.*`", node)
    return tuple(named)
