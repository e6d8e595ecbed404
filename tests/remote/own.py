"""A workspace with tools that only an agent's program has, one of each idempotency class."""

from __future__ import annotations

from tests.workspaces import AGENT, CAPABILITIES

CLASSES = {"keyed": "{keyed: {retention: 1d}}", "blind": "blind", "conditional": "conditional", "long": "blind"}
OWN = """\
name: own.{name}
description: something that only the agent's program can do
effect: write
risk: low
arguments: {{n: {{type: integer, minimum: 0, maximum: 10000}}}}
result: {{type: object, properties: {{n: {{type: integer}}, note: {{type: string}}}}}}
idempotency: {idempotency}
timeout: {timeout}
reversal: {{contract: box.take, arguments: {{n: $args.n}}}}
run: in_process
"""
NAMES = tuple(f"own.{name}" for name in CLASSES)
ASK = """
@id("ask-own") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("more than a hundred")
forbid(principal, action == Action::"own.blind", resource) when { context.args.n > 100 };
"""
FILES: tuple[tuple[str, str], ...] = (
    *(
        (f"contracts/{name}.yaml", OWN.format(name=name, idempotency=said, timeout="20s" if name == "long" else "1s"))
        for name, said in CLASSES.items()
    ),
    ("policies/own.cedar", ASK),
    ("agents/ag.yaml", AGENT.format(name="ag", stage="partial", capabilities=", ".join((*CAPABILITIES, *NAMES)))),
)
