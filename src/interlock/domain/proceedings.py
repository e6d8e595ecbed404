"""What entries say that are not about an action, and what every entry says: the types of their predicates.

`BODIES` names the type of each kind of entry. From these the reference page and the JSON Schema are drawn, and the tests
hold real entries against them.
"""

from typing import Any, Final, Literal

from interlock.domain.evidence import Subject
from interlock.domain.predicate import ActionBody, Part
from interlock.domain.relayed import Counted, Route
from interlock.domain.whose import Grade


class Stream(Part, frozen=True, kw_only=True):
    """Where in its stream an entry stands: the entries of one run of one process, numbered without a gap."""

    id: str
    seq: int
    """From 1."""
    prev: str
    """Leaf hash of the entry before it, hexadecimal; empty for the first."""


class Times(Part, frozen=True, kw_only=True):
    """When, in UTC."""

    observed_at: str
    """When the fact was made."""
    received_at: str = ""
    """When the request came in: in the first entry of an action."""
    clock: str
    """`asserted`: it is the word of the machine's clock."""


class Common(Part, frozen=True, kw_only=True):
    """What the gate says in every entry, whatever it is about."""

    record_id: str
    """`urn:uuid:` and a UUIDv7 of its own."""
    phase: str
    """What happened."""
    stream: Stream
    times: Times
    action_id: str = ""
    action_seq: int = 0
    """Which of its action's entries it is, from 1. An entry numbered 0 stands beside them: somebody else held the action."""
    commitments: dict[str, str] = {}
    """By name the digest of a clear text that is kept beside the log; `alg` is `sha-256`."""
    field_evidence: dict[Grade, list[str]] = {}
    """Names of fields and commitments of this entry by whose word they are; all others are `gateway-observed`."""
    withheld: Literal["", "erased"] = ""
    """`erased`: everything private of what it is about was erased before it was made, so it commits to nothing."""


class TaskBody(Part, frozen=True, kw_only=True):
    """A task was opened, closed, or taken over by another instance (`resumed`)."""

    state: str
    agent: dict[str, str]
    """`id` and `release`."""
    depth: int
    delegation: list[str]
    """The tasks from the first that was opened down to this one."""
    expires_at: str
    tokens: list[dict[str, str]] = []
    """Of one that was handed on, when it is opened: the chain of tokens, the root first, each with its `id` and the thumbprint of
    the key of its `holder`."""
    instance: str = ""
    """In `opened` and `resumed`: the running instance that acts in it since; absent where it showed nothing."""
    through: str = ""
    """In `opened`, where that instance is a gateway that acts for somebody who bore a token: `agent_key:<id>`, or
    `oauth:<issuer>#<client>`."""


class UseBody(Part, frozen=True, kw_only=True):
    """A use of a model was begun (`opened`), `settled`, given up (`expired`) or `refused`."""

    state: str
    """`open`, `settled`, `refused`; `lost`: nobody said in time what it took, and all that was reserved counts as used."""
    task_id: str
    agent: dict[str, str]
    """`id` and `release`."""
    model: str = ""
    """As the program names it. Of one that was refused it stands behind `reasons`, if anywhere."""
    instance: str = ""
    """Which running instance asked: the RFC 7638 thumbprint of its key."""
    prices: str = ""
    """By which prices `cost` was reckoned: their source and its version."""
    late: bool = False
    """What it took was said after it had been given up: of that only what is more was added to what counted already."""
    reason_codes: list[str] = []
    route: Route | None = None
    """By which way Interlock asked the model itself; absent where the program asked, which is not seen."""
    counted: Counted | None = None
    """Of one that Interlock asked, by what it was settled: `provider`, by its word; `nothing`, as it refused or was not reached;
    `reserved`, all of it, since nothing that was said can be believed."""
    status: int = 0
    """The status of HTTP that answered it."""


