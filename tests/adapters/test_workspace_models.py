"""`models` in interlock.yaml: what it says is read, and what is wrong with it is found where it stands, without a key in it."""

from pathlib import Path

import pytest

from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.model_route import REASONS, Leg, ModelRoute, Models, Provider
from tests.adapters.workspace_files import read

P = "providers: {p: {url: 'https://p.example/v1'}}"


def models(folder: Path, text: str) -> tuple[Models, list[str]]:
    """What is read of these lines, and what is wrong with them."""
    indented = "".join(f"  {line}\n" for line in text.splitlines())
    found = read(folder, {"interlock.yaml": f"models:\n{indented}"})
    return found.settings.models, [each.message for each in found.problems if each.file == "interlock.yaml"]


def test_who_is_asked_for_what_is_read(tmp_path: Path) -> None:
    """Said, it is there; unsaid, nobody is asked for anything."""
    found, wrong = models(
        tmp_path / "said",
        """\
providers:
  p: {url: "https://p.example/v1/", key: "env:P_KEY", headers: {X-Team: shop, api-key: "file:p.key"}}
  q: {url: "http://127.0.0.1:8000/v1", kind: openai}
routes:
  small: {provider: p}
  big:
    provider: p
    model: org/big@1
    counts_as: big
    fallback: [{provider: q, model: other}]
    when: [timeout, 429]
    most_output: 100
    most_input: 1000
    tools: [web_search]
    output_field: max_tokens
    timeout: 5s
secrets: refuse
most_bytes: 1000
of_one: 3
lasts: 2m
""",
    )

    assert wrong == []
    small, big = found.routes["small"], found.routes["big"]
    assert found.providers["p"] == Provider(
        name="p", url="https://p.example/v1", key="env:P_KEY", headers={"x-team": "shop", "api-key": "file:p.key"}
    )
    assert small == ModelRoute(name="small", legs=(Leg(provider="p", model="small", name="small"),))
    assert small.when == REASONS
    assert [(each.provider, each.model, each.name) for each in big.legs] == [
        ("p", "org/big@1", "big"),
        ("q", "other", "other"),
    ]
    assert (big.when, big.most_output, big.most_input, big.tools) == (("timeout", "429"), 100, 1000, ("web_search",))
    assert (big.output_field, big.timeout_ms) == ("max_tokens", 5 * SECOND)
    assert (found.secrets, found.most_bytes, found.of_one, found.lasts_ms) == ("refuse", 1000, 3, 2 * MINUTE)
    assert read(tmp_path / "unsaid").settings.models == Models()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("providers: {p: {}}", "`url` is missing"),
        ("providers: {p: {url: 'http://p.example/v1'}}", "must begin with https://"),
        ("providers: {p: {url: 'https://u:p@p.example/v1'}}", "nothing behind them"),
        ("providers: {p: {url: 'https://p.example/v1?k=1'}}", "nothing behind them"),
        ("providers: {p: {url: 'https://p.example', key: sk-it-is-the-key}}", "says where it is"),
        ("providers: {p: {url: 'https://p.example', headers: {Authorization: x}}}", "no header that is yours"),
        ("providers: {p: {url: 'https://p.example', headers: {X-A: é}}}", "plain words"),
        ("providers: {p: {url: 'https://p.example', kind: anthropic}}", "`kind` must be"),
        ("providers: {p: {url: 'https://p.example', secret: x}}", "no field of"),
        ("providers: {a b: {url: 'https://p.example'}}", "no name"),
        ("providers: [p]", "must be a table"),
        ("routes: {m: {provider: p}}", "there is no provider"),
        ("routes: {m: {}}", "`provider` is missing"),
        (P + "\nroutes: {m: {provider: p, fallback: [{provider: q}]}}", "there is no provider `q`"),
        (P + "\nroutes: {'m m': {provider: p}}", "cannot be counted"),
        (P + "\nroutes: {m: {provider: p, when: [sometimes]}}", "`when` must be"),
        (P + "\nroutes: {m: {provider: p, most_output: 0}}", "`most_output` must be"),
        (P + "\nroutes: {m: {provider: p, most_output: many}}", "must be a whole number"),
        (P + "\nroutes: {m: {provider: p, models: x}}", "no field of"),
        (P + "\nroutes: {m: {provider: p, fallback: [" + "{provider: p}, " * 5 + "]}}", "at most 4"),
        ("secrets: show", "`secrets` must be"),
        ("most_bytes: 99999999", "at most"),
        ("lasts: 2h", "at most 59 minutes"),
        ("proxy: x", "no field of"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, text: str, said: str) -> None:
    """Each is an error, by name; a key that stands there itself is not repeated."""
    _, wrong = models(tmp_path, text)

    assert any(said in each for each in wrong), wrong
    assert "sk-it-is-the-key" not in str(wrong)
