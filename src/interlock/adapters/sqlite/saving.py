"""What one unit of work does inside the writer's transaction: save a change, or take what is due."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import apsw

from interlock.adapters.appending import Draft
from interlock.adapters.filing import filed, record_of, text_of
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection, Row, Values
from interlock.domain.action import Action
from interlock.domain.budget import Budget, Draw, drawn
from interlock.domain.change import Change, Unchanged
from interlock.domain.errors import Conflict
from interlock.domain.evidence import Fact
from interlock.domain.record import Record
from interlock.ports.store import Claim


class Transaction(NamedTuple):
    """What a unit may touch: rows of one tenant, and the draft of the log."""

    connection: Connection
    tenant: str
    draft: Draft


Work: TypeAlias = Callable[[Transaction], object]
"""One unit. It raises InterlockError or ValueError when it alone fails."""


class Put(NamedTuple):
    """A record to save, with its statement and values made up before the transaction begins."""

    kind: str
    key: str
    revision: int
    statement: str
    values: Values
    fingerprint: Values | None


class Prepared(NamedTuple):
    """A change, ready to be saved."""

    given: tuple[Unchanged, ...]
    puts: tuple[Put, ...]
    draws: tuple[Draw, ...]
    facts: tuple[Fact, ...]

    def into(self, transaction: Transaction) -> None:
        """Conditions, records, draws, facts. Raises Conflict and BudgetExceeded."""
        connection, tenant, draft = transaction
        for condition in self.given:
            _must_be_at(connection, tenant, condition.kind, condition.key, condition.revision)
        for put in self.puts:
            _put(connection, tenant, put)
        for draw in self.draws:
            _draw(connection, tenant, draw)
        draft.seal(self.facts)


class Taking(NamedTuple):
    """A claim, ready to be made."""

    claim: Claim

    def into(self, transaction: Transaction) -> list[Action]:
        """The actions taken, as now stored."""
        connection, tenant, _ = transaction
        claim = self.claim
        taken: list[Action] = []
        for _, _, body in due(connection, tenant, claim):
            action = record_of(Action, body).with_lease(owner=claim.owner, until=claim.now + claim.lease_ms)
            _put(connection, tenant, _prepared_put(tenant, action))
            taken.append(action.saved())
        return taken


def prepared(tenant: str, change: Change) -> Prepared:
    """Do beforehand all that needs no transaction. ValueError for what cannot be stored."""
    return Prepared(
        change.given, tuple(_prepared_put(tenant, record) for record in change.puts), change.draws, change.facts
    )


def due(connection: Connection, tenant: str, claim: Claim) -> list[Row]:
    """Time, id and text of what `claim` would take, oldest due first."""
    found: list[Row] = []
    for place in dict.fromkeys(claim.places):
        narrowed = () if claim.only is None else (claim.only,)
        statement = sql.DUE if claim.only is None else sql.DUE_ONLY
        values = (tenant, place, claim.now, claim.now, *narrowed, claim.limit)
        found += connection.execute(statement, values).fetchall()
    if len(claim.places) > 1:
        found.sort()
    return found[: claim.limit]


def _prepared_put(tenant: str, record: Record) -> Put:
    kind, key, revision, body, _ = filed(record)
    if isinstance(record, Action):
        if not revision:
            return Put(kind, key, 0, sql.ADD_ACTION, sql.added_action(tenant, record, body), None)
        fingerprint = (record.fingerprint, tenant, key, record.fingerprint)
        return Put(kind, key, revision, sql.SAVE_ACTION, sql.saved_action(tenant, record, body), fingerprint)
    if not revision:
        return Put(kind, key, 0, sql.ADD_DOCUMENT, (tenant, kind, key, body), None)
    return Put(kind, key, revision, sql.SAVE_DOCUMENT, (revision + 1, body, tenant, kind, key, revision), None)


def _put(connection: Connection, tenant: str, put: Put) -> None:
    try:
        connection.execute(put.statement, put.values)
    except apsw.ConstraintError as error:
        _must_be_at(connection, tenant, put.kind, put.key, put.revision)
        if "action.idempotency_key" in str(error):
            key = str(put.values[6])
            raise Conflict(f"`{key}` is the key of another action", kind="idempotency_key", key=key) from None
        raise ValueError(f"{put.kind} `{put.key}` cannot be stored: {error}") from error
    if put.revision and not connection.changes():
        _must_be_at(connection, tenant, put.kind, put.key, put.revision)
    if put.fingerprint is not None:
        connection.execute(sql.SAVE_FINGERPRINT, put.fingerprint)


def _must_be_at(connection: Connection, tenant: str, kind: str, key: str, revision: int) -> None:
    if kind == Action.kind:
        row = connection.execute(sql.ACTION_REVISION, (tenant, key)).fetchone()
    else:
        row = connection.execute(sql.DOCUMENT_REVISION, (tenant, kind, key)).fetchone()
    stored = row[0] if row else 0
    if stored != revision:
        raise Conflict(f"{kind} `{key}` is at revision {stored}, not {revision}", kind=kind, key=key)


def _draw(connection: Connection, tenant: str, draw: Draw) -> None:
    place = (tenant, Budget.kind, draw.budget)
    row = connection.execute(sql.DOCUMENT, place).fetchone()
    if row is None:
        raise Conflict(f"there is no budget `{draw.budget}`", kind=Budget.kind, key=draw.budget)
    before = record_of(Budget, row[0])
    after = drawn(before, draw).saved()
    connection.execute(sql.SAVE_DOCUMENT, (after.revision, text_of(after), *place, before.revision))
