"""How often filtering takes what is none of its business: ordinary texts of others, real ones."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interlock.domain.filtering import filtered
from interlock.domain.output import MASKING, PERSONAL, Output

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "real"
HERE = Path(__file__).resolve().parents[2]
FILES = {
    "tau2_retail/db.json": {},
    "tau2_retail/groundtruth_calls.jsonl": {},
    "tau2_retail/tasks.json": {},
    "tau2_retail/policy.md": {},
    "injection_corpora/agent_injection_bench_0.1.0.jsonl": {},
    # "Session token for the test account: eyJ...", which is meant to be found.
    "injection_corpora/bastioncorpus_0.6.0.jsonl": {"jwt": 1},
}
"""What stands in each: 75,000 texts, 1.5 million characters."""


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts_in(each)


def texts_of(name: str) -> list[str]:
    """The texts of one file, or skip."""
    path = REAL / name
    if not path.exists():
        pytest.skip(f"no real data: {path} is not there")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text.splitlines()
    return list(
        texts_in(json.loads(text) if path.suffix == ".json" else [json.loads(each) for each in text.splitlines()])
    )


@pytest.mark.proves("output.ordinary")
@pytest.mark.parametrize("name", FILES)
def test_no_ordinary_text_is_taken_for_a_secret(name: str) -> None:
    """Orders, dialogues, policies and attacks of others: what is found in them is what is there."""
    found = Counter(each.kind for text in texts_of(name) for each in filtered(text, MASKING).taken)

    assert found == FILES[name]


def test_of_a_shop_only_the_addresses_are_personal() -> None:
    """500 customers have 500 mail addresses; no id, price, date or zip code is a card, a phone or an IBAN."""
    rule = Output(secrets="keep", personal=PERSONAL)
    texts = texts_of("tau2_retail/db.json")
    found = Counter(each.kind for text in texts for each in filtered(text, rule).taken)

    assert found == {"email": 500}


@pytest.mark.proves("output.ordinary")
def test_our_own_pages_and_sources_hold_no_secret() -> None:
    """Technical prose and code is what is read most: of ours nothing is taken but what stands for an example."""
    files = [*HERE.glob("docs/**/*.md"), *HERE.glob("src/**/*.py"), HERE / "README.md"]
    found = [
        (path.name, each.kind)
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        for each in filtered(line, MASKING).taken
    ]

    assert sorted(found) == [
        ("filter-what-an-agent-gets-back.md", "private-key"),
        ("put-an-mcp-server-under-contract.md", "url-password"),
    ]
