"""Tools in programs as people write them, found without running anything."""

import ast
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.adopting.annotations import Annotations
from interlock.adapters.adopting.looking import look
from interlock.adapters.adopting.signs import signs_in
from interlock.domain.adoption import FoundTool
from tests.adopting.programs import PROGRAMS, TOOLS


def tools_in(folder: Path, text: str, name: str = "program.py") -> dict[str, FoundTool]:
    """The tools of a program, by name."""
    (folder / name).write_text(text, encoding="utf-8")
    return {each.name: each for each in look(folder).tools}


@pytest.mark.proves("adopt.finds_tools")
@pytest.mark.parametrize("framework", PROGRAMS)
def test_every_tool_of_every_framework_is_found(tmp_path: Path, framework: str) -> None:
    """Each by its name and arguments, of its framework, at its line; nothing else is taken for one."""
    found = tools_in(tmp_path, PROGRAMS[framework])

    assert {name: tuple(each.arguments) for name, each in found.items()} == TOOLS[framework]
    assert {each.framework for each in found.values()} == {framework}
    assert look(tmp_path).overlooked == ()
    lines = PROGRAMS[framework].splitlines()
    for each in found.values():
        assert any(word in lines[each.line - 1] for word in ("def ", "class ", "{")), each.name


@pytest.mark.proves("adopt.runs_nothing")
def test_what_is_looked_at_is_not_run(tmp_path: Path) -> None:
    """A module that would write a file when imported is read, and no file is there; nothing of it is a module of ours."""
    text = "from agents import function_tool\nopen('ran', 'w').close()\n@function_tool\ndef get_x() -> str: ...\n"

    assert set(tools_in(tmp_path, text, "adopted_by_test.py")) == {"get_x"}
    assert not (tmp_path / "ran").exists()
    assert not Path("ran").exists()
    assert "adopted_by_test" not in sys.modules


def test_a_function_is_found_in_the_file_it_is_imported_from(tmp_path: Path) -> None:
    """An agent in one file, its tools in another: the tool's place is where it is written."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tools.py").write_text("def refund(cents: int) -> str:\n    ...\n")
    text = "from google.adk.agents import Agent\nfrom .tools import refund\nroot_agent = Agent(tools=[refund])\n"
    (tmp_path / "shop" / "agent.py").write_text(text)

    [found] = look(tmp_path).tools
    assert (found.name, found.file, found.line, found.framework) == ("refund", "shop/tools.py", 1, "google-adk")


def test_tools_that_an_adapter_governs_already_are_found(tmp_path: Path) -> None:
    """The line that puts an agent under the gate hides none of its tools from a second look."""
    text = (
        "from autogen_agentchat.agents import AssistantAgent\nfrom interlock.frameworks.autogen import governed\n"
        "async def get_weather(city: str) -> str: ...\n"
        "agent = AssistantAgent('a', workbench=governed(task, [get_weather], hold='tell'))\n"
    )

    assert set(tools_in(tmp_path, text)) == {"get_weather"}


def test_a_tool_that_comes_ready_made_is_said(tmp_path: Path) -> None:
    """What an agent is handed out of a package is not found, and not passed over in silence; what its own files hold is found."""
    (tmp_path / "own.py").write_text("def count(word: str) -> int: ...\n")
    text = (
        "from strands import Agent\nfrom strands_tools import calculator\nfrom search_kit import Search\n"
        "from own import count\n"
        "search = Search(most=2)\n"
        "agent = Agent(tools=[calculator, search, count])\n"
    )

    assert set(tools_in(tmp_path, text)) == {"count"}
    said = [(each.file, each.line, each.why.split("`")[1]) for each in look(tmp_path).overlooked]
    assert said == [("program.py", 6, "strands_tools.calculator"), ("program.py", 6, "search_kit.Search")]


def test_a_decorator_that_nobody_knows_is_said(tmp_path: Path) -> None:
    """`@tool` of a package of somebody's own is not taken for a framework's, and not passed over in silence."""
    (tmp_path / "p.py").write_text("from ours import tool\n@tool\ndef x(): ...\n")

    found = look(tmp_path)
    assert found.tools == ()
    assert [(each.file, each.line) for each in found.overlooked] == [("p.py", 3)]


CLASSES = """
from enum import IntEnum
from typing import *
class Level(IntEnum):
    low = 1
    high = 2
