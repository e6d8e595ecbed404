"""Somebody else's records of one approval, one authority or one exclusive dispatch, lived through by a gate of ours.

`approval-binding`, `authority-at-dispatch` and `dispatch-fence` of agent-evidence-vectors judge a record after the fact. Here
each record is a story that is told to a whole control plane in the order of its times: who asked, who agreed to what, what
was put in force or revoked, and what was then to be run. The verdict is what became of the last: whether exactly what the
record says was used, by whom it says, was run because of that.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from interlock.domain.action import Action
from interlock.domain.agent import Runtime
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.duration import DAY
from interlock.domain.errors import InterlockError
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.domain.task import Task
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

Object = dict[str, Any]
Step = Callable[[], Awaitable[object]]
Rule = tuple[Policy, Predicate]
TEXT: dict[str, JsonValue] = {"type": "string"}


def read(case: Path) -> Object:
    """What a record says, with the digest of the bytes that were used where there are some."""
    record: Object = json.loads((case / "record.json").read_text())
    for use in (record.get("use"), record.get("dispatch")):
        if use is not None:
            use["payloadSha256"] = sha256((case / use["payloadFile"]).read_bytes()).hexdigest()
    return record


def ms(time: str) -> int:
    """A time of the corpus as UTC ms."""
    return int(datetime.fromisoformat(time).timestamp()) * 1_000


def asks(role: str) -> Rule:
    """A policy that has everything agreed to by somebody of this role."""
    said = {
        "id": role,
        "effect": "forbid",
        "owner": "pia",
        "verdict": "require_approval",
        "approver": role,
        "reason": role,
    }
    return msgspec.convert(said, Policy), lambda _: True


def denies(name: str) -> Rule:
    """A policy that denies everything."""
    said = {"id": name, "effect": "forbid", "owner": "pia", "verdict": "deny", "reason": name}
    return msgspec.convert(said, Policy), lambda _: True


def tool(name: str, **changes: object) -> Contract:
    """A tool of the corpus: it takes a target and the digest of the bytes that it is to carry there."""
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"target": TEXT, "payload": TEXT},
        "required": ["target", "payload"],
        "additionalProperties": False,
    }
    return contract(name, input_schema=schema, reversal=None, effect="read", **changes)


class Story:
    """A world in which the steps of a record are taken in the order of their times."""

    def __init__(self, *people: str) -> None:
        self.world = World()
        # Whoever owns the agent is still somebody, but no reviewer: only the record's own people agree to anything.
        self.world.people = dict.fromkeys(self.world.people, ("data",))
        self.world.people.update({Person(each): ("reviewer",) for each in people})
        self._steps: list[tuple[int, int, Step]] = []

    def at(self, time: str, step: Step) -> None:
        """Take a step at this time; of two at the same time, the one that was said first."""
        self._steps.append((ms(time), len(self._steps), step))

    async def tell(self) -> None:
        """Take every step. What the gate refuses is refused, and the story goes on."""
        for time, _, step in sorted(self._steps, key=lambda each: each[:2]):
            self.world.clock.advance(time - self.world.clock.now())
            try:
                await step()
            except InterlockError:
                continue

    async def propose(self, task: Task, key: str, what: Object) -> Action:
        """Ask for what the record says, without running it here."""
        return await self.world.propose(
            task, what["tool"], key=key, here=False, target=what["target"], payload=what["payloadSha256"]
        )

    async def used(self, task: Task, key: str, what: Object) -> str:
        """`allow` where the one who asks for this, under this key, is given that it was run now, exactly as asked."""
        before, asked = len(self.calls), None
        try:
            asked = await self.propose(task, key, what)
        finally:
            await self.world.work(self.world.another("w2"))
        done = (await self.world.action(asked)).state == "done"
        ran = (what["tool"], what["target"], what["payloadSha256"]) in self.calls[before:]
        return "allow" if done and ran else "deny"

    def listen(self, *tools: Contract) -> None:
        """Keep what is called, and with what."""
        self.calls: list[tuple[str, str, str]] = []
        for each in tools:
            self.world.effectors.on(each.name, "run", self._called(each.name))

    def _called(self, name: str) -> Callable[[dict[str, JsonValue], Call], Answer]:
        def called(arguments: dict[str, JsonValue], call: Call) -> Answer:
            del call
            self.calls.append((name, str(arguments["target"]), str(arguments["payload"])))
            return Landed(None)

        return called


async def approval(record: Object) -> str:
    """`allow` where the use of an approval was run."""
    said, use, release = record["approval"], record["use"], record["policyRelease"]
    presented = [*record["presentedApprovals"]]
    tools = [tool(name) for name in sorted({use["tool"], *(each["tool"] for each in presented)})]
    story, verdict = Story(*record["trustedKeys"]), ["deny"]
    story.listen(*tools)
    world = story.world

    async def served(name: str, role: str) -> None:
        lasts = ms(said["expiresAt"]) - ms(said["issuedAt"])
        await world.apply(*tools, rules=(permit(), asks(role)), bundle=name, approvals_within_ms=lasts)

    async def issued() -> None:
        for each in presented:
            action = await story.propose(await world.task(each["principal"]), each["approvalId"], each)
            view = action.hold.view if action.hold is not None else None
            await world.plane.approvals.approve(action.id, Person(each["approver"]), view=view)
        if said["approvalId"] in record["consumedApprovalIds"]:
            await world.work()

    async def used() -> None:
        if release["lookup"] != "ok":
            # A process that has not loaded them yet is the one that cannot.
            world.policies.forget(release["releaseId"])
        verdict[0] = await story.used(await world.task(use["principal"]), use["approvalId"], use)

    # Before the release of the record, and after it, others are served that have somebody else asked.
    story.at("2026-10-21T00:00:00Z", lambda: served("earlier", "lead"))
    story.at(release["firstServedAt"], lambda: served(release["releaseId"], "reviewer"))
    story.at(release["lastServedAt"], lambda: served("later", "lead"))
    story.at(said["issuedAt"], issued)
    story.at(use["usedAt"], used)
    await story.tell()
    return verdict[0]


async def authority(record: Object) -> str:
    """`allow` where what was approved under a delegated authority was run."""
    approved, dispatch, grants = record["approvedAction"], record["dispatch"], record["delegation"]
    names = sorted({approved["tool"], dispatch["tool"], *(name for each in grants for name in each["scope"])})
    tools = [tool(name) for name in names]
    approver, key = grants[0]["grantor"], record["attempt"]["attemptId"]
    story, verdict, tasks = Story(approver), ["deny"], list[Task]()
    story.listen(*tools)
    world = story.world

    async def delegated() -> None:
        rules = (permit(), asks("reviewer"))
        await world.apply(*tools, rules=rules, runtime=Runtime(max_depth=len(grants), may_recur=True, max_task_ms=DAY))
        for each in grants:
            tasks.append(
                await world.task(
                    "user:somebody",
                    lasts_ms=ms(each["expiresAt"]) - ms(each["notBefore"]),
                    prohibited=tuple(name for name in names if name not in each["scope"]),
                    parent=tasks[-1] if tasks else None,
                )
            )

    async def agreed() -> None:
        action = await story.propose(tasks[-1], key, approved)
        await world.plane.approvals.approve(action.id, Person(approver))

    async def revoked() -> None:
        await world.plane.braking.stop("agent", "ag", by=approver, why="the grant is revoked")

    async def dispatched() -> None:
        verdict[0] = await story.used(tasks[-1], key, dispatch)

    story.at(grants[0]["notBefore"], delegated)
    story.at(approved["approvedAt"], agreed)
    for each in record["authorityEvidence"]["revokedGrants"]:
        story.at(each["revokedAt"], revoked)
    story.at(record["decisionTime"], dispatched)
    await story.tell()
    return verdict[0]
