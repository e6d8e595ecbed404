"""What the API's own description allows, and what it does not, put to it by a program that knows nothing else of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from interlock.api.serving import serve
from interlock.web.access import TOKEN_HEADER
from interlock.web.limits import Limits
from tests.web.world import FORM, ORIGIN, SAYS, served

pytestmark = pytest.mark.anyio

PEOPLE = "rita: [reviewer, admin, operator, releaser, policy_author, auditor]\nria: [reviewer, lead]\n"
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
HEADERS = {SAYS: "rita", "origin": ORIGIN, TOKEN_HEADER: FORM, "host": ORIGIN.removeprefix("http://")}


@asynccontextmanager
async def listening(folder: Path) -> AsyncGenerator[str]:
    """The address of a server with two actions in it, one held and one done, on a real socket; nobody asks it too often."""
    async with served(folder, people=PEOPLE, limits=Limits(per_s=1e6, at_once=1e6)) as site:
        await site.propose(500)
        await site.propose(5)
        async with anyio.create_task_group() as group:
            told, at = anyio.Event(), list[str]()

            def started(address: str) -> None:
                at.append(address.rstrip("/"))
                told.set()

            group.start_soon(lambda: serve(site.app, "127.0.0.1", 0, started, ending=site.app.end))
            with anyio.fail_after(10):
                await told.wait()
            yield at[0]
            group.cancel_scope.cancel()


def tried(address: str, examples: int) -> list[str]:
    """What is wrong with answers to `examples` requests of either kind for each operation of the description."""
    described = httpx.get(f"{address}/v1/openapi.json", headers=HEADERS, trust_env=False).json()
    wrong: list[str] = []
    found = schemathesis.openapi.from_dict(described).get_all_operations()
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(operations) > 60, "the description names next to nothing"
    for operation in operations:
        for mode in GenerationMode:
            wrong += put(operation, mode, address, examples)
    return wrong


def put(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, address: str, examples: int) -> list[str]:
    """What is wrong with the answers of one operation."""
    wrong: list[str] = []

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call(base_url=address, headers=HEADERS)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as failures:
            wrong.extend(f"{operation.label}: {each.title}: {each.message[:300]}" for each in failures.exceptions)

    with suppress(Unsatisfiable):  # where there is no wrong way to ask
        ask()
    return wrong


async def test_no_request_that_can_be_derived_from_the_description_breaks_the_server(tmp_path: Path) -> None:
    """Valid and invalid requests for every operation are answered as described, and never with a fault of ours."""
    async with listening(tmp_path) as address:
        assert await anyio.to_thread.run_sync(tried, address, 2) == []


@pytest.mark.slow
async def test_no_request_breaks_the_server_at_length(tmp_path: Path) -> None:
    """The same with many more of them."""
    async with listening(tmp_path) as address:
        assert await anyio.to_thread.run_sync(tried, address, 40) == []
