"""What one unit of work does inside the writer's transaction: save a change, or take what is due."""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias, TypeVar

import apsw
import msgspec

from interlock.adapters.appending import Draft
from interlock.adapters.filing import filed, record_of, text_of
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection, Row, Values
from interlock.adapters.sqlite.veil import Place, Veil, has_private, key_of
from interlock.domain.action import Action
from interlock.domain.budget import Budget, Draw, as_defined, crossed, defined_by, drawn
from interlock.domain.change import Change, Unchanged
from interlock.domain.errors import Conflict
from interlock.domain.evidence import Fact
from interlock.domain.notice import Notice, notices
from interlock.domain.presented import KEPT_MS, SPENT, Spent
from interlock.domain.rate import Count, Recent, counted
from interlock.domain.record import Record
from interlock.domain.recording import about_of, heeds_erasure, unsaid, with_budgets
from interlock.ports.store import Claim

R = TypeVar("R", bound=Record)
MOST_KEPT: Final = 4096
SWEEP_MS: Final = 1_000
"""How often a process forgets what was spent long ago."""


class Known:
    """What the writer knows of the rows without asking, because it wrote or read them and nobody wrote since.

    Draws change a budget here first: those of a whole group are written with one statement a budget, by `flush`.
    """

    def __init__(self) -> None:
        self.budgets: dict[str, Budget] = {}
        self.drawn: set[str] = set()
        """The budgets that are further than their rows."""
        self.recent: dict[str, Recent] = {}
        self.counted: set[str] = set()
        """The scopes of rates that are further than their rows, as `drawn`."""
        self.revisions: dict[tuple[str, str], int] = {}
        self.release_tasks: set[tuple[str, str]] = set()
        self.swept = 0
        """Up to when what was spent is forgotten."""

    def forget(self) -> None:
        """Somebody else wrote, or what we wrote was not stored."""
        self.drawn.clear()
        self.counted.clear()
        self.forget_unit()

    def forget_unit(self) -> None:
        """What one unit did was undone. Draws of the units before it stand: it added none."""
        if not self.drawn:
            self.budgets.clear()
        if not self.counted:
            self.recent.clear()
        self.revisions.clear()
        self.release_tasks.clear()

    def trim(self) -> None:
        """Keep it small."""
        if len(self.budgets) + len(self.recent) + len(self.revisions) + len(self.release_tasks) > MOST_KEPT:
            self.forget()


class Transaction(NamedTuple):
    """What a unit may touch: rows of one tenant, what is known of them, and the draft of the log."""

    connection: Connection
    tenant: int
    known: Known
    draft: Draft
    veil: Veil
    numbers: dict[int, int]
    """By its place in the draft, the number of the key that an entry's clear texts are sealed under."""

    def seal(self, facts: tuple[Fact, ...], puts: "tuple[Put, ...]") -> None:
        """Add `facts` to the draft, what is private of each under the key of the record it is about."""
        before = self.draft.mark()
        vault = self.veil.vault
        if vault is None:
            self.draft.seal(facts)
            return
        own = {(put.record.kind, put.key): put.number for put in puts if put.number is not None}
        under: list[int | None] = []
        said: list[Fact] = []
        for fact in facts:
            about = about_of(fact)
            number, gone = own.get(about), False
            if number is None and fact.private and has_private(about[0]):
                number, gone = self._stored(about)
            said.append(unsaid(fact) if gone and heeds_erasure(fact) else fact)
            under.append((number or vault.fresh()) if said[-1].private else None)
        self.draft.seal(said)
        start = self.draft.mark() - len(said)
        for place in range(before, start):
            # What a log or a stream begins with is about no record.
            self.numbers[place] = vault.fresh()
        self.numbers.update({place: number for place, number in enumerate(under, start) if number is not None})

    def _stored(self, about: Place) -> tuple[int | None, bool]:
        """The number of a record's key, and whether the record was erased. Asked of the row, never of memory: it may have
        been erased since, and its key is about to go."""
        kind, key = about
        if kind == Action.kind:
            row = self.connection.execute(sql.ACTION_KEPT, (self.tenant, key)).fetchone()
        else:
            row = self.connection.execute(sql.DOCUMENT_KEPT, (self.tenant, kind, key)).fetchone()
        return (None, False) if row is None else (key_of(row[0]), bool(row[1]))

    def flush(self) -> None:
        """Write the budgets that were drawn on, and the calls that were counted."""
        known = self.known
        for key in known.drawn:
            known.budgets[key] = self._written(known.budgets[key])
        for scope in known.counted:
            known.recent[scope] = self._written(known.recent[scope])
        known.drawn.clear()
        known.counted.clear()

    def _written(self, record: R) -> R:
        after = record.saved()
        place = (self.tenant, after.kind, after.key)
        if after.revision == 1:
            self.connection.execute(sql.ADD_DOCUMENT, (*place, text_of(after), None))
        else:
            row = (after.revision, text_of(after), None, *place, after.revision - 1)
            self.connection.execute(sql.SAVE_DOCUMENT, row)
        return after


