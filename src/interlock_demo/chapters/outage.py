"""13:00. The worker and the payment service die by SIGKILL while money is moving, and come back."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

import msgspec

import interlock
from interlock_demo.chapters.people import Approved
from interlock_demo.program import WorkerProcess
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken, Teller, many, short
from interlock_demo.world.db import connect, reading
from interlock_demo.world.payments import Faults
from interlock_demo.world.payments_client import Refund
from interlock_demo.world.process import PaymentProcess

SLOW_MS = 1_200
"""How long the payment service takes to answer after it has moved the money: the window in which everything dies."""
PATIENCE_S = 45.0


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What the payment service has been asked and has done, from its own tables."""

    asked: int
    refunds: int
    mails: int


def power_cut(
    tell: Teller,
    setting: Setting,
    lock: interlock.Client,
    payments: PaymentProcess,
    worker: WorkerProcess,
    agreed: Approved,
) -> None:
    """Kill everything in the middle, and show that nothing is doubled and nothing is lost."""
    tell.chapter(
        "13:00",
        "The lights go out",
        "A worker takes up what was approved. The payment service is slow today: it moves the money, and answers a second "
        "later. In that second both processes are killed with SIGKILL.",
    )
    before = _counts(setting)
    payments.misbehave(Faults(delay_ms=SLOW_MS))
    worker.start()
    tell.line("note", f"worker {worker.pid} takes up {len(agreed.all)} approved actions")
    _until(lambda: _in_the_middle(setting, before, agreed), "the refunds to be on their way")
    worker_pid, payments_pid = worker.pid, payments.pid
    worker.kill()
    payments.kill()
    dead = _counts(setting)
    moved = dead.refunds - before.refunds
    tell.line("dead", f"kill -9 {worker_pid} {payments_pid}", "worker and payment service, at once")
    recorded = sum(state == "done" for action, state in _states(lock, agreed).items() if action != agreed.order)
    moved_both = f"{many(moved, 'refund')} paid and {many(dead.mails - before.mails, 'mail')} sent"
    tell.line("wait", moved_both, f"of which {recorded or 'nothing'} had been recorded as done")
    payments.start()
    worker.start()
    tell.line("back", f"payment service {payments.pid} and worker {worker.pid} come back", "and find what was begun")
    with tell.console.status("  waiting until what the dead worker began can no longer land, then asking again"):
        _until(lambda: _settled(lock, agreed), "the new worker to settle everything")
    after = _counts(setting)
    paid, asked = after.refunds - before.refunds, after.asked - before.asked
    tell.line(
        "yes",
        f"{asked} calls for {len(agreed.refunds)} refunds, {paid} paid",
        "the same key, so the first answer again",
    )
    _settle_mail(tell, setting, lock, agreed)
    _one_life(tell, lock, agreed)


def _settle_mail(tell: Teller, setting: Setting, lock: interlock.Client, agreed: Approved) -> None:
    """Mail honours no key: what was in flight is unknown, and a person looks."""
    sam = lock.person("sam")
    unknown = [mail for mail in map(sam.action, agreed.mails) if mail.state == "unknown"]
    if unknown:
        why = "mail honours no key, so it is never tried twice: sam looks"
        tell.line("wait", f"{many(len(unknown), 'mail')} may or may not have gone out", why)
    for mail in unknown:
        happened, found = _outbox(setting, mail.arguments)
        tell.command("sam", "settle", short(mail.id), happened, "--note", found)
        setting.program.json("settle", mail.id, happened, "--note", found, person="sam")


def _outbox(setting: Setting, mail: Mapping[str, object]) -> tuple[str, str]:
    """Whether a mail went out, as `settle` takes it, and in words."""
    with reading(setting.place.payments_db) as conn:
        row = conn.execute(
            "SELECT mail_id FROM mails WHERE recipient = :recipient AND subject = :subject AND body = :body", dict(mail)
        ).fetchone()
    return ("failed", "not in the outbox") if row is None else ("done", f"in the outbox as {row['mail_id']}")


def _one_life(tell: Teller, lock: interlock.Client, agreed: Approved) -> None:
    """One refund that was asked for twice."""
    for refund in map(lock.person("sam").action, agreed.refunds):
        if refund.attempt > 1 and refund.hold and refund.decision and refund.outcome:
            policies = ", ".join(refund.decision.because)
            by = ", ".join(word.person for word in refund.hold.approvals)
            payment = msgspec.convert(refund.outcome.result, Refund).refund_id
            told = f"held by {policies}; approved by {by}; {refund.attempt} attempts by two workers; paid once, as {payment}"
            tell.line("note", f"the life of {short(refund.id)}", f"{told}; {refund.entries} entries in the log")
            return


def _in_the_middle(setting: Setting, before: Counts, agreed: Approved) -> bool:
    now = _counts(setting)
    return now.mails > before.mails and now.refunds - before.refunds >= len(agreed.refunds) // 2


def _settled(lock: interlock.Client, agreed: Approved) -> bool:
    """Every approved action is done, or unknown and a mail."""
    states = _states(lock, agreed)
    return all(state == "done" or (state == "unknown" and action in agreed.mails) for action, state in states.items())


def _states(lock: interlock.Client, agreed: Approved) -> dict[str, str]:
    """How the approved actions stand."""
    desk = lock.person("sam")
    return {action: desk.action(action).state for action in agreed.all}


def _counts(setting: Setting) -> Counts:
    with closing(connect(setting.place.payments_db)) as conn:
        (asked,) = conn.execute("SELECT count(*) FROM calls WHERE path = '/refunds'").fetchone()
        (refunds,) = conn.execute("SELECT count(*) FROM refunds").fetchone()
        (mails,) = conn.execute("SELECT count(*) FROM mails").fetchone()
    return Counts(asked=asked, refunds=refunds, mails=mails)


def _until(reached: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > end:
            raise StoryBroken(f"waited {PATIENCE_S:.0f} s for {what}, in vain")
        time.sleep(0.03)
