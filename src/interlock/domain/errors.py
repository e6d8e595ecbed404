"""Every error Interlock raises, as one short tree.

InterlockError
├── Yours          the caller can mend it
│   ├── ContractError      a contract, or arguments that do not fit one
│   ├── WorkspaceError     a file of the workspace, with line and column
│   ├── PolicyError        a policy bundle that may not be loaded
│   ├── NotFound           no such action, task, agent, contract
│   ├── NotSignedIn        nobody knows who asks
│   ├── NotAdmitted        a program bore no token that counts here, or one that does not open this
│   ├── NotAllowed         this person may not do that
│   │   └── TooFast        or not yet: they agreed to so many that nobody can have read them
│   ├── IllegalMove        the action's state has no such move
│   ├── KeyReused          an idempotency key came back with other arguments
│   ├── DoneBefore         a request came back with its key after it was carried out, and its answer is gone
│   ├── CredentialStale    a credential is of another release than the one that came into force
│   ├── StaleView          what was decided upon is no longer what is there
│   ├── BudgetExceeded     a budget has not enough left
│   ├── RateExceeded       there were as many calls lately as there may be
│   └── ChildrenFailed     tasks inside a task failed, and nobody looked
├── Operators      whoever runs this installation can mend it
│   ├── StoreError: StoreMissing StoreBusy StoreFull StoreReadOnly StoreCorrupt StoreTooNew StoreUnsure
│   ├── IndexDamaged       what was read from the log cannot be read, nor made again
│   ├── FileError          a file or folder that was named cannot be written, or not be got at
│   ├── KeyFileError       a signing key is missing or wrong
│   ├── KeyGone            what was sealed cannot be opened
│   ├── NotDelivered       a message to people is not known to have arrived
│   ├── ModelNotAnswered   a provider of models gave no answer, or half of one
│   ├── WitnessError       too few witnesses cosign, or a time-stamping authority does not stamp
│   ├── EffectorError      a tool's code cannot be found or loaded
│   ├── Unreachable        no control plane answers at the address: nothing was asked
│   │   └── Unanswered     or it was asked, and what came of it is not known here
│   ├── NotUnderstood      what answers there is no control plane that this version understands
│   └── IntegrityError     the log does not verify
└── Ours           a broken promise of ours; report it
    └── Conflict           somebody else wrote first (retried inside, never a user's business)

Each has a stable `code`, says whose fault it is (`fault`), what happened, and what to do `next`.
`problem()` is the one JSON shape every surface speaks (RFC 9457 members `title`, `detail` plus ours).
"""

from typing import ClassVar, Literal, cast

from interlock.domain.child_failure import ChildFailure

Fault = Literal["yours", "operator", "ours"]


class InterlockError(Exception):
    """The root. `detail` is a sentence for a person; user input in it stands in backticks."""

    code: ClassVar[str] = "interlock"
    fault: ClassVar[Fault] = "ours"
    next: str = "report this with the output of `interlock verify`"
    """What to do; of an error that says nothing more fitting, what its kind advises."""

    def __init__(self, detail: str, *, next_step: str | None = None, **members: object) -> None:
        # It may repeat a text that cannot be written, such as half of a character, and is to be printed all the same.
        detail = detail.encode(errors="backslashreplace").decode()
        super().__init__(detail)
        self.detail = detail
        if next_step:
            self.next = next_step
        self.next_step = self.next
        self.members = members
        # Where nobody catches it, a traceback says what to do as well.
        self.add_note(f"next: {self.next_step}")

    def problem(self) -> dict[str, object]:
        """The error as one JSON object: `code`, `fault`, `detail`, `next`, and members of the kind."""
        return {
            "code": self.code,
            "fault": self.fault,
            "detail": self.detail,
            "next": self.next_step,
            **self.members,
        }


class ContractError(InterlockError):
    """A contract is wrong, or arguments do not fit it. `path` is a JSON pointer to the field."""

    code = "contract"
    fault = "yours"
    next = "compare the arguments with the contract: `interlock show CONTRACT`"

    def __init__(self, detail: str, *, path: str = "", next_step: str | None = None) -> None:
        super().__init__(detail, next_step=next_step, path=path)
        self.path = path


class WorkspaceError(InterlockError):
    """A file of the workspace is wrong. `file`, `line` and `column` (1-based) say where."""

    code = "workspace"
    fault = "yours"
    next = "mend the file and run `interlock check`"

    def __init__(
        self,
        detail: str,
        *,
        file: str = "",
        line: int = 0,
        column: int = 0,
        next_step: str | None = None,
    ) -> None:
        super().__init__(detail, next_step=next_step, file=file, line=line, column=column)
        self.file, self.line, self.column = file, line, column

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{where}: {self.detail}" if where else self.detail


