"""What an export of the evidence holds, and what it says of itself to whoever opens it."""

from hashlib import sha256
from typing import Final

import msgspec

from interlock.domain.account import Account
from interlock.domain.canonical import JsonValue
from interlock.domain.evidence import at
from interlock.domain.ids import ActionId
from interlock.domain.note import Checkpoint
from interlock.domain.requirement import ProfileName

FORMAT = "interlock-export/v1"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which actions an export is about; empty means all. The log itself is always whole: else it could not be verified."""

    since_at: int | None = None
    until_at: int | None = None
    agent: str = ""
    actions: frozenset[ActionId] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return self.since_at is None and self.until_at is None and not self.agent and not self.actions

    def within(self, first_at: str, last_at: str) -> bool:
        """Whether something that was recorded from `first_at` to `last_at` (RFC 3339) falls into the time asked for."""
        # Statements write times in one width, so that text sorts as time does.
        since = self.since_at is None or last_at >= at(self.since_at)
        return since and (self.until_at is None or first_at < at(self.until_at))

    def takes(self, account: Account) -> bool:
        """Whether it is about this action."""
        return (
            (not self.actions or account.action in self.actions)
            and self.agent in ("", account.agent)
            and self.within(account.first_at, account.last_at)
        )


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants exported."""

    selection: Selection = Selection()
    disclosed: tuple[str, ...] | None = ()
    """The names of the values whose clear texts go along (`toolArgs`, `toolResult`, ...); None: all there are."""
    profiles: tuple[ProfileName, ...] = ()
    receipts: bool = False
    """Whether a COSE receipt goes along for every entry of the actions asked for, and each action as an agent audit record."""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was exported."""

    place: str
    origin: str
    size: int
    root: str
    """Hexadecimal."""
    actions: int
    disclosures: int
    receipts: int = 0
    lost: int = 0
    """Entries whose clear texts are gone without an erasure, and without two persons who acknowledged it."""


def about(wish: Wish, head: Checkpoint, *, made_at: int, actions: int, version: str) -> bytes:
    """`export.json`: what is in the export, for the verifier to find out what is missing from it."""
    chosen = wish.selection
    value: dict[str, JsonValue] = {
        "format": FORMAT,
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "madeAt": at(made_at),
        "interlock": version,
        "disclosed": "all" if wish.disclosed is None else list[JsonValue](wish.disclosed),
        "selected": not chosen.everything,
        "selection": {
            "since": None if chosen.since_at is None else at(chosen.since_at),
            "until": None if chosen.until_at is None else at(chosen.until_at),
            "agent": chosen.agent,
            "actions": list[JsonValue](sorted(chosen.actions)),
        },
        "actions": actions,
        "profiles": list[JsonValue](wish.profiles),
        "receipts": wish.receipts,
    }
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


def sealed_text(head: Checkpoint, manifest: bytes) -> bytes:
    """What the gate signs of an export as a whole, the text of a signed note: the format, the three lines of the checkpoint,
    and the SHA-256 of MANIFEST. No checkpoint reads so, and nothing else that this key signs does."""
    return f"{FORMAT}\n".encode() + head.body() + f"{sha256(manifest).hexdigest()}\n".encode()


def readme(wish: Wish, head: Checkpoint, *, made_at: int, actions: int) -> bytes:
    """`README.md`: what whoever opens the export does first, and what each file is.

    The figures stand at its beginning, where the verifier computes them again; the rest is the same in every export.
    """
    clear = "all" if wish.disclosed is None else ", ".join(f"`{name}`" for name in wish.disclosed) or "none"
    return f"""\
# Evidence of the log `{head.origin}`

Made {at(made_at)}. The log is whole: its {head.size} entries have the root `{head.root.hex()}`.
Actions that the readable files are about: {actions}. Clear texts in it: {clear}.
{README}""".encode()


README: Final = """
## Verify it

You need Python 3.11 or newer and PyNaCl, and the public keys of the log, which you got from its operator by another way than
this export (in person, on paper, from an earlier audit):

    python -m venv check && check/bin/pip install pynacl
    check/bin/python verify.py . --key KEYFILE

It ends with 0 when every entry up to `checkpoint` is here, unaltered and signed, and nothing was taken out of this export since
it was made. That no later entry was left out shows only with `--retained` or `--policy`.

Read `verify.py` before you run it: it is one file, and it could have been changed like any other. The one in the Interlock you
trust is the same: `interlock audit verify THIS --key KEYFILE`.

`--retained NOTE` holds the log against a checkpoint you kept earlier, `--policy FILE` asks for witnesses you trust,
`--max-age 1h` for their recent word. Keep the file `checkpoint`: the next export must continue it.

## What is here

| file | what it is |
| --- | --- |
| `checkpoint`, `tile/` | the log: C2SP tlog-tiles, RFC 6962 tree, signed note. Any program that knows them can read it |
| `actions.jsonl` | one line an action, read out of the entries it names |
| `disclosures.jsonl` | clear texts (RFC 9901 disclosures), each with the index of the entry that commits to it |
| `records.jsonl` | the same entries as records of draft-sharif-agent-audit-trail, for programs that read these |
| `lists/` | where there are any: which entries show something about each clause, and the rule they were chosen by |
| `receipts/` | where asked for: a COSE receipt (RFC 9942) for each entry of these actions; each action as an agent audit record |
| `keys/` | the public keys, as the log says them. Do not take your trust from here |
| `anchors/` | checkpoints as witnesses and time stamp authorities saw them |
| `policy` | the operator's policy of witnesses, where there is one |
| `export.json` | what was asked for |
| `MANIFEST` | the SHA-256 of every file: `sha256sum --check MANIFEST` |
| `MANIFEST.sig` | the gate's signature over it, a signed note: what is in this export, and that it is all of it |
| `verify.py` | the verifier |

Whatever repeats the log is held against it. What is the operator's word alone, the verifier names at its end: `policy`, what
`export.json` says was asked for, when and by which version it was made, and the verifier itself.

Of an RFC 3161 time stamp the verifier tells the time and that it is over its anchor; who signed it OpenSSL says:
`openssl ts -verify -data anchors/N.checkpoint -in anchors/N.tsr -CAfile ROOT.pem -untrusted TSA.pem`

## What it proves, and what not

That these entries were recorded, in this order, and nothing was taken out, changed or put in between since any checkpoint
that you or a witness kept. Not that what was recorded is true, and not that nothing else happened.
"""
"""`README.md` after its figures."""