class ControlBody(Part, frozen=True, kw_only=True):
    """The standing orders changed."""

    epoch: int
    """Their revision since."""
    bundle: str
    """The policies in force."""
    releases: dict[str, str] = {}
    baselines: dict[str, str] = {}
    """By agent, the digest of what is normal of it since: where this changed that."""
    publication: str = ""
    scope: str = ""
    """Of a brake: `all`, `tenant`, `agent`, `release`, `contract`, `tag`, `instance`, `task`, `user` or `target`."""
    name: str | None = None
    """Of a brake: what in that scope; of a user a salted digest, whose salt is not in the log."""
    revoked: str = ""
    """Of a revocation, whose `name` says which: `token`, `instance`, `agent`, `release`, `task`, `user`, `key` (of an
    agent) or `client`."""
    mode: str = ""
    """Of a brake: `pause` or `drain`; where it is not said, `stop`."""
    drill: dict[str, Any] = {}
    """Of a drill: how it ended (`state`), and in milliseconds from the brake's commit the last intent in its scope (`beganMs`)
    and the end of the last call (`endedMs`); how many calls were under way, were never answered, are under way still, and how
    many cleared actions waited."""
    agent: str = ""
    """Whose state changed, or shall; `version` is the digest of its file."""
    version: str = ""
    state: str = ""
    """`active`, `suspended` or `retired`, since this entry. A first word to retire, `retiring`, leaves it as it was."""
    until: str = ""
    engine: str = ""
    why: str = ""
    """Of an alarm of ours: names of policies and contracts, no values."""


class UnwindBody(Part, frozen=True, kw_only=True):
    """Undoing was asked for, goes on, is blocked, or is done."""

    scope: str
    target: str
    state: str
    blocked_by: str | None
    undone: int


class PublicationBody(Part, frozen=True, kw_only=True):
    """A change of what is in force was proposed, agreed to, published or withdrawn."""

    state: str
    epoch: int
    base: str
    """What it was made against, by digest."""
    bundle: str
    agents: dict[str, str]
    contracts: dict[str, str]
    baselines: dict[str, str] = {}
    """By agent, the digest of what is normal of it."""
    consents: int
    rule: dict[str, Any]


class RunBody(Part, frozen=True, kw_only=True):
    """A process began to record, or ended. A stream whose last entry is not `closed` is only known so far."""

    worker: str = ""
    """Host, process and a random end."""
    interlock: str = ""
    """The version of the program."""
    gate_key: str = ""
    """The public key that signs this stream's entries, as a vkey."""
    entries: int = 0
    """In `closed`: how many entries the stream has, this one included."""


class KeyBody(Part, frozen=True, kw_only=True):
    """A log began with its keys (`introduced`), a key was replaced (`rotated`) or declared compromised (`retired`)."""

    log: str = ""
    """In `introduced`: the key that signs checkpoints, as a vkey."""
    gate: str = ""
    """In `introduced`: the key that signs entries."""
    role: Literal["", "gate", "log", "identity"] = ""
    """`identity`: the key that signs credentials; it is named when it is first replaced."""
    key: str = ""
    """The key that takes over, or that is retired."""
    replaces: str = ""
    """The key it takes over from."""
    endorsement: str = ""
    """Base64: the old key's signature over the change."""
    possession: str = ""
    """Base64: the new key's."""
    since: int | None = None
    """From which entry on a retired key may have been in somebody else's hands."""
    reason: str = ""


class AnchorBody(Part, frozen=True, kw_only=True):
    """A checkpoint came back from witnesses or from a time stamping authority: what stands before is older, what comes
    after is younger."""

    checkpoint: str
    """The signed note with its cosignatures, as text."""
    cosignatures: int
    timestamp: str = ""
    """Base64: the RFC 3161 token over the checkpoint."""


class ErasureBody(Part, frozen=True, kw_only=True):
    """An erasure was proposed, agreed to, withdrawn, or a part of it carried out. It never says whom it is about."""

    state: str
    basis: str
    """`request`; `retention`: the time is over for which a class is kept; `again`: see `restored`."""
    data_class: str = ""
    scheduled: bool = False
    """A worker proposed it, since the time of its class was over."""
    scope: str = ""
    """Of one that is proposed or agreed to: SHA-256, hexadecimal, over a line for each record that it covers, in order: kind,
    space, id. Nothing else is erased."""
    part: int = 0
    consents: int = 0
    """How many persons agreed."""
    actions: int = 0
    """How many actions it covers, or this part of it erased."""
    keys: dict[str, str] = {}
    """The keys that were destroyed: by block, in hexadecimal, ranges of places in it (`0-3,17`)."""
    covers: str = ""
    """Indexes of the entries whose clear texts are gone, as ranges."""
    restored: bool = False
    """It was carried out again, on what was restored from before it; its first entry stands in the log that was lost, or in
    this one."""


