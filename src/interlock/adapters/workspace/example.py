"""The workspace that `interlock init` makes: small, commented, complete, and of use as it is."""

from pathlib import Path
from typing import Final

from interlock.adapters.workspace.fields import NAME
from interlock.adapters.workspace.folder import SETTINGS
from interlock.domain.errors import FileError, WorkspaceError

_SETTINGS: Final = """\
# What this workspace is called, and where its tools are.
tenant: <name>
modules: [notes]          # Python modules; the tools they declare are found by themselves
pythonpath: [.]           # folders in which they are looked for
store: .interlock/interlock.db
keys: .interlock/keys     # back this folder up: without it nothing can be recorded, so nothing runs
budgets:
  calls: 10000            # what all agents together may do; currencies are counted in minor units (EUR: 500000)
"""

_PEOPLE: Final = """\
# Who there is, and the roles each holds. Approvals are asked of roles, never of everybody.
ana: [reviewer]
"""

_AGENT: Final = """\
name: keeper
purpose: keep the notes of the team in order
scope:
  includes: [notes of the team]
  excludes: [anything personal]
# An agent without all four owners stays in shadow: it is watched and touches nothing.
owners:
  decision: ana
  policy: ana
  data: ana
  engineering: ana
# shadow: touches nothing; assisted: asks before anything above low risk; partial: acts inside policy;
# bounded: acts only where a reversal exists.
stage: partial
capabilities: [notes.add, notes.remove]
runtime:
  max_actions: 100
  max_task: 8h
approvals:
  within: 4h              # silence never means yes; nobody is waited for longer than the task lasts
behaviour:
  prompt: Keep what is worth keeping, and say it shortly.
  model: none yet
metrics:
  - name: notes found again
    target: all of them
"""

_POLICY: Final = """\
// Whatever is not permitted here does not happen.

@id("notes.keeper")
@owner("notes-team")
permit (
  principal in Agent::"keeper",
  action in [Action::"notes.add", Action::"notes.remove", Action::"notes.restore"],
  resource
);

// A forbid says what happens instead. This one asks somebody first.
@id("notes.pinned")
@owner("notes-team")
@outcome("require_approval")
@approver("reviewer")
@quorum("1")
@reason("everybody sees a pinned note")
forbid (
  principal,
  action == Action::"notes.add",
  resource
)
when { context.args.pinned };
"""

_TESTS: Final = """\
# What the policies must decide. Each policy must be true in at least one of these, or it does not go into force.
given:
  agent: keeper
  contract: notes.add
  args: {text: milk}
cases:
  - name: the keeper writes a note down
    expect: {verdict: allow, by: [notes.keeper]}

  - name: a pinned note waits for a reviewer
    args: {pinned: true}
    expect: {verdict: require_approval, by: [notes.pinned]}
"""

_TOOLS: Final = '''\
"""Notes, one text file each. Every tool can be undone: what is removed is only put away, and comes back as it was."""

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec

import interlock

HERE = Path(__file__).parent
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Name = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A note as it is."""

    note_id: str
    text: str


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """Where a removed note was put, so that exactly this one can be restored."""

    note_id: str
    kept_as: str


def _file(folder: str, call: interlock.Call) -> Path:
    """The file of one action. Its name is the action's key, so a repeated call finds what the first one did."""
    (HERE / folder).mkdir(exist_ok=True)
    return HERE / folder / f"{sha256(call.idempotency_key.encode()).hexdigest()[:16]}.txt"


@interlock.tool(
    name="notes.add",
    effect="write",
    risk="low",
    idempotency=interlock.Keyed(retention_ms=30 * interlock.DAY),
    reversal=interlock.Reversal(contract="notes.remove", arguments={"note_id": "$result.note_id"}),
    owner="notes-team",
)
def add(call: interlock.Call, text: Text, pinned: bool = False) -> Note:
    """Write a note down."""
    file = _file("notes", call)
    file.write_text(("* " if pinned else "") + text, encoding="utf-8")
    return Note(note_id=file.stem, text=text)


@interlock.tool(
    name="notes.remove",
    effect="write",
    risk="medium",
    idempotency=interlock.Keyed(retention_ms=30 * interlock.DAY),
    reversal=interlock.Reversal(
        contract="notes.restore", arguments={"note_id": "$result.note_id", "kept_as": "$result.kept_as"}
    ),
    owner="notes-team",
)
def remove(call: interlock.Call, note_id: Name) -> Removed:
    """Put a note away."""
    note, away = HERE / "notes" / f"{note_id}.txt", _file("removed", call)
    if not away.exists():
        if not note.exists():
            raise interlock.NoEffect(f"there is no note {note_id}")
        note.replace(away)
    return Removed(note_id=note_id, kept_as=away.stem)


@interlock.tool(
    name="notes.restore",
    effect="write",
    risk="low",
    idempotency=interlock.Keyed(retention_ms=30 * interlock.DAY),
    reversal=interlock.Reversal(contract="notes.remove", arguments={"note_id": "$result.note_id"}),
    owner="notes-team",
)
def restore(note_id: Name, kept_as: Name) -> Note:
    """Put a removed note back, under its own name and with all that was in it."""
    note, away = HERE / "notes" / f"{note_id}.txt", HERE / "removed" / f"{kept_as}.txt"
    if not note.exists():
        if not away.exists():
            raise interlock.NoEffect(f"the note {note_id} was not put away as {kept_as}")
        away.replace(note)
    return Note(note_id=note_id, text=note.read_text(encoding="utf-8").removeprefix("* "))
'''

_IGNORED: Final = "/.interlock/\n/notes/\n/removed/\n__pycache__/\n"

_FILES: Final = {
    SETTINGS: _SETTINGS,
    "people.yaml": _PEOPLE,
    "agents/keeper.yaml": _AGENT,
    "policies/notes.cedar": _POLICY,
    "policies/tests/notes.yaml": _TESTS,
    "notes.py": _TOOLS,
}


def write_workspace(folder: Path, name: str = "default") -> list[str]:
    """Make an example workspace for the tenant `name` in `folder`, and give the files made, relative to it.

    Nothing is overwritten: where one of its files exists, WorkspaceError says which, and nothing was written. A
    `.gitignore` that is there already is left as it is.
    """
    if not NAME.fullmatch(name):
        raise WorkspaceError(f"`{name[:64]}` is no name for a tenant: a word of letters, digits, `_` and `-`")
    taken = [path for path in _FILES if (folder / path).exists()]
    if taken:
        raise WorkspaceError(
            f"`{taken[0]}` exists already, and nothing is overwritten",
            file=taken[0],
            next_step="choose an empty folder",
        )
    try:
        made = [_write(folder, path, text.replace("<name>", name)) for path, text in _FILES.items()]
        if not (folder / ".gitignore").exists():
            made.append(_write(folder, ".gitignore", _IGNORED))
    except OSError as error:
        raise FileError(f"`{folder}` cannot be written: {error.strerror}") from None
    return made


def _write(folder: Path, path: str, text: str) -> str:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return path
