"""An identity provider of our own: keys of each kind, tokens, and its JWKS over HTTP on this machine."""

import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Signer = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def b64(data: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number as JOSE writes it."""
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk_of(key: Signer, kid: str, **more: str) -> dict[str, str]:
    """The public half of a key as a JWK."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "kid": kid, "n": number(numbers.n), "e": number(numbers.e), **more}
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        x, y = (b64(each.to_bytes(32, "big")) for each in (point.x, point.y))
        return {"kty": "EC", "kid": kid, "crv": "P-256", "x": x, "y": y, **more}
    return {"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": b64(public.public_bytes_raw()), **more}


def signature_of(key: Signer, message: bytes) -> bytes:
    """As JOSE has it (RFC 7518 sections 3.3 and 3.4, RFC 8037)."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return key.sign(message)


def signed(key: Signer | None, header: Mapping[str, object], claims: Mapping[str, object] | bytes) -> str:
    """A token by hand. Without a key it has no signature."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    text = f"{b64(json.dumps(header).encode())}.{b64(payload)}"
    return f"{text}.{b64(signature_of(key, text.encode())) if key is not None else ''}"


class Provider:
    """An issuer: its keys, and the address at which it publishes them."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        self.ed = ed25519.Ed25519PrivateKey.generate()
        self.published: Any = {
            "keys": [
                jwk_of(self.rsa, "rsa", alg="RS256", use="sig"),
                jwk_of(self.ec, "ec", use="sig"),
                jwk_of(self.ed, "ed"),
            ]
        }
        self.body: bytes | None = None
        self.status = 200
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(provider) -> type[BaseHTTPRequestHandler]:  # noqa: N805  the handler has a self of its own
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                body = provider.body or json.dumps(provider.published).encode()
                self.send_response(provider.status)
                if provider.status == 302:
                    self.send_header("location", f"{provider.address}/elsewhere")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
