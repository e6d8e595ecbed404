"""RFC 3161 time stamps by an authority that is OpenSSL's, on this machine: asked for over HTTP, checked, and refused."""

import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import which

import anyio
import pytest

import interlock_verify as alone
from interlock.adapters.stamping import TimeStamping
from interlock.domain.errors import WitnessError
from interlock.domain.note import NoteError
from tests.audit.ledger import checked, filled

pytestmark = pytest.mark.skipif(which("openssl") is None, reason="there is no openssl")

CONFIG = """\
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[stamps]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


class Authority:
    """A certificate authority and a time-stamping authority in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "conf").write_text(CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-config", "/dev/null", "-days", "2")
        self.run(*new, "-subj", "/CN=Root", "-keyout", "root.key", "-out", "root.pem", "-extensions", "root", conf=True)
        self.run(
            *("req", "-newkey", "rsa:2048", "-nodes", "-config", "/dev/null", "-subj", "/CN=TSA"),
            *("-keyout", "tsa.key", "-out", "tsa.csr"),
        )
        self.run(
            *(
                "x509",
                "-req",
                "-in",
                "tsa.csr",
                "-CA",
                "root.pem",
                "-CAkey",
                "root.key",
                "-CAcreateserial",
                "-days",
                "2",
            ),
            *("-extfile", "conf", "-extensions", "stamps", "-out", "tsa.pem"),
        )
        self.certificates = folder / "chain.pem"
        self.certificates.write_bytes((folder / "tsa.pem").read_bytes() + (folder / "root.pem").read_bytes())

    def reply(self, query: bytes) -> bytes:
        """The answer to a query, DER."""
        (self.folder / "query").write_bytes(query)
        self.run(
            *("ts", "-reply", "-config", "conf", "-queryfile", "query", "-signer", "tsa.pem", "-inkey", "tsa.key"),
            *("-out", "answer"),
        )
        return (self.folder / "answer").read_bytes()

    def agrees(self, token: bytes, data: bytes) -> bool:
        """What OpenSSL itself says of a token."""
        (self.folder / "token").write_bytes(token)
        (self.folder / "data").write_bytes(data)
        words = ("ts", "-verify", "-in", "token", "-data", "data", "-CAfile", "root.pem", "-untrusted", "tsa.pem")
        return subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, check=False).returncode == 0

    def run(self, *words: str, conf: bool = False) -> None:
        """Have OpenSSL do something in the folder."""
        given = ["conf" if conf and word == "/dev/null" else word for word in words]
        subprocess.run(["openssl", *given], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "a")


class Serving(BaseHTTPRequestHandler):
    """Answers as `answer` says."""

    authority: Authority
    old: bytes = b""
    way = "well"

    def do_POST(self) -> None:
        """Stamp what was sent, or answer otherwise."""
        query = self.rfile.read(int(self.headers["content-length"]))
        match self.way:
            case "well":
                body = self.authority.reply(query)
            case "old":
                body = self.old
            case "long":
                body = b"x" * 100_000
            case _:
                body = b"nonsense"
        self.send_response(500 if self.way == "broken" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(name="address", scope="module")
def _address(authority: Authority) -> Iterator[str]:
    Serving.authority = authority
    with HTTPServer(("127.0.0.1", 0), Serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.proves("audit.readable")
def test_an_export_gives_the_command_that_checks_its_time_stamps(authority: Authority, tmp_path: Path) -> None:
    """The verifier reads OpenSSL's token; the command that its verdict gives says yes to it, and no over other bytes."""
    ledger = filled(1)
    note = ledger.checkpoint()
    (authority.folder / "note").write_bytes(note)
    authority.run("ts", "-query", "-data", "note", "-sha256", "-cert", "-out", "asked")
    token = authority.reply((authority.folder / "asked").read_bytes())
    body = {"checkpoint": note.decode(), "cosignatures": 0, "timestamp": b64encode(token).decode()}
    ledger.put("anchored", "anchor", body=body)
    ledger.export(tmp_path / "made")
    report = checked(tmp_path / "made")
    told = alone.told(report)
    command = told[told.index("openssl ts") :].splitlines()[0].split()
    here = {"ROOT.pem": str(authority.folder / "root.pem"), "TSA.pem": str(authority.folder / "tsa.pem")}
    words = [here.get(each, each) for each in command]

    assert (report.verdict, [each["entry"] for each in report.stamps]) == ("verified", [3])
    done = subprocess.run(words, cwd=tmp_path / "made", capture_output=True, text=True, check=False)
    assert (done.returncode, "Verification: OK" in done.stdout) == (0, True)
    (tmp_path / "made/anchors/3.checkpoint").write_bytes(note + b"\n")
    assert subprocess.run(words, cwd=tmp_path / "made", capture_output=True, check=False).returncode == 1


@pytest.mark.proves("anchor.stamped")
def test_a_stamp_is_over_exactly_these_bytes(authority: Authority, address: str) -> None:
    """What OpenSSL stamped is checked here as by OpenSSL, gives its time, and is refused over any other bytes."""
    Serving.way = "well"
    stamping = TimeStamping(address, authority.certificates)
    token = anyio.run(stamping.stamp, b"a checkpoint\n")

    at = stamping.check(token, b"a checkpoint\n")
    assert abs(at - _now()) < 120_000
    assert authority.agrees(token, b"a checkpoint\n")
    assert not authority.agrees(token, b"another\n")
    with pytest.raises(NoteError, match="other bytes"):
        stamping.check(token, b"another\n")
    for place in range(0, len(token), max(1, len(token) // 25)):
        changed = bytearray(token)
        changed[place] ^= 1
        # Not every byte of an answer is signed; what is believed of it is.
        assert _refused(stamping, bytes(changed)) or stamping.check(bytes(changed), b"a checkpoint\n") == at


def _refused(stamping: TimeStamping, token: bytes) -> bool:
    try:
        stamping.check(token, b"a checkpoint\n")
    except NoteError:
        return True
    return False


@pytest.mark.proves("anchor.stamped")
def test_another_authoritys_stamp_is_refused(authority: Authority, address: str, tmp_path: Path) -> None:
    """A token by an authority with other certificates counts for nothing, and is not accepted when it is asked for."""
    Serving.way = "well"
    other = Authority(tmp_path / "b")
    token = anyio.run(TimeStamping(address, authority.certificates).stamp, b"x")
    stranger = TimeStamping(address, other.certificates)

    with pytest.raises(NoteError):
        stranger.check(token, b"x")
    with pytest.raises(WitnessError):
        anyio.run(stranger.stamp, b"x")


@pytest.mark.proves("anchor.stamped")
def test_what_is_no_answer_to_this_question_is_refused(authority: Authority, address: str) -> None:
    """An older answer, one that is too long, garbage and an error are each refused in words."""
    Serving.way = "well"
    stamping = TimeStamping(address, authority.certificates)
    Serving.old = anyio.run(stamping.stamp, b"x")
    for way, said in (("old", "older question"), ("long", "answered 200"), ("none", "is none"), ("broken", "500")):
        Serving.way = way
        with pytest.raises(WitnessError, match=said):
            anyio.run(stamping.stamp, b"x")
    with pytest.raises(WitnessError, match="cannot be reached"):
        anyio.run(TimeStamping("http://127.0.0.1:1/", authority.certificates).stamp, b"x")
    with pytest.raises(WitnessError, match="no certificates"):
        TimeStamping(address, authority.folder / "conf")


def _now() -> int:
    """UTC ms, as this machine has it."""
    found = subprocess.run(["date", "+%s"], capture_output=True, check=True, text=True).stdout
    return int(found) * 1000
