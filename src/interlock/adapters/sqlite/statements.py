"""Every statement we send, in one place. The tenant's number leads every key."""

from typing import Final

import msgspec

from interlock.adapters.sqlite.connection import Value, Values
from interlock.domain.action import Action
from interlock.domain.evidence import MARKED
from interlock.ports.store import INDEXED, ActionQuery

BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
SAVEPOINT: Final = "SAVEPOINT unit"
RELEASE: Final = "RELEASE unit"
ROLLBACK_TO: Final = "ROLLBACK TO unit"

VERSION: Final = "PRAGMA data_version"
"""Differs from the last answer on the same connection whenever another connection has committed since."""

TENANT: Final = "SELECT number FROM tenant WHERE name = ?"
ADD_TENANT: Final = "INSERT INTO tenant (name) VALUES (?) ON CONFLICT DO NOTHING"

DOCUMENT: Final = "SELECT body, sealed FROM document WHERE tenant = ? AND kind = ? AND key = ?"
DOCUMENT_REVISION: Final = "SELECT revision FROM document WHERE tenant = ? AND kind = ? AND key = ?"
DOCUMENTS: Final = "SELECT key, body, sealed FROM document WHERE tenant = ? AND kind = ? ORDER BY key DESC LIMIT ?"
DOCUMENTS_BEFORE: Final = (
    "SELECT key, body, sealed FROM document WHERE tenant = ? AND kind = ? AND key < ? ORDER BY key DESC LIMIT ?"
)
DOCUMENTS_DUE: Final = (
    "SELECT key, body, sealed FROM document INDEXED BY document_due WHERE tenant = ? AND kind = ?"
    " AND kind IN ('task', 'use') AND body ->> 'due_at' <= ? ORDER BY body ->> 'due_at' LIMIT ?"
)
TASKS_INSIDE: Final = (
    "SELECT key, body, sealed FROM document INDEXED BY document_parent WHERE tenant = ? AND kind = 'task'"
    " AND body ->> 'parent' = ? ORDER BY key"
)
ADD_DOCUMENT: Final = "INSERT INTO document (tenant, kind, key, revision, body, sealed) VALUES (?, ?, ?, 1, ?, ?)"
ADD_NOTICE: Final = f"{ADD_DOCUMENT} ON CONFLICT DO NOTHING"
SAVE_DOCUMENT: Final = (
    "UPDATE document SET revision = ?, body = ?, sealed = ? WHERE tenant = ? AND kind = ? AND key = ? AND revision = ?"
)

DOCUMENT_SEALED: Final = "SELECT sealed FROM document WHERE tenant = ? AND kind = ? AND key = ?"