class PolicyError(InterlockError):
    """A policy bundle may not be loaded. The one in force stays in force."""

    code = "policy"
    fault = "yours"
    next = "mend the policy and run `interlock check`"

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that is wrong, the first of it in front, as `file:line:column: words` where the place is known."""
        found = self.members.get("problems")
        return cast(tuple[str, ...], found) if isinstance(found, tuple) else (self.detail,)


class NotFound(InterlockError):
    """There is nothing of that name."""

    code = "not_found"
    fault = "yours"
    next = "list what there is: `interlock actions`"


class NotAllowed(InterlockError):
    """This person, agent or task may not do that."""

    code = "not_allowed"
    fault = "yours"
    next = "people.yaml says who holds which role, an agent's file what it may do"


class TooFast(NotAllowed):
    """This person has agreed to as much lately as the workspace trusts anybody to have read. In `after_s` there is room."""

    code = "too_fast"
    next = "go on later, or let somebody else decide"

    def __init__(self, detail: str, *, after_s: int, next_step: str | None = None) -> None:
        super().__init__(detail, next_step=next_step, after_s=after_s)
        self.after_s = after_s


class NotSignedIn(InterlockError):
    """Nobody knows who asks: there is no session, no key, or none that still counts."""

    code = "not_signed_in"
    fault = "yours"
    next = "sign in at `/sign-in`, or send `Authorization: Bearer` with an API key"

    def __init__(
        self,
        detail: str = "this is for people of this workspace, and nobody is signed in",
        *,
        next_step: str | None = None,
    ) -> None:
        super().__init__(detail, next_step=next_step)


class NotAdmitted(InterlockError):
    """A program bore no token that counts here (401), one that opens something else (403), or said it in a way that nobody may
    (400). `challenge` is the value of the `WWW-Authenticate` header that answers it. It repeats nothing of what was borne."""

    code = "not_admitted"
    fault = "yours"
    next = "bear an agent key (`interlock agent key new AGENT`), or an access token of an issuer in interlock.yaml"

    def __init__(
        self, detail: str, *, status: Literal[400, 401, 403] = 401, challenge: str = "", next_step: str | None = None
    ) -> None:
        super().__init__(detail, next_step=next_step)
        self.status: Literal[400, 401, 403] = status
        self.challenge = challenge


class IllegalMove(InterlockError):
    """The action's state has no such move."""

    code = "illegal_move"
    fault = "yours"
    next = "look at where the action stands: `interlock show ACTION`"


class KeyReused(InterlockError):
    """An idempotency key came back with other arguments, or for somebody else. The first action stands."""

    code = "key_reused"
    fault = "yours"
    next = "use a new key for a new action, or the same arguments for the same one"


class DoneBefore(InterlockError):
    """A request came back with its idempotency key after it was carried out, and nothing keeps what it was answered."""

    code = "done_before"
    fault = "yours"
    next = "look at how things stand; use a new key to ask for the same once more"


class CredentialStale(InterlockError):
    """Another release of the agent came into force while a call was decided. Nothing was stored."""

    code = "credential_stale"
    fault = "yours"
    next = "renew the credential and call again; the SDK does so by itself"


class StaleView(InterlockError):
    """What the person was shown is not what would now be done."""

    code = "stale_view"
    fault = "yours"
    next = "look again and decide again: `interlock show ACTION`"


class BudgetExceeded(InterlockError):
    """A budget has less left than the action needs. `left` is in the budget's own unit; it `renews_at`, UTC ms, or never."""

    code = "budget_exceeded"
    fault = "yours"
    next = "raise the budget, or wait until something reserved is released"

    def __init__(self, detail: str, *, scope: str, unit: str, left: int, renews_at: int | None = None) -> None:
        super().__init__(detail, scope=scope, unit=unit, left=left, renewsAt=renews_at)
        self.scope, self.unit, self.left, self.renews_at = scope, unit, left, renews_at


class RateExceeded(InterlockError):
    """There were as many calls in the last `per_ms` milliseconds as there may be. There is room `again_at`, UTC ms."""

    code = "rate_exceeded"
    fault = "yours"
    next = "wait until there is room, or allow more calls"

    def __init__(self, detail: str, *, scope: str, calls: int, per_ms: int, again_at: int) -> None:
        super().__init__(detail, scope=scope, calls=calls, perMs=per_ms, againAt=again_at)
        self.scope, self.calls, self.per_ms, self.again_at = scope, calls, per_ms, again_at


class ChildrenFailed(InterlockError):
    """Tasks inside a task failed, and nobody looked at that before it was left. `failures` says which."""

    code = "children_failed"
    fault = "yours"
    next = "look at each in the task they are in: `task.failures()`, or run them with `task.gather(...)`"

    def __init__(self, detail: str, *, failures: tuple[ChildFailure, ...]) -> None:
        super().__init__(detail, failures=[str(each) for each in failures])
        self.failures = failures


class StoreError(InterlockError):
    """The store cannot do it; nothing was written and the gate is closed."""

    code = "store"
    fault = "operator"
    next = "look at the store's disk and file, then try again"


class StoreMissing(StoreError):
    """There is no store where it should be. An empty one in its place would verify, and say nothing of what was lost."""

    code = "store_missing"
    next = "if there was one, restore its backup; if not, `interlock apply` begins one"