class HoldBody(Part, frozen=True, kw_only=True):
    """A legal hold was placed or lifted."""

    state: str


class LossBody(Part, frozen=True, kw_only=True):
    """That clear texts are lost without an erasure was proposed to be acknowledged, or acknowledged by two persons."""

    state: str
    reason: str
    """`restored`: an older vault was put back; `vault_lost`; `damaged`; `other`."""
    entries: int
    """How many entries' clear texts."""
    actions: int
    """How many actions they are about."""
    consents: int
    """How many persons agreed."""
    covers: str = ""
    """In `acknowledged`: the indexes of these entries, as ranges."""
    part: int = 0
    """Counted from 1: which of several entries that it takes to name them all."""


class EnrolmentBody(Part, frozen=True, kw_only=True):
    """A token was made that lets an instance be an agent (`offered`), or one was recognised from outside (`enrolled`)."""

    agent: str
    expires_at: str
    """Until when the token, or the credential, counts."""
    release: str = ""
    """Which the credential was given for."""
    instance: str = ""
    """The RFC 7638 thumbprint of the instance's key."""
    attested: str = ""
    """By what it was recognised: `bootstrap`, `oidc` or `spire`."""
    issuer: str = ""
    """Whose word that is: the identity provider, or the trust domain."""
    token: str = ""
    """Of `bootstrap`: the token that was spent, by the id of its `offered` entry."""


class AccessBody(Part, frozen=True, kw_only=True):
    """Somebody was let in, or could be: a link was made (`offered`), a person `signed_in` or `signed_out`, wrong passwords
    `locked` an account, a password was set, a key made, the glass broken, which `ended`; or a session, a key, or what an identity
    provider had named was `revoked`."""

    what: Literal["link", "session", "password", "key", "glass", "provider", "agent_key"]
    """What it is about; the entry's subject names which. Nothing that opens anything, nor a digest of it."""
    way: Literal["", "link", "password", "oidc"] = ""
    """By what a person signed in."""
    link: str = ""
    """Of `link`: the one that was used, by the id of its `offered` entry."""
    until: str = ""
    """Until when it counts, at most."""
    scopes: list[str] = []
    """Of a key: what it may open at most."""
    ended: int = 0
    """How many sessions this ended."""
    agent: str = ""
    """Of an agent key: the agent that whoever bears it is."""
    surfaces: list[str] = []
    """Of an agent key: what it may speak to, `mcp` and `models`."""
    tries: int = 0
    """Of `locked`: how many passwords were tried since the last right one."""


class ServerBody(Part, frozen=True, kw_only=True):
    """A server of the Model Context Protocol was seen to say something else of a tool than what was accepted (`drifted`), once
    for each definition found in the place of a pin; or somebody accepted what it says (`pinned`)."""

    server: str
    """Its name in the workspace."""
    tool: str = ""
    """By the server's name for it. Of one that nobody accepted it stands behind `toolNamed`."""
    drift: Literal["", "new", "gone", "changed"] = ""
    """Of `drifted`: in what way. `new`: nobody accepted such a tool."""
    pinned: str = ""
    """SHA-256 of what was accepted until then; absent: nothing."""
    found: str = ""
    """SHA-256 of what was found, or of `pinned` is accepted since; absent: it is gone. Its text stands behind `definition`."""
    fields: list[str] = []
    """Of `changed`: which of its members."""


BODIES: Final[dict[Subject, type[Part]]] = {
    "action": ActionBody,
    "task": TaskBody,
    "control": ControlBody,
    "unwind": UnwindBody,
    "run": RunBody,
    "publication": PublicationBody,
    "key": KeyBody,
    "anchor": AnchorBody,
    "erasure": ErasureBody,
    "hold": HoldBody,
    "loss": LossBody,
    "enrolment": EnrolmentBody,
    "use": UseBody,
    "access": AccessBody,
    "server": ServerBody,
}
