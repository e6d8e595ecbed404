"""A provider of models on a real socket that does what a test tells it: answers, streams, dawdles, breaks, lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

Script = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]
USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 3,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
OF_RESPONSES = {
    "input_tokens": 9,
    "output_tokens": 3,
    "total_tokens": 12,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens_details": {"reasoning_tokens": 1},
}


class Asked:
    """One question as it arrived."""

    def __init__(self, path: str, headers: dict[str, str], raw: bytes) -> None:
        self.path = path
        self.headers = headers
        self.raw = raw
        self.body: dict[str, Any] = json.loads(raw)


class Provider:
    """What it was asked, and what it does next: the first of `scripts`, and the last of them for ever."""

    def __init__(self) -> None:
        self.scripts: list[Script] = [chat()]
        self.asked: list[Asked] = []
        self.url = ""
        self.open: set[asyncio.Task[None]] = set()
        """Those who serve connections."""
        self.readers: list[asyncio.StreamReader] = []

    def does(self, *scripts: Script) -> None:
        """From now on."""
        self.scripts = list(scripts)

    async def heard(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, question after question."""
        me = cast("asyncio.Task[None]", asyncio.current_task())
        self.open.add(me)
        self.readers.append(reader)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *rest = head.decode("latin-1").strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
                asked = Asked(
                    line.split(" ")[1], headers, await reader.readexactly(int(headers.get("content-length", "0")))
                )
                self.asked.append(asked)
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                await script(asked, writer)
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            self.open.discard(me)
            writer.close()


@asynccontextmanager
async def provider() -> AsyncGenerator[Provider]:
    """One that answers."""
    found = Provider()
    server = await asyncio.start_server(found.heard, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield found
    finally:
        server.close()
        for each in found.open:
            each.cancel()
        await asyncio.gather(*found.open, return_exceptions=True)


# -- scripts -------------------------------------------------------------------------------------------------------------


def says(status: int, body: object, *, kind: str = "application/json", headers: str = "", delay: float = 0) -> Script:
    """One answer."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(raw)}\r\n{headers}\r\n"
        writer.write(head.encode() + raw)
        await writer.drain()

    return script


def answer(asked: Asked, usage: object = USAGE, words: str = "hello there") -> dict[str, Any]:
    """A chat's answer."""
    said: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": f"{asked.body['model']}-2024-07-18",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}],
    }
    return said if usage is None else {**said, "usage": usage}


def chat(usage: object = USAGE, words: str = "hello there", *, delay: float = 0) -> Script:
    """A chat's answer, whole or in a stream, as it was asked for."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if asked.path.endswith("/responses"):
            await (streams(*of_responses(asked)) if asked.body.get("stream") else says(200, response(asked)))(
                asked, writer
            )
        elif asked.path.endswith("/embeddings"):
            data = [{"object": "embedding", "index": 0, "embedding": [0.1, -0.25]}]
            found = {"object": "list", "data": data, "model": "e", "usage": {"prompt_tokens": 5, "total_tokens": 5}}
            await says(200, found)(asked, writer)
        elif asked.body.get("stream"):
            await streams(*of_chat(asked, usage, words))(asked, writer)
        else:
            await says(200, answer(asked, usage, words), delay=delay)(asked, writer)

    return script


def chunk(asked: Asked, **fields: Any) -> dict[str, Any]:
    """A piece of a chat's stream."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": f"{asked.body['model']}-2024-07-18",
        "system_fingerprint": "fp_44709d6fcb",
        "choices": [],
        **fields,
    }


def of_chat(asked: Asked, usage: object = USAGE, words: str = "hello there") -> list[bytes]:
    """The events of a chat's stream, with the one that says what it took where that was asked for."""
    pieces = [
        chunk(asked, choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    ]
    pieces += [
        chunk(asked, choices=[{"index": 0, "delta": {"content": f"{word} "}, "finish_reason": None}])
        for word in words.split(" ")
    ]
    pieces.append(chunk(asked, choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    if usage is not None and asked.body.get("stream_options", {}).get("include_usage"):
        pieces.append(chunk(asked, usage=usage))
    return [*(b"data: " + json.dumps(each).encode() for each in pieces), b"data: [DONE]"]


def calls_first(name: str, arguments: str) -> Script:
    """A model that has a tool called with these arguments, and says what came of it once it is told."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        given = [each for each in asked.body["input"] if isinstance(each, dict) and "output" in each]
        made = response(asked)
        if given:
            made["output"][0]["content"][0]["text"] = f"it says {given[-1]['output']}"
        else:
            call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "arguments": arguments}
            made["output"] = [{**call, "status": "completed"}]
        steps = [{"type": "response.created", "sequence_number": 0, "response": response(asked, "in_progress")}]
        steps.append({"type": "response.completed", "sequence_number": 1, "response": made})
        events = [f"event: {each['type']}\ndata: {json.dumps(each)}".encode() for each in steps]
        await (streams(*events) if asked.body.get("stream") else says(200, made))(asked, writer)

    return script


def response(asked: Asked, status: str = "completed", usage: object = OF_RESPONSES) -> dict[str, Any]:
    """An answer in the form of responses."""
    text = {"type": "output_text", "text": "hello there", "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": f"{asked.body['model']}-2024-07-18",
        "output": [] if status == "in_progress" else [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None if status == "in_progress" else usage,
    }


def of_responses(asked: Asked) -> list[bytes]:
    """The events of a stream of responses."""
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    steps: list[dict[str, Any]] = [
        {"type": "response.created", "sequence_number": 0, "response": response(asked, "in_progress")},
        {"type": "response.output_text.delta", "sequence_number": 1, "delta": "hello there", "logprobs": [], **place},
        {"type": "response.completed", "sequence_number": 2, "response": response(asked)},
    ]
    return [f"event: {each['type']}\ndata: {json.dumps(each)}".encode() for each in steps]


def streams(
    *events: bytes,
    end: bytes = b"\n\n",
    broken: bool = False,
    pause: float = 0,
    hangs: bool = False,
    kind: str = "text/event-stream",
) -> Script:
    """A stream of these events. `broken`: the connection ends without its end; `hangs`: nothing comes after the last."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for each in events:
            raw = each + end
            writer.write(b"%x\r\n%s\r\n" % (len(raw), raw))
            await writer.drain()
            await asyncio.sleep(pause)
        if hangs:
            await asyncio.sleep(3600)
        if broken:
            writer.transport.abort()
            return
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return script


def streams_chat(keep: int | None = None, usage: object = USAGE, words: str = "hello there", **how: Any) -> Script:
    """A chat's stream, or the first `keep` events of it."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await streams(*of_chat(asked, usage, words)[:keep], **how)(asked, writer)

    return script


def dawdles(pause: float = 0.02) -> Script:
    """A stream of words without an end, as chats or responses have them."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        word = b"data: " + json.dumps(chunk(asked, choices=[{"index": 0, "delta": {"content": "word "}}])).encode()
        first = [word]
        if asked.path.endswith("/responses"):
            created, word, _ = of_responses(asked)
            first = [created]
        await streams(*first, *[word] * 10_000, pause=pause)(asked, writer)

    return script


async def closes(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """No answer at all."""
    writer.transport.abort()


async def hangs(asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Never an answer."""
    await asyncio.sleep(3600)


def floods(megabytes: int, kind: str = "application/json") -> Script:
    """An answer of so many megabytes, whose length nobody says."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode())
        for _ in range(megabytes * 16):
            writer.write(b"x" * 65536)
            await writer.drain()
        writer.close()

    return script
