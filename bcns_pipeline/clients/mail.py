"""Sends plain e-mails through one SMTP server, with the standard library.

Put only the sending here; who gets what is decided by the flows. Addresses of people are sent and never logged.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from bcns_pipeline.outcomes import Ambiguous, Outcome, RateLimited, Refused, Sent

_SECONDS = 10.0
_PORTS = {"smtp": 587, "smtps": 465}
# From here on the server refuses for good; below it asks for patience (RFC 5321 4.2.1).
_PERMANENT = 500


class MailClient:
    """One server: `smtps://user:password@host[:465]`, or `smtp://…[:587]`, which uses STARTTLS where offered.

    A password goes over no connection without TLS. `tls` is given by who trusts a server of their own.
    """

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        self._safe = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._tls = tls

    def send(self, sender: str, to: Sequence[str], subject: str, text: str) -> Outcome:
        """Send one message to all of `to`; Refused where no server or no recipient takes it."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, ", ".join(to), subject
        message.set_content(text)
        handed_over = False
        try:
            with self._connected() as server:
                if self._user:
                    server.login(self._user, self._password)
                handed_over = True
                lost = server.send_message(message)
        except smtplib.SMTPResponseException as said:
            return _refused(said.smtp_code)
        except smtplib.SMTPRecipientsRefused as said:
            codes = [code for code, _ in said.recipients.values()]
            return _refused(max(codes, default=_PERMANENT))
        except smtplib.SMTPNotSupportedError:
            return Refused(0, "NO_TLS", "the server offers no TLS or no login")
        except (OSError, smtplib.SMTPException) as fault:
            # The exception's own text may have addresses in it.
            reason = f"the mail server did not answer as it should: {type(fault).__name__}"
            return Ambiguous(reason) if handed_over else RateLimited(None)
        if lost:
            return Refused(0, "SOME_RECIPIENTS", f"{len(lost)} of {len(to)} recipients were refused")
        return Sent()

    def close(self) -> None:
        """Nothing is held between two messages."""

    def _connected(self) -> smtplib.SMTP:
        tls = self._tls or ssl.create_default_context()
        if self._safe:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_SECONDS, context=tls)
        server = smtplib.SMTP(self._host, self._port, timeout=_SECONDS)
        try:
            server.ehlo()
            # Without STARTTLS this raises, which is right where a password would follow.
            if server.has_extn("starttls") or self._password:
                server.starttls(context=tls)
                server.ehlo()
        except BaseException:
            server.close()
            raise
        return server


def _refused(code: int) -> Outcome:
    """The server's text is left out: it repeats addresses."""
    return (
        Refused(code, f"SMTP_{code}", "the mail server refused") if code >= _PERMANENT else RateLimited(None)
    )
