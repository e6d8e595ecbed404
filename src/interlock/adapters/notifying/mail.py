"""Messages by mail: plain text over SMTP, in a thread, for the library waits."""

import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final

import anyio.to_thread

from interlock.adapters.notifying.secrets import secret_of
from interlock.domain.channel import Mail
from interlock.domain.errors import NotDelivered
from interlock.domain.notification import Message, Told

TIMEOUT_S: Final = 10.0
_PERMANENT: Final = range(500, 600)


class MailNotifier:
    """A mail server that takes messages from us."""

    def __init__(self, way: Mail, folder: Path) -> None:
        self._way = way
        self._folder = folder

    async def send(self, message: Message, told: Told, now: int) -> None:
        """See `Notifier`."""
        mail = self._written(message, told, now)
        password = secret_of(self._way.password, self._folder) if self._way.password else ""
        await anyio.to_thread.run_sync(self._deliver, mail, password, abandon_on_cancel=True)

    def _written(self, message: Message, told: Told, now: int) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._way.sender
        mail["To"] = ", ".join(self._way.to)
        mail["Subject"] = " ".join(told.title.split())
        mail["Date"] = format_datetime(datetime.fromtimestamp(now / 1000, tz=UTC))
        # The same for every attempt: mail that arrives twice is shown once.
        mail["Message-ID"] = f"<{_word(message.id)}@{_domain(self._way.sender)}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join([*told.lines, *(["", told.link] if told.link else [])]) + "\n")
        return mail

    def _deliver(self, mail: EmailMessage, password: str) -> None:
        way = self._way
        try:
            if way.tls == "tls":
                context = ssl.create_default_context()
                server: smtplib.SMTP = smtplib.SMTP_SSL(way.host, way.port, timeout=TIMEOUT_S, context=context)
            else:
                server = smtplib.SMTP(way.host, way.port, timeout=TIMEOUT_S)
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(f"the mail server could not be reached: {type(error).__name__}") from None
        try:
            if way.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if way.user:
                server.login(way.user, password)
            refused = server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(
                f"the mail server answers {error.smtp_code}", for_good=error.smtp_code in _PERMANENT
            ) from None
        except smtplib.SMTPRecipientsRefused:
            raise NotDelivered("the mail server takes none of the addresses") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotDelivered(f"the mail server could not be reached: {type(error).__name__}") from None
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
        if refused:
            raise NotDelivered(
                f"the mail server takes {len(way.to) - len(refused)} of {len(way.to)} addresses", for_good=True
            )


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "interlock"


def _word(text: str) -> str:
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-._") else "-" for letter in text)
