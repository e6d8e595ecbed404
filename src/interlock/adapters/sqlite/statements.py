"""Every statement we send, in one place. `tenant` leads every key."""

from typing import Final

from interlock.adapters.sqlite.connection import Value, Values
from interlock.domain.action import Action
from interlock.ports.store import ActionQuery

BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
SAVEPOINT: Final = "SAVEPOINT unit"
RELEASE: Final = "RELEASE unit"
ROLLBACK_TO: Final = "ROLLBACK TO unit"

VERSION: Final = "PRAGMA data_version"
"""Differs from the last answer whenever another connection has committed, our own writer being one."""

DOCUMENT: Final = "SELECT body FROM document WHERE tenant = ? AND kind = ? AND key = ?"
DOCUMENT_REVISION: Final = "SELECT revision FROM document WHERE tenant = ? AND kind = ? AND key = ?"
DOCUMENTS: Final = "SELECT body FROM document WHERE tenant = ? AND kind = ? ORDER BY key DESC LIMIT ?"
ADD_DOCUMENT: Final = "INSERT INTO document (tenant, kind, key, revision, body) VALUES (?, ?, ?, 1, ?)"
SAVE_DOCUMENT: Final = (
    "UPDATE document SET revision = ?, body = ? WHERE tenant = ? AND kind = ? AND key = ? AND revision = ?"
)

ACTION: Final = "SELECT body FROM action WHERE tenant = ? AND id = ?"
ACTION_REVISION: Final = "SELECT revision FROM action WHERE tenant = ? AND id = ?"
ACTION_BY_KEY: Final = "SELECT body FROM action WHERE tenant = ? AND agent = ? AND idempotency_key = ?"
ADD_ACTION: Final = (
    "INSERT INTO action (tenant, id, task, agent, release, contract, idempotency_key, undoes, proposed_at, fingerprint,"
    " revision, state, place, due_at, owner, lease_until, fence, ended_at, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SAVE_ACTION: Final = (
    "UPDATE action SET revision = ?, state = ?, place = ?, due_at = ?, owner = ?, lease_until = ?, fence = ?,"
    " ended_at = ?, body = ? WHERE tenant = ? AND id = ? AND revision = ?"
)
# Apart from the one above because naming a column of an index has its entry written anew, changed or not.
SAVE_FINGERPRINT: Final = "UPDATE action SET fingerprint = ? WHERE tenant = ? AND id = ? AND fingerprint <> ?"

DUE: Final = (
    "SELECT due_at, id, body FROM action INDEXED BY action_due WHERE tenant = ? AND place = ? AND due_at <= ?"
    " AND (lease_until IS NULL OR lease_until <= ?) ORDER BY due_at LIMIT ?"
)
DUE_ONLY: Final = (
    "SELECT due_at, id, body FROM action WHERE tenant = ? AND place = ? AND due_at <= ?"
    " AND (lease_until IS NULL OR lease_until <= ?) AND id = ? LIMIT ?"
)
NEXT_DUE: Final = (
    "WITH RECURSIVE places(place) AS ("
    " SELECT min(place) FROM action INDEXED BY action_due WHERE tenant = ?1 AND due_at IS NOT NULL"
    " UNION ALL SELECT (SELECT min(a.place) FROM action a INDEXED BY action_due"
    " WHERE a.tenant = ?1 AND a.due_at IS NOT NULL AND a.place > places.place) FROM places WHERE places.place IS NOT NULL"
    ") SELECT min((SELECT min(a.due_at) FROM action a INDEXED BY action_due"
    " WHERE a.tenant = ?1 AND a.place = places.place AND a.due_at IS NOT NULL)) FROM places"
)

