"""The outside world as a process of its own, which counts what was asked of it and what really happened.

One counter per name. `POST /add` adds, in the manner the path's class promises; `POST /take` takes away again. It may be
told to answer late (`delay`), to land late, or to die to the caller before it answers, so that the caller cannot know.
Run as `python outside.py PORTFILE`.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LOCK = threading.Lock()
CALLS: Counter[str] = Counter()
EFFECTS: list[dict[str, Any]] = []
BY_KEY: dict[str, dict[str, Any]] = {}
VERSIONS: Counter[str] = Counter()
PLAN: dict[str, Any] = {}


class Handler(BaseHTTPRequestHandler):
    """Answers JSON."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name upstream
        """Say nothing."""

    def do_GET(self) -> None:
        """`/state`: everything. `/find/KEY`: whether the effect of that key is there. `/version/NAME`."""
        with LOCK:
            if self.path == "/state":
                return self.answer(200, {"calls": dict(CALLS), "effects": EFFECTS})
            _, what, name = self.path.split("/", 2)
            if what == "version":
                return self.answer(200, {"version": VERSIONS[name]})
            CALLS[f"find:{name}"] += 1
            found = BY_KEY.get(name)
            return self.answer(200, found) if found else self.answer(404, {})

    def do_POST(self) -> None:
        """`/plan` sets how the next calls behave; `/do/CLASS/VERB` is the effect."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/plan":
            PLAN.clear()
            PLAN.update(body)
            return self.answer(200, {})
        _, _, kind, verb = self.path.split("/")
        key = body["key"]
        with LOCK:
            CALLS[f"{verb}:{key}"] += 1
        time.sleep(PLAN.get("land_after", 0))
        with LOCK:
            if kind == "keyed" and key in BY_KEY:
                return self.answer(200, BY_KEY[key])
            if kind == "conditional":
                if body["version"] != VERSIONS[body["name"]]:
                    return self.answer(412, {"why": "the version is another"})
                VERSIONS[body["name"]] += 1
            effect = {"key": key, "name": body["name"], "verb": verb, "n": body["n"], "order": len(EFFECTS)}
            EFFECTS.append(effect)
            BY_KEY[key] = effect
        time.sleep(PLAN.get("answer_after", 0))
        return self.answer(200, effect)

    def answer(self, status: int, value: dict[str, Any]) -> None:
        """One JSON answer. A caller that was killed in the meantime does not get it."""
        data = json.dumps(value).encode()
        try:
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    portfile = Path(sys.argv[1])
    portfile.with_suffix(".new").write_text(str(server.server_port))
    portfile.with_suffix(".new").rename(portfile)
    server.serve_forever()
