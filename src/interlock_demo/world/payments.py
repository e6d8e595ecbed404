"""The payment and mail service, a process of its own:

    python -m interlock_demo.world.payments --port 0 --db payments.db

It prints `{"port": 12345}` once it listens, and may be killed at any moment: a request happened whole or not at all. For the
demo, POST /admin/faults makes it slow (`delay_ms`, between effect and answer) or lets it die by SIGKILL after the effect
and before the answer (`crash_after_effects`: on the how-manieth effect from now).
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from interlock_demo.world import payment_book as book
from interlock_demo.world import schema
from interlock_demo.world.db import connect

LARGEST_BODY = 64 * 1024


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the service misbehaves. Demo and tests only."""

    delay_ms: int = 0
    crash_after_effects: int = 0


class PaymentServer(ThreadingHTTPServer):
    """Serves one database on the loopback interface."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, db: Path) -> None:
        super().__init__(("127.0.0.1", port), PaymentHandler)
        self.db = db
        self._faults = Faults()
        self._lock = threading.Lock()

    def misbehave(self, faults: Faults) -> None:
        """Be slow from now on, or die after an effect to come."""
        with self._lock:
            self._faults = faults

    def after_effect(self) -> None:
        """The moment a careless client loses its money: the effect is durable and the answer is not yet on the wire."""
        with self._lock:
            faults = self._faults
            self._faults = msgspec.structs.replace(faults, crash_after_effects=max(0, faults.crash_after_effects - 1))
        if faults.crash_after_effects == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(faults.delay_ms / 1000)


class PaymentHandler(BaseHTTPRequestHandler):
    """HTTP/1.0: a connection carries one request, so a client never speaks into one that died with an earlier process."""

    @property
    def service(self) -> PaymentServer:
        """The server this request came to."""
        if not isinstance(self.server, PaymentServer):
            raise TypeError("this handler serves a PaymentServer")
        return self.server

    def do_GET(self) -> None:
        """Look something up."""
        url = urlsplit(self.path)
        if url.path == "/health":
            self._send(book.Reply(200, b"{}"))
        elif url.path == "/figures":
            self._send(book.Reply(200, msgspec.json.encode(book.figures(self.service.db))))
        elif url.path in book.EFFECTS:
            key = parse_qs(url.query).get("key", [""])[0]
            self._send(book.find(self.service.db, url.path, key))
        else:
            self._send(book.Reply(404, b'{"error":"no such page"}'))

    def do_POST(self) -> None:
        """Do something."""
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST_BODY:
            self._send(book.Reply(413, b'{"error":"too long"}'))
            return
        body = self.rfile.read(length)
        try:
            reply = self._answer(urlsplit(self.path).path, self.headers.get("Idempotency-Key") or "", body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            reply = book.Reply(400, msgspec.json.encode({"error": str(error)}))
        except sqlite3.Error as error:
            reply = book.Reply(500, msgspec.json.encode({"error": str(error)}))
        if reply.effect:
            self.service.after_effect()
        self._send(reply)

    def _answer(self, path: str, key: str, body: bytes) -> book.Reply:
        if path == "/admin/faults":
            self.service.misbehave(msgspec.json.decode(body, type=Faults))
            return book.Reply(200, b"{}")
        if path == "/mail":
            book.count_call(self.service.db, path, key)
            return book.mail(self.service.db, body)
        if path not in book.EFFECTS:
            return book.Reply(404, b'{"error":"no such page"}')
        if not key:
            return book.Reply(400, b'{"error":"a payment needs an Idempotency-Key"}')
        book.count_call(self.service.db, path, key)
        return book.keyed(self.service.db, path, key, body)

    def _send(self, reply: book.Reply) -> None:
        try:
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the caller is gone; what happened has happened

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
        """Quiet: the tables say what happened."""


def main(argv: list[str] | None = None) -> int:
    """Serve until interrupted or killed."""
    parser = argparse.ArgumentParser(description="The payment and mail service of the demo shop.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--db", type=Path, required=True)
    options = parser.parse_args(argv)
    with closing(connect(options.db)) as conn, PaymentServer(options.port, options.db) as server:
        conn.executescript(schema.PAYMENTS)
        sys.stdout.write(msgspec.json.encode({"port": server.server_address[1]}).decode() + "\n")
        sys.stdout.flush()
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
