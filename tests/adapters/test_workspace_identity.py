"""`identity` in interlock.yaml: read, or refused with its place."""

from pathlib import Path

import pytest

from interlock.adapters.workspace import read_workspace
from interlock.domain.attesting import Attestation, Oidc, Spire
from interlock.domain.ids import AgentName

OIDC = """\
identity:
  attest: [bootstrap, oidc]
  lasts: 2h
  oidc:
    - issuer: https://ci.example
      audience: interlock
      keys: https://ci.example/keys
      subjects: {"repo:acme/shop": [support, pricing], "repo:acme/other": support}
"""


def _read(folder: Path, text: str) -> tuple[Attestation, list[str]]:
    (folder / "interlock.yaml").write_text(text)
    found = read_workspace(folder)
    wrong = [f"{each.line}: {each.message}" for each in found.problems if each.severity == "error"]
    return found.settings.attestation, wrong


def test_ways_are_read(tmp_path: Path) -> None:
    """Without a word of it instances are local; what is written is read as it stands."""
    support, pricing = AgentName("support"), AgentName("pricing")
    assert _read(tmp_path, "tenant: t\n") == (Attestation(), [])
    oidc = Oidc(
        issuer="https://ci.example",
        audience="interlock",
        keys="https://ci.example/keys",
        subjects={"repo:acme/shop": (support, pricing), "repo:acme/other": (support,)},
    )
    assert _read(tmp_path, OIDC) == (
        Attestation(methods=("bootstrap", "oidc"), lasts_ms=7_200_000, oidc=(oidc,)),
        [],
    )
    spire = "trust_domain: t.example\nidentity: {attest: [spire, local], spire: {bundle: b.json}}\n"
    assert _read(tmp_path, spire) == (
        Attestation(methods=("spire", "local"), spire=Spire(trust_domain="t.example", bundle="b.json")),
        [],
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("identity: {lasts: 1h}\n", "`attest` is missing"),
        ("identity: {attest: []}\n", "`attest` is missing"),
        ("identity: {attest: [lokal]}\n", "`attest` must be"),
        ("identity: {attest: [oidc]}\n", "names `oidc`, of which nothing is said"),
        ("identity: {attest: [spire]}\n", "names `spire`, of which nothing is said"),
        ("identity: {attest: [local], spire: {bundle: b}}\n", "`attest` lacks `spire`"),
        ("identity: {attest: [local], lasts: 25h}\n", "from 1m to 24h"),
        ("identity: {attest: [local], lasts: 30s}\n", "from 1m to 24h"),
        (OIDC.replace("https://ci.example/keys", "http://ci.example/keys"), "must begin with https://"),
        (OIDC.replace("https://ci.example/keys", "http://localhost:1@ci.example/"), "must begin with https://"),
        (OIDC.replace("https://ci.example/keys", "http://localhost.ci.example/"), "must begin with https://"),
        (OIDC.replace("https://ci.example/keys", "file:///keys"), "must begin with https://"),
        (OIDC.replace("      audience: interlock\n", ""), "`audience` is missing"),
        (OIDC.replace("[support, pricing]", "[]"), "a subject may be an agent"),
        (OIDC.replace("[support, pricing]", "{a: b}"), "a subject may be an agent"),
        (OIDC + OIDC[OIDC.index("    - issuer") :], "an issuer is there twice"),
        ("identity: {attest: [spire], spire: {bundle: b, subjects: {'spiffe://X/y': [a]}}}\n", "`spire`: "),
        ("identity: {attest: [spire], spire: {bundle: b, subjects: {'spiffe://x/y': [a]}}}\n", "another trust domain"),
        ("identity: {attest: [spire], spire: {bundle: 'http://b.example'}}\n", "must begin with https://"),
        ("identity: {attest: [spire], spire: {trust_domain: 'A b', bundle: b}}\n", "`spire`: "),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    """A way that nothing is said of, one that is said and not named, keys that anybody could exchange: errors before anything."""
    _, wrong = _read(tmp_path, text)

    assert any(said in each for each in wrong), wrong
