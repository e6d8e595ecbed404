"""What an adapter adds to a framework's own run with one tool call, by framework: CPU, in that framework's environment."""

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import anyio.to_thread

from bench.measure import CONSOLE, show

NAMES: Final = {"langchain": "LangChain", "openai_agents": "OpenAI Agents SDK", "pydantic_ai": "Pydantic AI"}


async def run() -> None:
    """Measure each where `make frameworks` made its environment, and print."""
    rows: list[tuple[str, ...]] = []
    for name, called in NAMES.items():
        python = Path(".frameworks") / name / "bin" / "python"
        if not python.exists():
            CONSOLE.print(f"[dim]without {called}: `make frameworks` made no environment[/dim]")
            continue
        found = json.loads(await anyio.to_thread.run_sync(_measured, python.absolute(), name))
        bare, governed, gate = found["bare"], found["governed"], found["gate"]
        added = governed - bare
        rows.append((called, *(f"{each:,.0f}" for each in (bare, governed, added, gate, added - gate))))
    show(
        "A run of an agent with one tool call, the tool free, a scripted model, p50",
        ("", "bare µs", "governed µs", "added µs", "of it the gate µs", "the adapter µs"),
        rows,
    )


def _measured(python: Path, name: str) -> str:
    environment = os.environ | {"OPENAI_AGENTS_DISABLE_TRACING": "1"}
    command = [str(python), "-m", "bench.adapted", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=True)
    return done.stdout.splitlines()[-1]