Work: TypeAlias = Callable[[Transaction], object]
"""One unit. It raises InterlockError or ValueError when it alone fails, and has then left `known` as it was."""


class Put(NamedTuple):
    """A record to save, with its statement and values made up before the transaction begins."""

    record: Record
    key: str
    statement: str
    values: Values
    number: int | None
    """Of the key that its private part is sealed under."""
    fingerprint: str
    """As its column has it."""


class Prepared(NamedTuple):
    """A change, ready to be saved."""

    given: tuple[Unchanged, ...]
    puts: tuple[Put, ...]
    draws: tuple[Draw, ...]
    facts: tuple[Fact, ...]
    spent: tuple[Spent, ...]
    counts: tuple[Count, ...]
    budgets: bool
    """Whether it saves budgets or leans on them, and must see their rows as they are."""

    def into(self, transaction: Transaction) -> tuple[Notice, ...]:
        """Conditions, records, draws, counts, facts, and the notices of them. Raises Conflict, BudgetExceeded, RateExceeded."""
        known = transaction.known
        for each in self.spent:
            _spend(transaction, each)
        for condition in self.given:
            _must_hold(transaction, condition)
        for put in self.puts:
            _put(transaction, put)
        after: dict[str, Budget] = {}
        noticed: set[str] = set()
        for draw in self.draws:
            before = after.get(draw.budget) or known.budgets.get(draw.budget) or _budget(transaction, draw.budget)
            after[draw.budget] = drawn(before, draw)
            if crossed(before, after[draw.budget]):
                noticed.add(draw.budget)
        recent: dict[str, Recent] = {}
        for count in self.counts:
            lately = recent.get(count.scope) or known.recent.get(count.scope) or _recent(transaction, count.scope)
            recent[count.scope] = counted(lately, count)
        if self.facts:
            facts = with_budgets(self.facts, self.draws, after.values(), noticed) if after else self.facts
            transaction.seal(facts, self.puts)
        made = notices(self.facts, after.values(), noticed)
        for notice in made:
            place = (transaction.tenant, Notice.kind, notice.key)
            transaction.connection.execute(sql.ADD_NOTICE, (*place, text_of(notice.saved()), None))
        if after:
            known.budgets.update(after)
            known.drawn.update(after)
        if recent:
            known.recent.update(recent)
            known.counted.update(recent)
        return made


class Taking(NamedTuple):
    """A claim, ready to be made."""

    claim: Claim

    def into(self, transaction: Transaction) -> list[Action]:
        """The actions taken, as now stored."""
        claim = self.claim
        taken: list[Action] = []
        veil = transaction.veil
        while len(taken) < claim.limit:
            lost: set[str] = set()
            wanted = msgspec.structs.replace(claim, limit=claim.limit - len(taken))
            for _, key, body, sealed in due(transaction.connection, transaction.tenant, wanted, veil.lost):
                found = record_of(Action, veil.text((Action.kind, key), body, sealed), key)
                if found.withheld:  # nobody can act on what cannot be read; it stays visible where it is
                    lost.add(key)
                    continue
                action = found.with_lease(owner=claim.owner, until=claim.now + claim.lease_ms)
                _put(transaction, _prepared_put(transaction.tenant, action, veil, key_of(sealed)))
                taken.append(action.saved())
            if not lost:
                break
            veil.lost |= lost  # and what stands behind them is not kept waiting
        return taken


def prepared(tenant: int, change: Change, veil: Veil, number_of: Callable[[Place], int | None]) -> Prepared:
    """Do beforehand all that needs no transaction. ContractError for what could not be read again, ValueError for
    a new revision of what never changes. `number_of` gives the number of the key of a stored row."""
    puts = tuple([_prepared_put(tenant, record, veil, _number(record, veil, number_of)) for record in change.puts])
    budgets = any(put.record.kind == Budget.kind for put in puts) or any(
        condition.kind == Budget.kind for condition in change.given
    )
    return Prepared(change.given, puts, change.draws, change.facts, change.spent, change.counts, budgets)


def due(connection: Connection, tenant: int, claim: Claim, lost: frozenset[str]) -> list[Row]:
    """Time, id and text of what `claim` would take, oldest due first, but for what is known to be `lost`."""
    found: list[Row] = []
    for place in dict.fromkeys(claim.places):
        narrowed: tuple[str, ...] = () if claim.only is None else (claim.only,)
        statement = sql.DUE if claim.only is None else sql.DUE_ONLY
        if lost and claim.only is None:
            statement, narrowed = sql.DUE_BUT, (text_of_ids(lost),)
        values: Values = (tenant, place, claim.now, claim.now, *narrowed, claim.limit)
        found += connection.execute(statement, values).fetchall()
    if len(claim.places) > 1:
        found.sort()
    return found[: claim.limit]


def text_of_ids(ids: frozenset[str]) -> str:
    """Ids as `DUE_BUT` takes them."""
    return msgspec.json.encode(list(ids)).decode()


def _number(record: Record, veil: Veil, number_of: Callable[[Place], int | None]) -> int | None:
    if veil.vault is None or not record.revision or not has_private(record.kind):
        return None
    place = (record.kind, record.key)
    return veil.known(place) or number_of(place)