ACTION: Final = "SELECT body, sealed FROM action WHERE tenant = ? AND id = ?"
ACTION_SEALED: Final = "SELECT sealed FROM action WHERE tenant = ? AND id = ?"
# Whether it is erased, beside the number of its key.
ACTION_KEPT: Final = "SELECT sealed, body ->> 'withheld' = 'erased' FROM action WHERE tenant = ? AND id = ?"
DOCUMENT_KEPT: Final = (
    "SELECT sealed, body ->> 'withheld' = 'erased' FROM document WHERE tenant = ? AND kind = ? AND key = ?"
)
# Erased actions beside whose entries there is a clear text all the same.
LATE: Final = (
    "SELECT id, revision FROM action WHERE tenant = ? AND sealed IS NULL AND body ->> 'withheld' = 'erased' AND EXISTS ("
    "SELECT 1 FROM entry INDEXED BY entry_action WHERE entry.tenant = action.tenant AND entry.action = action.id"
    " AND (entry.sealed IS NOT NULL OR entry.disclosed IS NOT NULL)) ORDER BY id"
)
# Of erased holds: earlier versions sealed the entries about one under keys of their own.
LATE_HOLDS: Final = (
    "SELECT key, revision FROM document WHERE tenant = ? AND kind = 'legal_hold' AND body ->> 'withheld' = 'erased'"
    " ORDER BY key"
)
ENTRIES_OF_HOLDS: Final = (
    "SELECT place, idx, sealed, leaf FROM entry INDEXED BY entry_key WHERE tenant = ? AND action IS NULL"
    " AND sealed IS NOT NULL AND phase IN ('placed', 'lifted') ORDER BY idx"
)
DECIDED: Final = (
    "SELECT id, body, sealed FROM action WHERE tenant = ? AND id < ? AND proposed_at >= ? ORDER BY id DESC LIMIT ?"
)
LAST: Final = "\U0010ffff"
"""Sorts after every id."""
ACTION_REVISION: Final = "SELECT revision FROM action WHERE tenant = ? AND id = ?"
ACTION_BY_KEY: Final = "SELECT id, body, sealed FROM action WHERE tenant = ? AND agent = ? AND idempotency_key = ?"
ADD_ACTION: Final = (
    "INSERT INTO action (tenant, id, task, agent, release, contract, idempotency_key, undoes, proposed_at, fingerprint,"
    " revision, state, place, due_at, owner, lease_until, fence, ended_at, deadline, asks, body, sealed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
ADD_RELEASE_TASK: Final = "INSERT INTO release_task (tenant, release, task) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
# The fingerprint changes only when arguments do. To name a column of an index is to have its entry written anew, changed
# or not, so it is a condition here and only the second statement sets it.
SAVE_ACTION: Final = (
    "UPDATE action SET revision = ?, state = ?, place = ?, due_at = ?, owner = ?, lease_until = ?, fence = ?,"
    " ended_at = ?, deadline = ?, asks = ?, body = ?, sealed = ? WHERE tenant = ? AND id = ? AND revision = ? AND fingerprint = ?"
)
SAVE_FINGERPRINT: Final = "UPDATE action SET fingerprint = ? WHERE tenant = ? AND id = ? AND revision = ?"

# The time leads the key: what is added stands together at the end, and what may be forgotten at the beginning.
ADD_SPENT: Final = "INSERT INTO spent (tenant, until, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
IS_SPENT: Final = "SELECT 1 FROM spent WHERE tenant = ? AND until = ? AND digest = ?"
SWEEP_SPENT: Final = "DELETE FROM spent WHERE tenant = ? AND until < ?"

DUE: Final = (
    "SELECT due_at, id, body, sealed FROM action INDEXED BY action_due WHERE tenant = ? AND place = ? AND due_at <= ?"
    " AND (lease_until IS NULL OR lease_until <= ?) ORDER BY due_at LIMIT ?"
)
DUE_ONLY: Final = (
    "SELECT due_at, id, body, sealed FROM action WHERE tenant = ? AND place = ? AND due_at <= ?"
    " AND (lease_until IS NULL OR lease_until <= ?) AND id = ? LIMIT ?"
)
NEXT_DUE: Final = (
    "SELECT min(due_at) FROM action INDEXED BY action_due WHERE tenant = ? AND place = ? AND due_at IS NOT NULL"
)
# Where some actions cannot be read: their ids as a JSON array.
_BUT: Final = " AND id NOT IN (SELECT value FROM json_each(?))"
DUE_BUT: Final = DUE.replace(" ORDER BY", f"{_BUT} ORDER BY")
NEXT_DUE_BUT: Final = NEXT_DUE + _BUT

VAULT: Final = "SELECT vault FROM tenant WHERE number = ?"
SET_VAULT: Final = "UPDATE tenant SET vault = ? WHERE number = ?"
SWEPT: Final = "SELECT swept FROM tenant WHERE number = ?"
SET_SWEPT: Final = "UPDATE tenant SET swept = 1 WHERE number = ?"
ACTION_ROW: Final = "SELECT body, sealed FROM action WHERE tenant = ? AND id = ?"
DOCUMENT_ROW: Final = "SELECT body, sealed FROM document WHERE tenant = ? AND kind = ? AND key = ?"
STRIP_ACTION: Final = (
    "UPDATE action SET revision = ?, body = ?, sealed = NULL, fingerprint = '', due_at = NULL,"
    " deadline = NULL, asks = NULL"
    " WHERE tenant = ? AND id = ?"
)
STRIP_DOCUMENT: Final = (
    "UPDATE document SET revision = ?, body = ?, sealed = NULL WHERE tenant = ? AND kind = ? AND key = ?"
)
ENTRIES_TO_STRIP: Final = (
    "SELECT place, idx, sealed FROM entry INDEXED BY entry_action WHERE tenant = ? AND action = ?"
    " AND (sealed IS NOT NULL OR disclosed IS NOT NULL)"
)
ENTRIES_BY_KEY: Final = (
    "SELECT place, idx FROM entry INDEXED BY entry_key"
    " WHERE tenant = ? AND substr(sealed, 2, 8) = ? AND action IS NULL AND sealed IS NOT NULL"
)
STRIP_ENTRY: Final = "UPDATE entry SET sealed = NULL, disclosed = NULL WHERE place = ?"
CLEAR_ACTIONS: Final = (
    "SELECT rowid, id, agent, body FROM action WHERE rowid > ? AND tenant = ? AND sealed IS NULL ORDER BY rowid LIMIT ?"
)
VEIL_ACTION: Final = (
    "UPDATE action SET body = ?, sealed = ?, idempotency_key = ?, fingerprint = ? WHERE tenant = ? AND id = ?"
)
CLEAR_DOCUMENTS: Final = (
    "SELECT key, body FROM document WHERE key > ? AND tenant = ? AND kind = ? AND sealed IS NULL ORDER BY key LIMIT ?"
)
VEIL_DOCUMENT: Final = "UPDATE document SET body = ?, sealed = ? WHERE tenant = ? AND kind = ? AND key = ?"
CLEAR_ENTRIES: Final = (
    "SELECT place, action, leaf, leaf_hash, disclosed FROM entry"
    " WHERE place > ? AND place >= ? AND place < ? AND disclosed IS NOT NULL ORDER BY place LIMIT ?"
)
VEIL_ENTRY: Final = "UPDATE entry SET disclosed = NULL, sealed = ? WHERE place = ?"

LOG_KEY: Final = "SELECT log_key FROM tenant WHERE number = ?"
SET_LOG_KEY: Final = "UPDATE tenant SET log_key = ? WHERE number = ?"
LAST_ENTRY: Final = "SELECT idx, checkpoint FROM entry WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1"
CHECKPOINT: Final = "SELECT checkpoint FROM entry WHERE place = ?"
CHECKPOINTS: Final = (
    "SELECT idx + 1, checkpoint FROM entry WHERE place >= ? AND place < ? AND checkpoint IS NOT NULL ORDER BY place"
)
_ENTRY: Final = "SELECT idx, leaf, leaf_hash, stream, seq, action, phase, disclosed, sealed FROM entry"
ENTRIES: Final = f"{_ENTRY} WHERE place >= ? AND place < ? ORDER BY place"
ENTRIES_OF: Final = f"{_ENTRY} INDEXED BY entry_action WHERE tenant = ? AND action = ? ORDER BY place"
# The very words of the index `entry_marked`, which is used for no others.
_MARKED: Final = "phase IN ('" + "', '".join(MARKED) + "')"
KEY_LEAVES: Final = (
    f"SELECT leaf FROM entry INDEXED BY entry_marked WHERE tenant = ? AND {_MARKED}"  # noqa: S608  only our own words
    " AND phase IN ('introduced', 'rotated') AND place >= ? ORDER BY place"
)
ADD_ENTRY: Final = (
    "INSERT INTO entry (place, stream, seq, action, phase, leaf_hash, checkpoint, disclosed, leaf, sealed)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
LEAF_HASHES: Final = "SELECT leaf_hash FROM entry WHERE place >= ? AND place < ? ORDER BY place"
LAST_OF_STREAM: Final = (
    "SELECT seq, leaf_hash FROM entry WHERE place >= ? AND place < ? AND stream = ? ORDER BY place DESC LIMIT 1"
)
TILE: Final = "SELECT hashes FROM tile WHERE tenant = ? AND level = ? AND n = ?"
TILE_ROOTS: Final = "SELECT root FROM tile WHERE tenant = ? AND level = ? AND n >= ? AND n < ? ORDER BY n"
ADD_TILE: Final = "INSERT INTO tile (tenant, level, n, root, hashes) VALUES (?, ?, ?, ?, ?)"

# The very words of the index `action_open`.
_IS_OPEN: Final = " AND state IN ('" + "', '".join(sorted(INDEXED)) + "')"

MOST_ENTRIES: Final = 2**40
"""How many entries one tenant's log can have in this file."""


def place_of(tenant: int, index: int) -> int:
    """The key of an entry: the tenant leads."""
    return tenant * MOST_ENTRIES + min(max(index, 0), MOST_ENTRIES)


def added_action(tenant: int, action: Action, marks: tuple[str, str], body: str, sealed: bytes | None) -> Values:
    """What ADD_ACTION takes. `marks` are the idempotency key and the fingerprint as their columns have them."""
    return (
        tenant,
        action.id,
        action.task,
        action.agent,
        action.release,
        action.contract,
        marks[0],
        action.undoes,
        action.proposed_at,
        marks[1],
        action.state,
        action.waits_at,
        action.due_at,
        action.owner,
        action.lease_until,
        action.fence,
        action.ended_at,
        action.deadline,
        _asks(action),
        body,
        sealed,
    )


def _asks(action: Action) -> str | None:
    """The roles asked, as their column has them: a JSON array. In it a role's own JSON text occurs where it is meant, and
    nowhere else."""
    return _text(action.asks) if action.asks else None


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def saved_action(tenant: int, action: Action, fingerprint: str, body: str, sealed: bytes | None) -> Values:
    """What SAVE_ACTION takes. `fingerprint` is as its column has it."""
    return (
        action.revision + 1,
        action.state,
        action.waits_at,
        action.due_at,
        action.owner,
        action.lease_until,
        action.fence,
        action.ended_at,
        action.deadline,
        _asks(action),
        body,
        sealed,
        tenant,
        action.id,
        action.revision,
        fingerprint,
    )


def marked(phases: int, *, listed: bool = True) -> str:
    """The statement for the entries of so many phases, which are `listed` in `MARKED`; for others all are read."""
    asked = ", ".join("?" * phases)
    if not listed:
        return f"{_ENTRY} WHERE place >= ? AND place < ? AND phase IN ({asked}) ORDER BY place"
    return f"{_ENTRY} INDEXED BY entry_marked WHERE tenant = ? AND {_MARKED} AND phase IN ({asked}) ORDER BY place"


def listed(tenant: int, query: ActionQuery) -> tuple[str, Values]:
    """The statement for a page of actions, and its values."""
    source, values = _narrowed(tenant, query)
    if query.before is not None:
        source += " AND id < ?"
        values = (*values, query.before)
    order = "id ASC" if query.oldest_first else "id DESC"
    if query.waiting:
        order = "deadline, id"
        if query.after is not None:
            source += " AND (deadline, id) > (?, ?)"
            values = (*values, *query.after)
    # Where the index does not give them in order, ids are sorted, not bodies.
    page = f"SELECT rowid FROM {source} ORDER BY {order} LIMIT ?"  # noqa: S608  only our own words
    return f"SELECT id, body, sealed FROM action WHERE rowid IN ({page}) ORDER BY {order}", (*values, query.limit)  # noqa: S608  the same


def counted(tenant: int, query: ActionQuery) -> tuple[str, Values]:
    """The statement for how many there are, and its values."""
    source, values = _narrowed(tenant, query)
    return f"SELECT count(*) FROM {source}", values  # noqa: S608  only our own words


def _narrowed(tenant: int, query: ActionQuery) -> tuple[str, Values]:
    """The table, the index to use (SQLite would walk all ids, because they are wanted in order) and the conditions."""
    where = " WHERE tenant = ?"
    values: list[Value] = [tenant]
    for column, wanted in (
        ("task", query.task),
        ("agent", query.agent),
        ("release", query.release),
        ("contract", query.contract),
        ("fingerprint", query.fingerprint),
        ("undoes", query.undoes),
    ):
        if wanted is not None:
            where += f" AND {column} = ?"
            values.append(wanted)
    if query.contracts:
        where += f" AND contract IN ({', '.join('?' * len(query.contracts))})"
        values += query.contracts
    if query.states:
        where += f" AND state IN ({', '.join('?' * len(query.states))})"
        values += query.states
    if not query.undos:
        where += " AND undoes IS NULL"
    if query.due_by is not None:
        where += " AND due_at <= ?"
        values.append(query.due_by)
    if query.roles:
        where += f" AND (asks IS NULL{' OR instr(asks, ?)' * len(query.roles)})"
        values += [_text(each) for each in query.roles]
    if query.waiting or query.roles:
        return "action INDEXED BY action_waiting" + where + " AND deadline IS NOT NULL", tuple(values)
    if query.undoes is not None:
        return "action INDEXED BY action_undoes" + where, tuple(values)
    if query.task is not None:
        return "action INDEXED BY action_task" + where, tuple(values)
    if query.release is not None:
        where += " AND task IN (SELECT task FROM release_task WHERE tenant = ? AND release = ?)"
        return "action INDEXED BY action_task" + where, (*values, tenant, query.release)
    if query.states and INDEXED.issuperset(query.states):
        return "action INDEXED BY action_open" + where + _IS_OPEN, tuple(values)
    if query.due_by is not None:
        return "action INDEXED BY action_due" + where, tuple(values)
    return "action" + where, tuple(values)