class Place(BaseModel):
    street: str = Field(description="with its number", max_length=80)
    zip: int | None = None
class Again(BaseModel):
    inner: "Again"
Sku = Annotated[str, Field(pattern="^[A-Z]+$")]
"""


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("str", {"type": "string"}),
        ("'int'", {"type": "integer"}),
        ("float", {"type": "number"}),
        ("Optional[int]", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("int | str | None", {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}),
        ("Literal['a', 2]", {"enum": ["a", 2]}),
        (
            "list[dict[str, int]]",
            {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "integer"}}},
        ),
        ("set[str]", {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        ("tuple[str, ...]", {"type": "array", "items": {"type": "string"}}),
        (
            "tuple[str, int]",
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
        ),
        ("datetime.date", {"type": "string", "format": "date"}),
        (
            "Annotated[int, Field(ge=1, le=9, description='how many')]",
            {"type": "integer", "minimum": 1, "maximum": 9, "description": "how many"},
        ),
        ("Sku", {"type": "string", "pattern": "^[A-Z]+$"}),
        ("Level", {"enum": [1, 2]}),
        (
            "Place",
            {
                "type": "object",
                "properties": {
                    "street": {"type": "string", "description": "with its number", "maxLength": 80},
                    "zip": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
                },
                "required": ["street"],
                "additionalProperties": False,
            },
        ),
        ("Any", None),
        ("list", None),
        ("Unknown", None),
        ("dict[int, str]", None),
        ("Again", None),
        ("Callable[[int], str]", None),
        ("list[Unknown]", None),
        ("f()", None),
    ],
)
def test_annotations_become_schemas_or_are_said_to_be_unclear(tmp_path: Path, written: str, schema: Any) -> None:
    """What is understood is exact; what is not is marked, never guessed."""
    text = f"{CLASSES}\nfrom agents import function_tool\n@function_tool\ndef get(x: {written}): ...\n"
    found = tools_in(tmp_path, text)["get"]

    assert found.unclear == (() if schema is not None else ("x",))
    assert found.arguments["x"] == (schema if schema is not None else {"type": "string"})


@pytest.mark.parametrize(
    ("code", "signs"),
    [
        ("return PRICES[sku]", 0),
        ("found = []\nfound.append(1)\nfound[0] = 2\nreturn sorted(found)", 0),
        ("return httpx.get(url).json()", 0),
        ("return open(path).read() + open(path, 'rb').read()", 0),
        ("requests.post(url)", 1),
        ("subprocess.run(['ls'])", 1),
        ("open(path, mode)", 1),
        ("Path(path).open('a')", 1),
        ("db.execute('DELETE FROM x')", 1),
        ("ORDERS[sku]['state'] = 'gone'", 1),
        ("order.state = 'gone'", 1),
        ("ORDERS.pop(sku)", 1),
        ("global N\nN = 1", 1),
        ("return self.client.create_order(sku)", 1),
        ("bank.transfer(sku)", 1),
        ("os.remove(path)", 1),
    ],
)
def test_code_that_acts_is_seen_to(code: str, signs: int) -> None:
    """What changes something outside of itself, or calls what is named to; what only looks is not suspected."""
    function = ast.parse("def f(sku, path, url, mode, order, self):\n" + textwrap.indent(code, "    ")).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert bool(signs_in(function)) == bool(signs), signs_in(function)


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_any_annotation_is_read(written: str) -> None:
    """Whatever stands in quotes behind a parameter: a schema or none, never an error."""
    found = Annotations({}, {}).schema(ast.Constant(written))
    assert found is None or isinstance(found, dict)
