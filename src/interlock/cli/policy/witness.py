"""A request that a search found, for a person."""

from rich.console import Console

from interlock.cli.output import moment, shown
from interlock.domain.proof import Proof
from interlock.domain.question import Question
from interlock.domain.whatif import in_words


def show_proof(console: Console, proof: Proof, *, sought: str) -> None:
    """One search: what was `sought`, and the request found, as far as policies look at it."""
    agents = ", ".join(proof.agents[:3]) + (f" and {len(proof.agents) - 3} more" if len(proof.agents) > 3 else "")
    head = f"  {shown(proof.contract)} by {shown(agents)}:"
    if proof.question is None:
        said = f"none is {sought}" if proof.answer == "none" else f"[yellow]unknown[/yellow], {shown(proof.why)}"
        console.print(f"{head} {said}  [dim]{proof.ms} ms[/dim]")
        return
    was = f"{_plain(proof.old)} -> " if proof.old is not None else ""
    now = _plain(proof.new or "")
    trust = "confirmed by both engines" if proof.confirmed else f"to be checked: {shown(proof.why)}"
    console.print(f"{head} [red]{sought}[/red], {was}{now}  [dim]{trust}, {proof.ms} ms[/dim]")
    for name, words in _told(proof, proof.question):
        console.print(f"    {name:<10} {shown(words)}", soft_wrap=True)


def _told(proof: Proof, question: Question) -> list[tuple[str, str]]:
    classes = dict[str, str]()  # nobody's data: the solver made it up
    around = question.around
    found = [("arguments", in_words(question.arguments, classes) or "none")]
    seen: dict[str, tuple[str, str]] = {
        "facts": ("facts", in_words(question.facts, classes)),
        "parsed": ("parsed", in_words(around.parsed, classes)),
        "budget": ("left", in_words(dict(around.budget), classes) or "no budget"),
        "stage": ("stage", around.stage),
        "undo": ("undo", "yes" if around.undo else "no"),
        "user": ("roles", ", ".join(around.roles) or "none"),
        "confidence": ("sure", "not said" if question.confidence is None else f"{question.confidence} per mille"),
        "nowMs": ("at", f"{moment(around.asked_at)} UTC"),
        "unusual": ("unusual", ", ".join(around.unusual) or "nothing"),
        "taint": ("untrusted", ", ".join(around.tainted) or "nothing"),
        "task": ("task", f"depth {around.depth}, for {question.initiator}, purpose {around.purpose}"),
    }
    same = {"minuteOfDay": "nowMs", "weekday": "nowMs", "taintedAny": "taint"}
    told = dict.fromkeys(same.get(each, each) for each in proof.reads)
    return [*found, *(seen[name] for name in told if name in seen and seen[name][1])]


def _plain(verdict: str) -> str:
    return verdict.replace("_", " ")