class StoreBusy(StoreError):
    """Another process held the store for longer than we wait."""

    code = "store_busy"
    next = "find the process that holds the store; a stopped one blocks all others"


class StoreFull(StoreError):
    """The disk is full."""

    code = "store_full"
    next = "free space on the store's disk; nothing was lost and nothing was run"


class StoreReadOnly(StoreError):
    """The store may be read and not written."""

    code = "store_read_only"
    next = "give this user the right to write the file and its folder"


class StoreCorrupt(StoreError):
    """The file is damaged or not ours."""

    code = "store_corrupt"
    next = "restore a backup beside it and compare with `interlock verify`; keep the damaged file"


class IndexDamaged(StoreError):
    """What is kept beside the store to find actions and figures by is damaged, also after it was made again from the log."""

    code = "index_damaged"
    next = "delete the files that end in `.audit` and `.figures` beside the store: they are made again from the log"


class StoreTooNew(StoreError):
    """A newer version of Interlock wrote this store."""

    code = "store_too_new"
    next = "upgrade Interlock; older versions must not touch this file"


class StoreUnsure(StoreError):
    """The store failed while committing: it may have been stored or not. Read before you act."""

    code = "store_unsure"
    next = "read the action again; the worker settles what was left open"


class FileError(InterlockError):
    """A file or folder that was named cannot be written here, or its permissions keep us out."""

    code = "file"
    fault = "operator"
    next = "name another place; or run this as the user whose file it is, or give it to who runs this"


class KeyFileError(InterlockError):
    """A signing key is missing, unreadable or not the one the log began with."""

    code = "key"
    fault = "operator"
    next = "restore the key file from your backup; without it nothing can be recorded, so nothing runs"


class KeyGone(InterlockError):
    """What was sealed cannot be opened: its key was erased, is missing, or the sealed bytes were altered."""

    code = "key_gone"
    fault = "operator"
    next = "see whether it was erased: `interlock verify`; if not, restore the vault's backup"


class ModelNotAnswered(InterlockError):
    """A provider of models gave no answer, or broke off in the middle of it. `sent`: it may have been asked all the same."""

    code = "model_not_answered"
    fault = "operator"
    next = "try again; `interlock uses` says what was asked, and what became of it"

    def __init__(self, detail: str, *, sent: bool, slow: bool = False, why: str = "") -> None:
        """`slow`: nothing came in time. `why`: one word of what it was, for the record."""
        super().__init__(detail)
        self.sent, self.slow = sent, slow
        self.why = why or ("timeout" if slow else "broken" if sent else "unreached")


class WitnessError(InterlockError):
    """Too few witnesses cosigned, or a time-stamping authority did not stamp. The log goes on without an anchor."""

    code = "witness"
    fault = "operator"
    next = "see that the witnesses in interlock.yaml run and know the log's key; the gate works on meanwhile"


class NotDelivered(InterlockError):
    """A message to people is not known to have arrived."""

    code = "not_delivered"
    fault = "operator"
    next = "see what the channel needs, then `interlock notifications test CHANNEL`"

    def __init__(self, detail: str, *, for_good: bool = False, wait_ms: int = 0) -> None:
        """`for_good`: trying again would change nothing. `wait_ms`: how long the other side asks us to wait."""
        super().__init__(detail)
        self.for_good, self.wait_ms = for_good, wait_ms


class EffectorError(InterlockError):
    """A tool's code or address cannot be found."""

    code = "effector"
    fault = "operator"
    next = "check the contract's target and that its package is installed where the worker runs"


class Unreachable(InterlockError):
    """No control plane answers at the address. Nothing was asked of it, and nothing runs: what an agent wants is never kept to be
    asked later. `passing`: asking again may help."""

    code = "unreachable"
    fault = "operator"
    next = "see that `interlock serve` runs there, and that this machine reaches it; nothing was done"

    def __init__(self, detail: str, *, passing: bool = True, next_step: str | None = None, **members: object) -> None:
        super().__init__(detail, next_step=next_step, **members)
        self.passing = passing


class Unanswered(Unreachable):
    """The control plane was asked, and no answer came: it may have done what was asked, and records that if it did."""

    code = "unanswered"
    next = "ask again under the same idempotency key, which gives the first one's answer; or look: `interlock actions`"


class NotUnderstood(InterlockError):
    """What answers at the address is no control plane, or one of another version. Nothing of what it said is believed."""

    code = "not_understood"
    fault = "operator"
    next = "compare the address with the one that `interlock serve` printed, and its version with this program's"


class Conflict(InterlockError):
    """Somebody else wrote first: `kind` and `key` are no longer at the revision we read."""

    code = "conflict"
    next = "try again"

    def __init__(self, detail: str, *, kind: str, key: str) -> None:
        super().__init__(detail, kind=kind, key=key)
        self.kind, self.key = kind, key


class IntegrityError(InterlockError):
    """The log, or what it says of a record, does not verify; or a stored record cannot be read."""

    code = "integrity"
    fault = "operator"
    next = "stop writing, keep the file, and compare with a backup or a retained checkpoint"
