"""The package as a stranger meets it: light to import, whole, and runnable."""

import json
import re
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import interlock
from interlock.domain import errors

PATIENCE_S = 60
HEAVY = frozenset(
    {
        "anyio", "apsw", "asyncio", "cedarpy", "click", "granian", "httpx", "jinja2", "jsonschema_rs", "litestar", "mcp",
        "msgspec", "nacl", "numpy", "psycopg", "pydantic", "rich", "sqlite3", "ssl", "typer", "uvicorn", "yaml",
    }
)  # fmt: skip
"""Whatever talks to a network, a database or a terminal, and every framework."""


def python(source: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    return done.stdout


def loaded(source: str) -> set[str]:
    """Every module that `source` loads."""
    return set(json.loads(python(f"{source}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))")))


def tops(modules: set[str]) -> set[str]:
    """The packages that modules belong to."""
    return {module.partition(".")[0] for module in modules}


def test_importing_costs_almost_nothing() -> None:
    """`import interlock` loads nothing of ours but itself, neither a server nor a framework, and few modules at all."""
    before, after = loaded(""), loaded("import interlock")

    assert {module for module in after if module.startswith("interlock")} == {"interlock"}
    assert tops(after) & HEAVY == set()
    assert len(after - before) < 40


def test_declaring_a_tool_loads_no_server() -> None:
    """A module of tools needs the contracts and their schemas, not the store, the policies or the network."""
    declared = loaded(
        "import interlock\n@interlock.tool(effect='read', risk='low')\ndef look(word: str) -> str:\n    return word\n"
    )

    assert tops(declared) & HEAVY <= {"msgspec", "jsonschema_rs"}


def test_opening_loads_no_client_of_the_network() -> None:
    """Where no contract is a request, the HTTP client and the command line stay unloaded."""
    assert tops(loaded("import interlock\ninterlock.open")) & {"httpx", "typer", "rich", "click"} == set()


def test_the_gateway_for_one_client_needs_nothing_of_the_server() -> None:
    """`pip install 'interlock[mcp]'` is enough for a client's own gateway: what serves many over HTTP is another extra."""
    gateway = tops(loaded("import interlock.bootstrap.gateway"))
    serving = {"argon2", "authlib", "jinja2", "litestar", "prometheus_client"}

    assert gateway & serving == set()
    assert "litestar" in tops(loaded("import interlock.bootstrap.house"))


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` loads, is listed once, and a name that does not exist is an AttributeError."""
    assert len(set(interlock.__all__)) == len(interlock.__all__)
    for name in interlock.__all__:
        assert getattr(interlock, name) is not None
    assert python("import interlock\nprint(hasattr(interlock, 'nothing'))").strip() == "False"


def test_an_error_that_the_page_says_is_raised_can_be_caught() -> None:
    """Programs import it from `interlock`, as all else."""
    page = (Path(__file__).parents[1] / "docs/reference/python-api.md").read_text()
    ours = {each.__name__ for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}
    named = {word for word in re.findall(r"\w+", page) if word in ours}

    assert "NotAllowed" in named
    assert named - set(interlock.__all__) == set()


def test_the_installed_package_says_what_it_is() -> None:
    """Its version is the one of the metadata, on the command line as well, and it asks for at most a dozen packages."""
    said = subprocess.run(
        [sys.executable, "-m", "interlock", "version", "--json"], capture_output=True, timeout=PATIENCE_S, check=True
    )

    assert json.loads(said.stdout) == {"version": version("interlock")}
    assert len([each for each in requires("interlock") or [] if "extra ==" not in each]) <= 12
