"""Who comes through the gateway, and for what, held against the agents, models and tools there are: `interlock check` warns."""

from pathlib import Path

import pytest

from interlock.adapters.workspace.pinned_file import pinned_text
from interlock.domain.upstream import Definition, Pinned
from tests.adapters.workspace_files import AGENT, Files, problems

ISSUER = """\
gateway:
  resource: https://gate.example/mcp
  issuers:
    - issuer: https://login.example
      keys: https://login.example/jwks
      clients:
        - {{client: desk, agent: {agent}, purpose: to help}}
"""
ROUTES = """\
models:
  providers: {{p: {{url: "https://p.example/v1"}}}}
  routes:
    small: {{provider: p, model: {model}, fallback: [{{provider: p, model: {other}}}]}}
"""
KIT = Pinned(server="kit 1", protocol="2025-11-25", tools=(Definition(name="greet"), Definition(name="part")))


def warned(folder: Path, settings: str, models: str = "") -> list[tuple[str, int, str]]:
    """What `check` warns of, where the agent may run on `models`: file, line, message."""
    runtime, behaviour = (
        (f", models: [{models}]", f"model: {models.split(',', maxsplit=1)[0]}") if models else ("", "model: one")
    )
    said = AGENT.replace(", models: [one]", runtime).replace("model: one", behaviour)
    found = problems(folder, {"interlock.yaml": settings, "agents/support.yaml": said})
    assert all(each.severity == "warning" for each in found), found
    return [(each.file, each.line, each.message) for each in found]


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("support", []),
        (
            "suport",
            [
                (
                    "interlock.yaml",
                    7,
                    "the client `desk` is let in as `suport`, which is no agent; did you mean `support`?",
                )
            ],
        ),
    ],
)
def test_a_client_of_no_agent(tmp_path: Path, agent: str, said: list[tuple[str, int, str]]) -> None:
    """A client whose tokens would let it in as nobody is said where it stands."""
    assert warned(tmp_path, ISSUER.format(agent=agent)) == said


def test_routes_and_agents_that_miss_each_other(tmp_path: Path) -> None:
    """A route that no agent may be led by, one behind it, and an agent that no route leads; nothing where it fits."""
    none = warned(tmp_path / "any", ROUTES.format(model="m-1", other="m-2"))
    fits = warned(tmp_path / "fits", ROUTES.format(model="m-1", other="m-2"), models="m-1, m-2")
    behind = warned(tmp_path / "behind", ROUTES.format(model="m-1", other="m-2"), models="m-1")
    misses = warned(tmp_path / "misses", ROUTES.format(model="m-1", other="m-1"), models="m-l")
    unrouted = warned(tmp_path / "unrouted", "", models="m-1")

    assert none == fits == unrouted == []
    assert [each[2] for each in behind] == ["no agent may run on `m-2`, as what stands behind the route `small` counts"]
    assert behind[0][:2] == ("interlock.yaml", 4)
    assert (
        "interlock.yaml",
        4,
        "no agent may run on `m-1`, as the route `small` counts; did you mean `m-l`?",
    ) in misses
    assert [each[2] for each in misses if each[0].startswith("agents/")] == [
        "`support` may run on `m-l`, and no route leads there"
    ]


@pytest.mark.parametrize(
    ("tools", "silent"),
    [
        ("{greet: {effect: read, risk: low}, part: {risk: low, reversal: {none: it is small}}}", ""),
        ("{greet: {effect: read, risk: low}}", "`kit.part`"),
        ("{}", "`kit.greet`, `kit.part`"),
    ],
)
def test_a_tool_that_the_file_does_not_name(tmp_path: Path, tools: str, silent: str) -> None:
    """Of a tool that is pinned, that an agent may use and that the server's file does not name (any more), it is said what that
    means; of one that no agent may use, that nobody may."""
    agent = AGENT.replace("[mail.send]", "[mail.send, kit.greet, kit.part]")
    files: Files = {
        "interlock.yaml": "",
        "agents/support.yaml": agent,
        "servers/kit.yaml": f"stdio: {{command: [kit]}}\ntools: {tools}\n",
        "servers/kit.pinned.json": pinned_text(KIT),
    }
    found = [each for each in problems(tmp_path, files) if each.file.startswith("servers/")]
    said = f"of `kit` nobody said what {silent} may do, so it counts as external, critical and never undone"
    assert [(each.message, each.severity) for each in found] == ([(said, "warning")] if silent else [])


def test_a_server_that_was_never_pinned(tmp_path: Path) -> None:
    """It brings no contract, and `check` says which command looks at it."""
    found = problems(tmp_path, {"interlock.yaml": "", "servers/kit.yaml": "stdio: {command: [kit]}\n"})
    (said,) = [each for each in found if each.file == "servers/kit.yaml"]
    assert (said.severity, "interlock server pin kit" in said.message) == ("warning", True)
