"""The life of an action as pictures and tables, drawn from `domain.action.MOVES` and `domain.steps.STEPS`."""

from interlock.domain.action import ENDS, MEANING, MOVES, NEW, WAITING, State
from interlock.domain.steps import STEPS
from scripts.markdown import mermaid, table

TOUCHING: State = "dispatching"
"""From here on the world may have been touched."""
TWO_PHASE = frozenset(
    target for moves in MOVES.values() for move, target in moves.items() if move in ("prepare", "prepared", "abort")
)


def picture() -> str:
    """Every state and every move."""
    lines = ["stateDiagram-v2"]
    for state, moves in MOVES.items():
        for target in dict.fromkeys(moves.values()):
            names = ", ".join(move.replace("_", " ") for move, to in moves.items() if to == target)
            lines.append(f"    {_node(state)} --> {target}: {names}")
    return mermaid(lines)


def brief_picture() -> str:
    """The way through in one look: the ends at which nothing was touched are one box, and two-phase tools are left out."""
    untouched = [state for state in MOVES if state in ENDS and state not in _reachable(TOUCHING)]
    box = dict.fromkeys(untouched, "untouched")
    lines = [
        "stateDiagram-v2",
        "    direction LR",
        f'    state "{" · ".join(untouched)}" as untouched',
    ]
    edges: dict[tuple[str, str], None] = {}
    for state, moves in MOVES.items():
        for target in moves.values():
            if state != target and not {state, target} & TWO_PHASE:
                edges[_node(state), box.get(target, target)] = None
    lines += [f"    {start} --> {end}" for start, end in edges]
    return mermaid(lines)


def states() -> str:
    """Every state: what it means, where it can go, who waits."""
    rows = [
        [
            f"`{state}`",
            MEANING[state],
            ", ".join(f"{move.replace('_', ' ')} → `{target}`" for move, target in moves.items()) or "it is an end",
            "yes" if state in WAITING else "",
        ]
        for state, moves in MOVES.items()
        if state != NEW
    ]
    return table(["state", "meaning", "what may follow", "its caller still waits"], rows)


def births() -> str:
    """The states an action can be born in."""
    return table(["an action is born by", "as"], [[f"{move}", f"`{state}`"] for move, state in MOVES[NEW].items()])


def steps() -> str:
    """Every numbered step, and what a crash right after it leaves behind."""
    rows = [[step.number, f"`{step.name}`", step.leaves] for step in STEPS]
    return table(["step", "when everything stops right after", "this is left"], rows)


def _node(state: str) -> str:
    return "[*]" if state == NEW else state


def _reachable(start: State) -> set[State]:
    seen: set[State] = set()
    ahead = [start]
    while ahead:
        state = ahead.pop()
        if state not in seen:
            seen.add(state)
            # A commit that certainly did not happen leads back among what was only reserved: nothing was touched.
            ahead += [target for target in MOVES[state].values() if target not in TWO_PHASE]
    return seen
