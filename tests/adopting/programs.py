"""Programs as people write them, one a framework, and the tools that are in each: name, arguments, line of text in it."""

from typing import Final

LANGCHAIN: Final = '''\
from enum import Enum
from typing import Annotated, Literal, Optional

from langchain.agents import create_agent
from langchain_core.tools import BaseTool, StructuredTool, tool
from pydantic import BaseModel, Field


class Size(str, Enum):
    small = "small"
    large = "large"


class PayInput(BaseModel):
    account: str = Field(description="whose it is", min_length=3)
    cents: int = Field(..., ge=1)
    note: Optional[str] = None


@tool
def get_price(sku: str, size: Size = "small") -> int:
    """What a thing costs."""
    return PRICES[sku]


@tool("close_account", args_schema=PayInput)
def closing(account, cents, note=None):
    """Close an account."""


@tool(description="Say hello.")
def greet(name: Annotated[str, "whom"], config: RunnableConfig, *, loud: bool = False, tags: list[str] | None = None):
    return name


class Pay(BaseTool):
    name: str = "pay_out"
    description: str = "Pays money out."
    args_schema: type[BaseModel] = PayInput

    def _run(self, account: str, cents: int, note: str | None = None) -> str:
        return bank.transfer(account, cents)


def look(order: "int", how: Literal["fast", "slow"] = "fast", where: Somewhere = None) -> str:
    """Look at an order."""


def whole(text: str) -> str:
    """A function that is handed over as it is."""


look_tool = StructuredTool.from_function(func=look, name="find_order", description="Finds it.")
agent = create_agent("model", tools=[get_price, whole, look_tool])
'''

OPENAI_AGENTS: Final = '''\
from agents import Agent, RunContextWrapper, function_tool


@function_tool
async def fetch_weather(city: str, days: int = 1) -> str:
    """The weather of a city."""
    return "sun"


@function_tool(name_override="fetch_data", description_override="Reads a file.")
def read_file(ctx: RunContextWrapper[None], path: str, directory: str | None = None) -> str:
    return "<file>"


agent = Agent(name="Assistant", tools=[fetch_weather, read_file])
'''

PYDANTIC_AI: Final = '''\
import pydantic_ai
from pydantic_ai import Agent, RunContext, Tool

agent = Agent("test", deps_type=str)


@agent.tool_plain
def roll_dice() -> str:
    """Roll a die."""
    return "4"


@agent.tool
def get_player_name(ctx: RunContext[str], upper: bool = False) -> str:
    """The player's name."""
    return ctx.deps


def lend(book: str, days: int) -> str:
    """Lend a book."""


other = pydantic_ai.Agent("test", tools=[Tool(lend, name="lend_book", takes_ctx=False)])
'''

ADK: Final = '''\
from google.adk.agents import Agent
from google.adk.tools import FunctionTool
from google.adk.tools.tool_context import ToolContext


def get_weather(city: str) -> dict:
    """Retrieves the weather.

    Args:
        city: which.
    """
    return {"status": "success"}


def transfer_money(amount: float, to: str, tool_context: ToolContext) -> dict:
    """Transfers money."""


def reserve(day: str) -> dict:
    """Reserves a table."""


root_agent = Agent(name="weather", model="gemini", tools=[get_weather, transfer_money, FunctionTool(func=reserve)])
'''

STRANDS: Final = '''\
from strands import Agent, tool


@tool
def word_count(text: str) -> int:
    """Count words in text."""
    return len(text.split())


@tool(name="mail_out", description="Sends a mail.", context=True)
def send(to: str, body: str, tool_context: ToolContext) -> str:
    return "sent"


agent = Agent(tools=[word_count, send])
'''

AUTOGEN: Final = '''\
from autogen_agentchat.agents import AssistantAgent
from autogen_core.tools import FunctionTool
from autogen import register_function


async def get_stock_price(ticker: str) -> float:
    """Get the stock price."""
    return 1.0


def book_flight(origin: str, seats: int = 1) -> str:
    """Book a flight."""


def scale(value: int) -> int:
    return value


stock = FunctionTool(get_stock_price, description="Get the stock price.")
assistant = AssistantAgent("assistant", tools=[stock, book_flight])
register_function(scale, caller=assistant, executor=user, name="scale_up", description="Scales.")


@user.register_for_execution()
@assistant.register_for_llm(description="Currency.")
def convert_currency(amount: int, to: str = "EUR") -> str:
    return "1"
'''

AG2: Final = '''\
from ag2 import Agent, tool


@tool
def get_weekday(date: str) -> str:
    """The day of the week of a date."""


def send_card(to: str) -> str:
    """Send a card."""


agent = Agent("dates", "You know dates.", tools=[get_weekday, send_card])
'''

CREWAI: Final = '''\
from crewai.tools import BaseTool, tool


@tool("Search the shop")
def search(question: str) -> str:
    """Search what the shop has."""
    return ""


class Reorder(BaseTool):
    name: str = "Reorder"
    description: str = "Orders again."

    def _run(self, sku: str, count: int = 1) -> str:
        return client.create_order(sku, count)
'''

MCP_SERVER: Final = '''\
from mcp.server.fastmcp import Context, FastMCP
from mcp.types import ToolAnnotations

mcp = FastMCP("demo")


@mcp.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@mcp.tool(name="wipe", annotations=ToolAnnotations(destructiveHint=True))
async def clear_all(ctx: Context, really: bool) -> str:
    """Clear everything."""
'''

PLAIN: Final = """\
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_horoscope",
            "description": "Today's horoscope.",
            "parameters": {"type": "object", "properties": {"sign": {"type": "string"}}, "required": ["sign"]},
        },
    },
    {
        "name": "send_letter",
        "description": "Sends a letter.",
        "input_schema": {"type": "object", "required": ["to"],
            "properties": {"to": {"type": "string"}, "fast": {"type": "boolean"}}},
    },
]
"""

PROGRAMS: Final = {
    "langchain": LANGCHAIN,
    "openai-agents": OPENAI_AGENTS,
    "pydantic-ai": PYDANTIC_AI,
    "google-adk": ADK,
    "strands": STRANDS,
    "autogen": AUTOGEN,
    "ag2": AG2,
    "crewai": CREWAI,
    "mcp": MCP_SERVER,
    "plain": PLAIN,
}

TOOLS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "langchain": {
        "get_price": ("sku", "size"),
        "close_account": ("account", "cents", "note"),
        "greet": ("name", "loud", "tags"),
        "pay_out": ("account", "cents", "note"),
        "find_order": ("order", "how", "where"),
        "whole": ("text",),
    },
    "openai-agents": {"fetch_weather": ("city", "days"), "fetch_data": ("path", "directory")},
    "pydantic-ai": {"roll_dice": (), "get_player_name": ("upper",), "lend_book": ("book", "days")},
    "google-adk": {"get_weather": ("city",), "transfer_money": ("amount", "to"), "reserve": ("day",)},
    "strands": {"word_count": ("text",), "mail_out": ("to", "body")},
    "autogen": {
        "get_stock_price": ("ticker",),
        "book_flight": ("origin", "seats"),
        "scale_up": ("value",),
        "convert_currency": ("amount", "to"),
    },
    "ag2": {"get_weekday": ("date",), "send_card": ("to",)},
    "crewai": {"Search the shop": ("question",), "Reorder": ("sku", "count")},
    "mcp": {"add": ("a", "b"), "wipe": ("really",)},
    "plain": {"get_horoscope": ("sign",), "send_letter": ("to", "fast")},
}