def _prepared_put(tenant: int, record: Record, veil: Veil, number: int | None) -> Put:
    put = filed(record)
    kind, key, revision = put.kind, put.key, put.revision
    body, sealed = veil.row(put, number)
    number = key_of(sealed)
    if isinstance(record, Action):
        fingerprint = veil.fingerprint_column(record.fingerprint)
        if not revision:
            marks = (veil.key_column(record.agent, record.idempotency_key), fingerprint)
            values = sql.added_action(tenant, record, marks, body, sealed)
            return Put(record, key, sql.ADD_ACTION, values, number, fingerprint)
        values = sql.saved_action(tenant, record, fingerprint, body, sealed)
        return Put(record, key, sql.SAVE_ACTION, values, number, fingerprint)
    if not revision:
        return Put(record, key, sql.ADD_DOCUMENT, (tenant, kind, key, body, sealed), number, "")
    values = (revision + 1, body, sealed, tenant, kind, key, revision)
    return Put(record, key, sql.SAVE_DOCUMENT, values, number, "")


def _spend(transaction: Transaction, spent: Spent) -> None:
    """Raise Conflict where it was spent before; now and then forget what could not count any more."""
    connection, tenant, known = transaction.connection, transaction.tenant, transaction.known
    connection.execute(sql.ADD_SPENT, (tenant, spent.until, bytes.fromhex(spent.digest)))
    if not connection.changes():
        raise Conflict("it was spent before", kind=SPENT, key="")
    now = spent.until - KEPT_MS
    if now - known.swept >= SWEEP_MS:
        connection.execute(sql.SWEEP_SPENT, (tenant, now))
        known.swept = now


def _put(transaction: Transaction, put: Put) -> None:
    connection, tenant, known = transaction.connection, transaction.tenant, transaction.known
    record, key, statement, values, _, fingerprint = put
    if not isinstance(record, Action):
        known.revisions.pop((record.kind, key), None)
        if isinstance(record, Budget):
            # What was drawn is written: a unit that saves budgets is flushed before. Windows of a changed limit are read anew.
            known.budgets.clear()
    try:
        connection.execute(statement, values)
    except apsw.ConstraintError as error:
        must_be_at(transaction, record.kind, key, record.revision)
        if isinstance(record, Action) and "action.idempotency_key" in str(error):
            taken = record.idempotency_key
            raise Conflict(f"`{taken}` is the key of another action", kind="idempotency_key", key=taken) from None
        raise ValueError(f"{record.kind} `{key}` cannot be stored: {error}") from error
    if record.revision:
        if not connection.changes():
            must_be_at(transaction, record.kind, key, record.revision)
            if isinstance(record, Action):
                connection.execute(sql.SAVE_FINGERPRINT, (fingerprint, tenant, key, record.revision))
                connection.execute(statement, values)
    elif isinstance(record, Action) and (record.release, record.task) not in known.release_tasks:
        connection.execute(sql.ADD_RELEASE_TASK, (tenant, record.release, record.task))
        known.release_tasks.add((record.release, record.task))


def _must_hold(transaction: Transaction, condition: Unchanged) -> None:
    """As `must_be_at`, asking once only while nobody writes: most changes lean on the same few records."""
    kind, key, revision = condition.kind, condition.key, condition.revision
    if kind in (Action.kind, Budget.kind):
        must_be_at(transaction, kind, key, revision)
    elif transaction.known.revisions.get((kind, key)) != revision:
        must_be_at(transaction, kind, key, revision)
        transaction.known.revisions[kind, key] = revision


def must_be_at(transaction: Transaction, kind: str, key: str, revision: int) -> None:
    """Raise Conflict unless a record is stored at `revision`."""
    connection, tenant = transaction.connection, transaction.tenant
    if kind == Action.kind:
        stored = connection.execute(sql.ACTION_REVISION, (tenant, key)).get or 0
    else:
        stored = connection.execute(sql.DOCUMENT_REVISION, (tenant, kind, key)).get or 0
    if stored != revision:
        raise Conflict(f"{kind} `{key}` is at revision {stored}, not {revision}", kind=kind, key=key)


def _budget(transaction: Transaction, key: str) -> Budget:
    row = transaction.connection.execute(sql.DOCUMENT, (transaction.tenant, Budget.kind, key)).fetchone()
    found = None if row is None else record_of(Budget, row[0], key)
    definition = defined_by(key)
    if definition is not None:
        # The first to draw on a window makes it: written with the others, by `flush`.
        says = transaction.connection.execute(sql.DOCUMENT, (transaction.tenant, Budget.kind, definition)).fetchone()
        found = found if says is None else as_defined(found, record_of(Budget, says[0], definition), key)
    if found is None:
        raise Conflict(f"there is no budget `{key}`", kind=Budget.kind, key=key)
    transaction.known.budgets[key] = found
    return found


def _recent(transaction: Transaction, scope: str) -> Recent:
    row = transaction.connection.execute(sql.DOCUMENT, (transaction.tenant, Recent.kind, scope)).fetchone()
    return Recent(scope=scope) if row is None else record_of(Recent, row[0], scope)
