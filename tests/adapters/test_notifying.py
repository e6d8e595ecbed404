"""Ways to people against servers that answer as servers do: real HTTP, real SMTP."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from interlock.adapters.notifying import LaterNotifier
from interlock.adapters.notifying.secrets import secret_of
from interlock.domain.channel import Apprise, Mail, Slack, Way, Webhook
from interlock.domain.duration import HOUR, SECOND
from interlock.domain.errors import NotDelivered
from interlock.domain.notification import Message, Told, told
from tests.adapters.test_effectors_http import Handler, Server, _server

pytestmark = pytest.mark.anyio
__all__ = ["_server"]

NOW = 1_790_000_000_123
KEY = base64.b64encode(b"k" * 24).decode()
MESSAGE = Message(
    id="team-7", event="asked", made_at=NOW, action="a-1", contract="refunds.issue", agent="<b>&support", risk="high",
    deadline=NOW + HOUR, roles=("lead",),
)  # fmt: skip
TOLD: Told = told(MESSAGE, "https://interlock.test")


async def send(way: Way, folder: Path) -> None:
    """Send the message once."""
    await LaterNotifier(way, folder).send(MESSAGE, TOLD, NOW)


@pytest.fixture(name="secrets")
def _secrets(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "key").write_text(f"whsec_{KEY}\n")
    (tmp_path / "slack").write_text(f"{server.url}/services/T0/B0/secret\n")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("SLACK", f"{server.url}/services/T0/B0/secret")
    return tmp_path


def hook(server: Server) -> Webhook:
    """A signed webhook at `server`."""
    return Webhook(url=f"{server.url}/hook", secret="file:key")  # noqa: S106  where it is


# -- webhooks ------------------------------------------------------------------------------------------------------------


@pytest.mark.proves("notify.signed")
async def test_a_webhook_is_signed_over_its_id_its_time_and_every_byte(server: Server, secrets: Path) -> None:
    """As Standard Webhooks have it: whoever holds the key can tell who speaks, when, and that nothing was changed."""
    await send(hook(server), secrets)

    [seen] = server.seen
    head = {name.lower(): value for name, value in seen.headers.items()}
    assert (head["webhook-id"], head["webhook-timestamp"]) == ("team-7", str(NOW // SECOND))
    over = b".".join((b"team-7", str(NOW // SECOND).encode(), seen.body))
    wanted = "v1," + base64.b64encode(hmac.new(b"k" * 24, over, sha256).digest()).decode()
    assert head["webhook-signature"] == wanted
    body = json.loads(seen.body)
    assert (body["event"], body["contract"], body["link"]) == (
        "asked", "refunds.issue", "https://interlock.test/approvals/a-1",
    )  # fmt: skip


async def test_slack_is_told_in_its_own_form_and_cannot_be_made_to_say_more(server: Server, secrets: Path) -> None:
    """Text and blocks; what an agent is called is no markup."""
    await send(Slack(url="env:SLACK", host="127.0.0.1"), secrets)

    [seen] = server.seen
    said = json.loads(seen.body)
    assert said["text"].startswith("Interlock: refunds.issue")
    assert "&lt;b&gt;&amp;support" in said["blocks"][0]["text"]["text"]
    assert "<https://interlock.test/approvals/a-1|Open it>" in said["blocks"][0]["text"]["text"]


@pytest.mark.parametrize(
    ("status", "headers", "for_good", "wait_ms"),
    [
        (500, {}, False, 0),
        (429, {"Retry_After": "7"}, False, 7_000),
        (429, {"Retry_After": "99999"}, False, 6 * HOUR),
        (408, {"Retry_After": "soon"}, False, 0),
        (404, {}, True, 0),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, True, 0),
    ],
)
async def test_what_an_answer_means(
    server: Server, secrets: Path, status: int, headers: dict[str, str], for_good: bool, wait_ms: int
) -> None:
    """Trouble is tried again, a refusal is not; a wait is heeded and bounded; a redirect is followed nowhere."""
    server.act = lambda handler: handler.say(status, b"the secret is in /hook", **headers)
    with pytest.raises(NotDelivered) as caught:
        await send(hook(server), secrets)

    assert (caught.value.for_good, caught.value.wait_ms) == (for_good, wait_ms)
    assert "secret" not in str(caught.value)
    assert len(server.seen) == 1


@pytest.mark.proves("notify.no_secret")
async def test_nobody_there_is_no_refusal_and_tells_no_address(secrets: Path) -> None:
    """A server that is down may come back; what is said of it holds no address, which may be the secret."""
    (secrets / "slack").write_text("http://127.0.0.1:1/services/secret")
    with pytest.raises(NotDelivered) as caught:
        await send(Slack(url="file:slack", host="127.0.0.1"), secrets)

    assert not caught.value.for_good
    assert "services" not in str(caught.value)


async def test_who_answers_a_byte_at_a_time_is_given_up(
    server: Server, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However busily it answers: all of it has one limit, and what arrived perhaps is sent again."""

    def drip(handler: Handler) -> None:
        while not server.released.wait(0.05):
            handler.wfile.write(b"H")

    server.act = drip
    monkeypatch.setattr("interlock.adapters.notifying.posting.TIMEOUT_S", 0.3)
    with pytest.raises(NotDelivered, match="reached") as caught:
        await send(hook(server), secrets)

    assert not caught.value.for_good


