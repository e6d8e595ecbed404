"""Where a control plane may be, and by what a program knows that it is the right one."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import interlock
from interlock.adapters.remote.address import address_of, is_address
from interlock.adapters.remote.wire import FROM_ENVIRONMENT, Wire
from interlock.domain.errors import FileError, NotAllowed, Unanswered, Unreachable

GOOD = {
    "https://interlock.example": "https://interlock.example",
    "https://interlock.example:8443/": "https://interlock.example:8443",
    "http://127.0.0.1:8600": "http://127.0.0.1:8600",
    "http://127.9.9.9/": "http://127.9.9.9",
    "http://[::1]:8600/": "http://[::1]:8600",
    "http://localhost:8600/": "http://localhost:8600",
}
BAD = (
    "http://interlock.example",
    "http://10.0.0.1",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://[::2]",
    "https://me:secret@interlock.example",
    "https://127.0.0.1@evil.example",
    "https://",
    "https://:443",
    "https://interlock.example/v1",
    "https://interlock.example?x=1",
    "https://interlock.example/?",
    "https://interlock.example#x",
    "https://interlock.example:99999",
    "https://inter lock.example",
    "http://2130706433.evil",
    "https://interlöck.example",
)


@pytest.mark.proves("remote.address")
def test_only_this_machine_is_reached_in_the_clear() -> None:
    """https to anybody; http to this machine alone, whatever else the address looks like; never a password in it."""
    for said, meant in GOOD.items():
        assert is_address(said)
        assert address_of(said) == meant
    for said in BAD:
        with pytest.raises(NotAllowed) as refused:
            address_of(said)
        assert refused.value.next_step
        assert "secret" not in str(refused.value)


@pytest.mark.proves("remote.address")
def test_what_cannot_be_meant_from_afar_is_refused() -> None:
    """Nothing comes into force from afar, being here is no way to be recognised there, and a folder has no proxy."""
    for more in ({"apply": True}, {}, {"attest": "local"}, {"attest": "bootstrap"}):
        with pytest.raises(NotAllowed) as refused:
            interlock.open("https://interlock.example", **more)
        assert refused.value.next_step
    with pytest.raises(NotAllowed, match="for a server"):
        interlock.open("memory:.", proxy=FROM_ENVIRONMENT)
    with pytest.raises(NotAllowed, match="proxy"):
        Wire("https://interlock.example", proxy="socks://x")
    with pytest.raises(FileError):
        Wire("https://interlock.example", ca=__file__)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's, by an authority that nobody trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "interlock test")])
    now = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, secret


@pytest.mark.proves("remote.address")
def test_a_certificate_that_nobody_trusts_is_no_control_plane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to who shows a certificate that is not trusted; with the authority's file the same server is reached.
    What the environment names as a proxy is not asked unless that is said."""
    cert, secret = certificate(tmp_path)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    heard: list[bytes] = []

    async def asked() -> tuple[Exception, bytes, Exception]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, secret)

        async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            writer.close()

        server = await asyncio.start_server(taken, "127.0.0.1", 0, ssl=context)
        address = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        stranger = await failed(Wire(address))
        known = Wire(address, ca=str(cert))
        said = await known.post("/v1/agent/expected", b"{}")
        await known.close()
        proxied = await failed(Wire(address, ca=str(cert), proxy=FROM_ENVIRONMENT))
        server.close()
        return stranger, said, proxied

    stranger, said, proxied = asyncio.run(asked())

    assert isinstance(stranger, Unreachable)
    assert not isinstance(stranger, Unanswered)
    assert not stranger.passing
    assert "certificate" in stranger.detail
    assert said == b"{}"
    assert isinstance(proxied, Unreachable)
    assert len(heard) == 1


async def failed(wire: Wire) -> Exception:
    """How it fails."""
    with pytest.raises(Unreachable) as error:
        await wire.post("/v1/agent/expected", b"{}")
    await wire.close()
    return error.value
