"""An identity provider of our own over HTTP on this machine: what it publishes, codes, and tokens signed by `joserfc`."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT = "interlock"
SECRET = "between the two of us"  # noqa: S105  a test's


class Idp:
    """Signs in whoever comes as `person`, says of them what `claims` says, and lies where the test wants it to."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "k", "use": "sig"})
        self.signs = self.key
        self.claims: dict[str, Any] = {"sub": "17", "email": "rita@example.org", "email_verified": True}
        self.lies: dict[str, Any] = {}
        """Over what its tokens say truly."""
        self.publishes: dict[str, Any] = {}
        """Over what its configuration says truly."""
        self.codes: dict[str, dict[str, str]] = {}
        self.answered = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    def settings(self) -> str:
        """What interlock.yaml says of it."""
        people = "people: {rita@example.org: rita, ben@example.org: ben}"
        ours = f"client: {CLIENT}, secret: 'env:OIDC_SECRET', name: Acme"
        return f"server: {{oidc: {{issuer: '{self.issuer}', {ours}, {people}}}}}\n"

    def visited(self, address: str) -> str:
        """What a browser does that was sent to `address`: signs in there, and is sent back."""
        asked = {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def _token(self, form: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = asked and asked["code_challenge"] == base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if asked is None or not proven or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"], **self.claims}
        said = {name: value for name, value in {**said, **self.lies}.items() if value is not None}
        token = jwt.encode({"alg": "ES256", "kid": "k"}, said, self.signs)
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}

    def _handler(idp) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/keys":
                    self._say(200, {"keys": [idp.key.as_dict(private=False)]})
                    return
                published = {
                    "issuer": idp.issuer,
                    "authorization_endpoint": f"{idp.issuer}/authorize",
                    "token_endpoint": f"{idp.issuer}/token",
                    "jwks_uri": f"{idp.issuer}/keys",
                    "authorization_response_iss_parameter_supported": True,
                }
                self._say(200, {**published, **idp.publishes})

            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                told = base64.b64decode(self.headers["authorization"].partition(" ")[2]).decode()
                assert told == f"{CLIENT}:{SECRET}"
                idp.answered += 1
                self._say(*idp._token({name: each[0] for name, each in form.items()}))

            def _say(self, status: int, said: object) -> None:
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