@pytest.mark.parametrize("host", ["hooks.slack.com", "127.0.0.2"])
async def test_an_address_elsewhere_is_not_used(server: Server, secrets: Path, host: str) -> None:
    """Whoever can change the secret cannot send our words to another host than the one that was named."""
    with pytest.raises(NotDelivered, match="is not at") as caught:
        await send(Slack(url="env:SLACK", host=host), secrets)

    assert (caught.value.for_good, server.seen) == (True, [])


async def test_in_the_clear_goes_nothing(secrets: Path) -> None:
    """But to this machine itself."""
    with pytest.raises(NotDelivered, match="https"):
        await send(Webhook(url="http://example.org/hook", secret="file:key"), secrets)  # noqa: S106  where it is


# -- secrets -------------------------------------------------------------------------------------------------------------


@pytest.mark.proves("notify.no_secret")
@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("env:NOT_SET", "is not set"),
        ("file:missing", "cannot be read"),
        ("file:big", "no secret"),
        ("file:bytes", "no text"),
    ],
)
def test_what_is_missing_is_named_and_never_what_it_holds(tmp_path: Path, reference: str, text: str) -> None:
    """A variable that is not set, a file that is not there, too long, or no text."""
    (tmp_path / "big").write_text("x" * 5000)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(NotDelivered, match=text):
        secret_of(reference, tmp_path)


# -- mail ----------------------------------------------------------------------------------------------------------------


class MailServer:
    """SMTP enough to take a message: RFC 5321 without anything optional."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.answer = "250 taken"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode():
            word = line.split()[0].upper() if line.split() else ""
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
                writer.write(f"{self.answer}\r\n".encode())
            elif word == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 yes\r\n")
        writer.close()


@pytest.fixture(name="mail")
async def _mail() -> AsyncIterator[tuple[MailServer, Mail]]:
    there = MailServer()
    server = await asyncio.start_server(there, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield there, Mail(host="127.0.0.1", port=port, tls="none", sender="il@example.org", to=("rita@example.org",))
    server.close()


async def test_a_mail_says_it_and_is_the_same_each_time(mail: tuple[MailServer, Mail], tmp_path: Path) -> None:
    """Subject, words and the page; one message id, however often it is sent, and no bounce of a bounce."""
    server, way = mail
    await send(way, tmp_path)
    await send(way, tmp_path)

    assert len(server.mails) == 2
    for each in server.mails:
        assert "Subject: Interlock: refunds.issue waits for somebody's word" in each
        assert "Message-ID: <team-7@example.org>" in each
        assert "Auto-Submitted: auto-generated" in each
        assert "https://interlock.test/approvals/a-1" in each


@pytest.mark.parametrize(("answer", "for_good"), [("451 later", False), ("554 never", True)])
async def test_what_a_mail_server_says_is_heeded(
    mail: tuple[MailServer, Mail], tmp_path: Path, answer: str, for_good: bool
) -> None:
    """4xx is for now, 5xx for good."""
    server, way = mail
    server.answer = answer
    with pytest.raises(NotDelivered) as caught:
        await send(way, tmp_path)

    assert caught.value.for_good == for_good


async def test_no_mail_server_is_tried_again(tmp_path: Path) -> None:
    """It may come back."""
    way = Mail(host="127.0.0.1", port=1, tls="none", sender="il@example.org", to=("rita@example.org",))
    with pytest.raises(NotDelivered) as caught:
        await send(way, tmp_path)

    assert not caught.value.for_good


# -- apprise -------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what it imports
async def test_apprise_goes_where_its_address_says(server: Server, tmp_path: Path) -> None:
    """By its own library; an address that it does not know is refused for good."""
    (tmp_path / "apprise").write_text(server.url.replace("http://", "json://") + "/there")
    await send(Apprise(url="file:apprise"), tmp_path)
    assert b"refunds.issue" in server.seen[0].body

    (tmp_path / "apprise").write_text("nothing at all")
    with pytest.raises(NotDelivered) as caught:
        await send(Apprise(url="file:apprise"), tmp_path)
    assert caught.value.for_good