LOG_KEY: Final = "SELECT vkey FROM log WHERE tenant = ?"
ADD_LOG: Final = "INSERT INTO log (tenant, vkey) VALUES (?, ?)"
LOG_SIZE: Final = "SELECT max(size) FROM checkpoint WHERE tenant = ?"
CHECKPOINT: Final = "SELECT note FROM checkpoint WHERE tenant = ? AND size = ?"
LATEST_CHECKPOINT: Final = "SELECT note FROM checkpoint WHERE tenant = ? ORDER BY size DESC LIMIT 1"
ADD_CHECKPOINT: Final = "INSERT INTO checkpoint (tenant, size, note) VALUES (?, ?, ?)"
_ENTRY: Final = "SELECT idx, leaf, leaf_hash, stream, seq, action, phase FROM entry"
ENTRIES: Final = f"{_ENTRY} WHERE tenant = ? AND idx >= ? AND idx < ? ORDER BY idx"
ENTRIES_OF: Final = f"{_ENTRY} WHERE tenant = ? AND action = ? ORDER BY idx"
ADD_ENTRY: Final = (
    "INSERT INTO entry (tenant, idx, stream, seq, action, phase, leaf_hash, leaf) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
LEAF_HASHES: Final = "SELECT leaf_hash FROM entry WHERE tenant = ? AND idx >= ? AND idx < ? ORDER BY idx"
LAST_OF_STREAM: Final = "SELECT seq, leaf_hash FROM entry WHERE tenant = ? AND stream = ? ORDER BY idx DESC LIMIT 1"
DISCLOSURES: Final = "SELECT idx, text FROM disclosure WHERE tenant = ? AND idx >= ? AND idx < ? ORDER BY idx, n"
ADD_DISCLOSURE: Final = "INSERT INTO disclosure (tenant, idx, n, text) VALUES (?, ?, ?, ?)"
TILE: Final = "SELECT hashes FROM tile WHERE tenant = ? AND level = ? AND n = ?"
TILE_ROOTS: Final = "SELECT root FROM tile WHERE tenant = ? AND level = ? AND n >= ? AND n < ? ORDER BY n"
ADD_TILE: Final = "INSERT INTO tile (tenant, level, n, root, hashes) VALUES (?, ?, ?, ?, ?)"


def added_action(tenant: str, action: Action, body: str) -> Values:
    """What ADD_ACTION takes."""
    return (
        tenant,
        action.id,
        action.task,
        action.agent,
        action.release,
        action.contract,
        action.idempotency_key,
        action.undoes,
        action.proposed_at,
        action.fingerprint,
        action.state,
        action.place,
        action.due_at,
        action.owner,
        action.lease_until,
        action.fence,
        action.ended_at,
        body,
    )


def saved_action(tenant: str, action: Action, body: str) -> Values:
    """What SAVE_ACTION takes."""
    return (
        action.revision + 1,
        action.state,
        action.place,
        action.due_at,
        action.owner,
        action.lease_until,
        action.fence,
        action.ended_at,
        body,
        tenant,
        action.id,
        action.revision,
    )


def listed(tenant: str, query: ActionQuery) -> tuple[str, Values]:
    """The statement for a page of actions, and its values."""
    where, values = _narrowed(tenant, query)
    if query.before is not None:
        where += " AND id < ?"
        values = (*values, query.before)
    order = "ASC" if query.oldest_first else "DESC"
    return f"SELECT body FROM action WHERE {where} ORDER BY id {order} LIMIT ?", (*values, query.limit)  # noqa: S608  only our own words


def counted(tenant: str, query: ActionQuery) -> tuple[str, Values]:
    """The statement for how many there are, and its values."""
    where, values = _narrowed(tenant, query)
    return f"SELECT count(*) FROM action WHERE {where}", values  # noqa: S608  only our own words


def _narrowed(tenant: str, query: ActionQuery) -> tuple[str, Values]:
    where = "tenant = ?"
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
    if query.states:
        where += f" AND state IN ({', '.join('?' * len(query.states))})"
        values += query.states
    if not query.undos:
        where += " AND undoes IS NULL"
    return where, tuple(values)
