"""`auth` in servers/NAME.yaml: read, or refused with its place."""

from pathlib import Path

import pytest

from interlock.adapters.workspace import read_workspace
from interlock.domain.upstream import Http
from interlock.domain.upstream_auth import ClientCredentials

GOOD = """\
http: {url: "https://tools.example/mcp"}
auth:
  client_credentials: {issuer: "https://id.example", client: interlock, secret: "env:TOOLS", scope: "a b"}
"""


def _read(folder: Path, text: str) -> tuple[ClientCredentials | None, list[str]]:
    (folder / "interlock.yaml").write_text("tenant: t\n")
    (folder / "servers").mkdir(exist_ok=True)
    (folder / "servers" / "tools.yaml").write_text(text)
    found = read_workspace(folder)
    wrong = [f"{each.line}: {each.message}" for each in found.problems if each.severity == "error"]
    way = found.servers[0].way if found.servers else None
    return (way.auth if isinstance(way, Http) else None), wrong


def test_it_is_read(tmp_path: Path) -> None:
    """With a secret or a key, of an issuer or at an address; nothing said is no account."""
    secret = ClientCredentials(client="interlock", issuer="https://id.example", secret="env:TOOLS", scope="a b")  # noqa: S106  where it is
    assert _read(tmp_path, GOOD) == (secret, [])
    by_key = GOOD.replace(
        'secret: "env:TOOLS", scope: "a b"', 'private_key: "file:k.pem", key_id: k1, resource: "https://r.example"'
    )
    at = by_key.replace('issuer: "https://id.example"', 'token_url: "https://id.example/token"')
    key = ClientCredentials(
        client="interlock",
        token_url="https://id.example/token",  # noqa: S106  an address
        key="file:k.pem",
        key_id="k1",
        resource="https://r.example",
    )
    assert _read(tmp_path, at) == (key, [])
    assert _read(tmp_path, GOOD.partition("auth:")[0]) == (None, [])


@pytest.mark.proves("upstream.credentials")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('secret: "env:TOOLS"', "secret: hunter2", "says where it is"),
        ('secret: "env:TOOLS", ', "", "by what this client is known"),
        ('secret: "env:TOOLS"', 'secret: "env:TOOLS", private_key: "file:k"', "by what this client is known"),
        ('issuer: "https://id.example", ', "", "where tokens are had"),
        (
            'issuer: "https://id.example"',
            'issuer: "https://id.example", token_url: "https://x.example"',
            "where tokens are had",
        ),
        ('issuer: "https://id.example"', 'issuer: "http://id.example"', "must begin with https://"),
        ("client: interlock, ", "", "`client` is missing"),
        ('scope: "a b"', "password: x", "is no field"),
        ('"https://tools.example/mcp"', '"http://tools.example/mcp"', "a credential is sent there"),
        (
            '"https://tools.example/mcp"}',
            '"https://tools.example/mcp", headers: {authorization: x}}',
            "two credentials",
        ),
        ('http: {url: "https://tools.example/mcp"}', "stdio: {command: [tool]}", "for a server behind `http`"),
        ("client_credentials:", "basic:", "`client_credentials` is missing"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    """A secret in the file, two accounts or half of one, an address in the clear, a program: each with its place, and no
    secret."""
    assert GOOD.count(old) == 1
    _, wrong = _read(tmp_path, GOOD.replace(old, new))

    assert any(said in each for each in wrong), wrong
    assert "hunter2" not in str(wrong)
