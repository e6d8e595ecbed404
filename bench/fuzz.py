"""Compiled policies against cedarpy: `make fuzz [EVALUATIONS] [SEED]`, or `python -m bench.fuzz 1000000 7`.

An evaluation is one policy asked one question. The two must name the same satisfied policies and the same that could not
be evaluated. Ends with 1 and prints the first policy and question about which they differ.
"""

import re
import sys
import time

import msgspec

from bench.chance import CONTRACT, OTHER, Chance
from interlock.adapters.cedar.compiled import compiled_judge
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.cedar.loaded import Loaded
from interlock.adapters.cedar.policies import LANGUAGE, CedarPolicies
from interlock.adapters.cedar.schema import render, surfaces
from interlock.domain.bundle import Bundle
from interlock.domain.errors import PolicyError
from interlock.domain.policy import Opinions
from interlock.domain.question import Question

POLICIES = 20
QUESTIONS = 250
_NAMED = re.compile(r"policy `([^`]*)` could not be evaluated")


class Found(msgspec.Struct, frozen=True):
    """How a run went."""

    evaluations: int
    failed: int
    """Of them, those that could not be evaluated."""
    satisfied: int
    refused: int
    """Policies by chance that strict validation did not let through."""
    difference: str = ""


def fuzz(evaluations: int, seed: int) -> Found:
    """Ask until so many evaluations were compared, or two answers differ."""
    done = failed = satisfied = refused = 0
    while done < evaluations:
        chance = Chance(seed)
        seed += 1
        loaded, dropped = some(chance)
        refused += dropped
        fast, slow = compiled_judge(loaded), library_judge(loaded)
        for _ in range(QUESTIONS):
            question = chance.question()
            said, expected = fast.opinions(question), slow.opinions(question)
            done += len(loaded.policies)
            failed += len(_failed(expected))
            satisfied += len(expected.satisfied)
            if set(said.satisfied) != set(expected.satisfied) or _failed(said) != _failed(expected):
                return Found(done, failed, satisfied, refused, _told(loaded, question, said, expected))
    return Found(done, failed, satisfied, refused)


def some(chance: Chance) -> tuple[Loaded, int]:
    """Policies that pass strict validation, and how many did not."""
    language, schema = CedarPolicies(), render(surfaces([CONTRACT, OTHER])[0])
    texts: dict[str, str] = {}
    refused = 0
    while len(texts) < POLICIES:
        name = f"p{len(texts)}"
        text = chance.policy(name)
        try:
            language.loaded(Bundle(language=LANGUAGE, sources={"p.cedar": text}, schema=schema))
        except PolicyError:
            refused += 1
        else:
            texts[f"{name}.cedar"] = text
    return language.loaded(Bundle(language=LANGUAGE, sources=texts, schema=schema)), refused


def _failed(opinions: Opinions) -> set[str]:
    return {found[1] if (found := _NAMED.match(error)) else error for error in opinions.errors}


def _told(loaded: Loaded, question: Question, said: Opinions, expected: Opinions) -> str:
    differing = (set(said.satisfied) ^ set(expected.satisfied)) | (_failed(said) ^ _failed(expected))
    trees = "\n".join(str(loaded.templates[name]) for name in sorted(differing) if name in loaded.templates)
    return f"{sorted(differing)}\n{trees}\n{question}\ncompiled: {said}\ncedarpy:  {expected}"


def main() -> int:
    """Run from the command line."""
    evaluations = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    began = time.process_time()
    found = fuzz(evaluations, seed)
    sys.stdout.write(
        f"{found.evaluations:,} evaluations, {found.satisfied:,} satisfied, {found.failed:,} not to be evaluated; "
        f"{found.refused:,} policies refused by validation; {time.process_time() - began:.0f} s CPU; seed {seed}\n"
    )
    sys.stdout.write(f"THE ENGINES DIFFER\n{found.difference}\n" if found.difference else "no disagreement\n")
    return int(bool(found.difference))


if __name__ == "__main__":
    sys.exit(main())
