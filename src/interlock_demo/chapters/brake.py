"""16:00. Processes of a cohort work as fast as they can. Somebody pulls the brake, and how long stopping took is measured."""

import time
from statistics import median

from interlock_demo.agents.crowd import Made
from interlock_demo.crowd import Crowd, crowd
from interlock_demo.invariants import Quiet
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken, Teller, many, spaced
from interlock_demo.world.db import now_ms

COHORT = "tag:web"
QUIET_S = 1.0
"""How long it stays stopped."""
LOAD_S = 0.5
"""How long the assistants are watched before."""


def cohort_stopped(tell: Teller, setting: Setting) -> list[Quiet]:
    """Stop it for real, lift it, and drill it. Gives the spans in which nothing of it may have happened."""
    tell.chapter(
        "16:00",
        "The evening sale, and somebody pulls the brake",
        "Assistants in four processes put things aside for customers as fast as they can. A brake is one line: it holds in every "
        "process from the moment its commit is durable.",
    )
    with crowd(setting) as assistants:
        began = now_ms()
        time.sleep(LOAD_S)
        made = [call for call in assistants.calls() if call.began_at >= began]
        pids = ", ".join(str(each.pid) for each in assistants.processes)
        tell.line("note", f"processes {pids}", f"{spaced(len(made))} calls in half a second")
        spans = [_stopped(tell, setting, assistants), _drilled(tell, setting)]
    tell.command("sam", "brakes", "--drills")
    past = setting.program.json("brakes", "--drills")
    if [each["state"] for each in past] != ["done"]:
        raise StoryBroken("the drill is not on record")
    tell.line("note", "the measure is on record, an entry of the log like any other")
    return spans


def _stopped(tell: Teller, setting: Setting, assistants: Crowd) -> Quiet:
    why = "the prices of the sale look wrong"
    tell.command("mia", "stop", COHORT, "--why", why)
    stopped = setting.program.json("stop", COHORT, "--why", why, person="mia")
    pulled = next(each["since_at"] for each in stopped["stops"] if each["what"] == COHORT)
    holds = now_ms()
    assistants.all_heard()
    time.sleep(QUIET_S)
    lifted = now_ms()
    ended = _tell_stopped(tell, assistants.calls(), pulled, holds)
    tell.command("mia", "resume", COHORT)
    setting.program.json("resume", COHORT, person="mia")
    assistants.all_act()
    tell.line("back", "all four go on", "what was refused is asked for again, as a new call")
    return Quiet(name="the brake", from_at=ended, until_at=lifted)


def _tell_stopped(tell: Teller, calls: list[Made], pulled: int, holds: int) -> int:
    """Tell how long it took, by the assistants' own clocks. Gives when the last of their calls had ended."""
    late = sorted(call.ended_at - pulled for call in calls if call.outcome == "done" and call.ended_at >= pulled)
    refused = [call for call in calls if call.outcome == "refused" and call.began_at >= pulled]
    after = sum(call.outcome == "done" and call.began_at > holds for call in calls)
    if not refused or after:
        raise StoryBroken(f"{len(refused)} calls were refused, and {after} were made while the brake held")
    if late:
        times = f"half of them had ended {median(late):.0f} ms after it was asked for, the last {late[-1]} ms"
        tell.line("yes", f"{many(len(late), 'call')} still under way ended", times)
    else:
        tell.line("yes", "no call was under way any more when the brake held")
    tell.line("no", f"{many(len(refused), 'call')} refused, in all four processes", refused[0].why)
    return pulled + (late[-1] if late else 0)


def _drilled(tell: Teller, setting: Setting) -> Quiet:
    why = "every friday"
    tell.command("sam", "stop", COHORT, "--drill", "--why", why)
    drill = setting.program.json("stop", COHORT, "--drill", "--why", why, person="sam")
    if drill["state"] != "done":
        raise StoryBroken(f"the drill is {drill['state']}")
    told = f"from its commit: last call begun after {drill['began_ms']} ms, last one ended after {drill['ended_ms']} ms"
    tell.line("yes", f"stopped for real, measured, lifted: {drill['in_flight']} were under way", told)
    # Both ends are whole milliseconds of another clock reading than the shop's.
    quiet_at = drill["pulled_at"] + drill["ended_ms"] + 2
    return Quiet(name="the drill", from_at=quiet_at, until_at=max(drill["lifted_at"] - 2, quiet_at))
