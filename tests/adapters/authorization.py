"""An authorization server of our own, and a server that takes its tokens, over sockets of this machine."""

import json
import threading
from base64 import b64decode, urlsafe_b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote_plus

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


class Serving:
    """A server in a thread; `answer` says what a request is answered with: status, headers, body."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """To be said by whoever serves."""
        raise NotImplementedError

    def _handler(serving) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                serving.asked.append((self.path, headers, body))
                status, said, answer = serving.answer(self.path, headers, body)
                self.send_response(status)
                for name, value in said.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Issuing(Serving):
    """Gives out tokens to one client, by its secret or its key."""

    client, secret = "inter lock", "s3cret:/+ü"

    def __init__(self) -> None:
        super().__init__()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.metadata: dict[str, Any] = {"issuer": self.address, "token_endpoint": f"{self.address}/token"}
        self.lasts: int | None = 300
        self.instead: Callable[[], tuple[int, dict[str, str], bytes]] | None = None
        self.given: list[str] = []
        self.forms: list[dict[str, str]] = []

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Metadata, or a token."""
        if path == "/.well-known/oauth-authorization-server":
            return 200, {}, json.dumps(self.metadata).encode()
        if path != "/token":
            return 404, {}, b""
        if self.instead is not None:
            return self.instead()
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.forms.append(form)
        if not (self._by_secret(headers) or self._by_key(form)):
            return 401, {}, b'{"error": "invalid_client", "error_description": "s3cret is wrong"}'
        self.given.append(f"upstream-token/{len(self.given)}-{'a1b2' * 8}")
        said: dict[str, Any] = {"access_token": self.given[-1], "token_type": "Bearer"}
        return 200, {}, json.dumps({**said, **({} if self.lasts is None else {"expires_in": self.lasts})}).encode()

    def _by_secret(self, headers: dict[str, str]) -> bool:
        kind, _, said = headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            return False
        client, _, secret = b64decode(said).decode().partition(":")
        return (unquote_plus(client), unquote_plus(secret)) == (self.client, self.secret)

    def _by_key(self, form: dict[str, str]) -> bool:
        """RFC 7523 section 3, by hand."""
        text = form.get("client_assertion", "")
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return False
        head, body, mark = text.split(".")
        header, claims = (json.loads(urlsafe_b64decode(each + "==")) for each in (head, body))
        raw = urlsafe_b64decode(mark + "==")
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        self.key.public_key().verify(der, f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
        assert header == {"alg": "ES256", "typ": "JWT", "kid": "2026-1"}
        assert claims["exp"] - claims["iat"] == 60
        assert claims["jti"]
        return bool(
            claims["iss"] == claims["sub"] == form["client_id"] == self.client and claims["aud"] == self.address
        )


class Taking(Serving):
    """A server that takes the last token of an issuer, and says everything that it hears."""

    def __init__(self, issuing: Issuing) -> None:
        super().__init__()
        self.issuing = issuing
        self.refuses: set[str] = set()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What was borne, written back in several ways."""
        del path
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token in self.refuses or token not in self.issuing.given:
            return 401, {"x-borne": token}, f"I do not like {token}".encode()
        echo = {"token": token, "sent": body.decode()}
        return 200, {"x-borne": token}, json.dumps(echo).encode() + token.replace("/", "\\/").encode()
