"""Mail over kept SMTP connections: every letter is handed over once, and a lost reply stays unknown."""

from __future__ import annotations

import queue
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from lib import settings
from lib.failpoints import Step, reach
from lib.messengers import Accepted, Letter, NotNow, Outcome, Outcomes, Refused, Unknown, seconds_left
from lib.messengers.mime import message_id, mime
from lib.redaction import redact

PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
"""What needs neither quoting nor SMTPUTF8; anything else must not reach the command line of SMTP."""
GO_AHEAD, CLOSING, BAD_SEQUENCE = 354, 421, 503
AUTHENTICATION = frozenset({530, 534, 535})
LOSSES_A_BATCH = 3
"""After so many connections lost in one batch the server is left in peace until the next run."""

UNSPENT = 0.9
"""A lease shorter than the slowest letter still lets a batch begin while this part of it is left."""

LOST = (OSError, smtplib.SMTPException)


@dataclass(frozen=True)
class _Step:
    """What became of one letter, and whether the connection is still good."""

    outcome: Outcome
    usable: bool


class Mail:
    """Hands letters to one SMTP server. Never sends one again by itself: that is the outbox's decision."""

    batch_size = 50
    can_look_up = False

    def __init__(self, config: settings.Mail) -> None:
        self._config = config
        self._url = urlsplit(config.smtp_url)
        password = (
            config.password.get_secret_value() if config.password else unquote(self._url.password or "")
        )
        self._login = (unquote(self._url.username or ""), password)
        self._slots: queue.LifoQueue[smtplib.SMTP | None] = queue.LifoQueue()
        for _ in range(config.connections):
            self._slots.put(None)

    def send(self, letters: Sequence[Letter], remember: Callable[[str], None]) -> Outcomes:
        """Hand the letters over, each once. `remember` is not called: SMTP has nothing to look up."""
        del remember
        lease = self._config.lease
        head_start = max(seconds_left(letters, lease) - self._slowest(), 0)
        begin_until = time.monotonic() + head_start
        try:
            slot = self._slots.get(timeout=max(head_start, self._config.connect_timeout))
        except queue.Empty:
            return _all(letters, NotNow("BUSY", "every connection is in use", sent=False))
        if seconds_left(letters, lease) < min(self._slowest(), UNSPENT * lease):
            self._slots.put(slot)
            return _all(letters, NotNow("LEASE", "the lease is as good as over", sent=False))
        batch = _Batch(self._config, self._connect, slot)
        try:
            return batch.hand_over(letters, begin_until)
        finally:
            self._slots.put(batch.connection)

    def settle(self, letters: Sequence[Letter]) -> Outcomes:
        """Answer unknown for all: a mail server cannot be asked."""
        return _all(letters, Unknown("mail cannot be looked up"))

    def close(self) -> None:
        """Close kept connections."""
        idle = []
        with suppress(queue.Empty):
            while True:
                idle.append(self._slots.get_nowait())
        for connection in idle:
            self._slots.put(None)
            if connection:
                _quit(connection, self._config.connect_timeout)

    def _slowest(self) -> float:
        """Return how long one letter may take, in seconds: what must be left of the lease to begin it."""
        return self._config.final_dot_timeout + 3 * self._config.timeout

    def _connect(self) -> smtplib.SMTP | Refused | NotNow:
        try:
            connection = _open(self._url, self._config.connect_timeout)
        except LOST as error:
            return NotNow("CONNECT", f"{type(error).__name__} at {self._url.hostname}", sent=False)
        try:
            self._greet(connection)
        except (*LOST, ValueError) as error:  # smtplib reads a challenge as base64, whatever it is
            connection.close()
            return _not_let_in(error, *self._login, "\0" + "\0".join(self._login))
        return connection

    def _greet(self, connection: smtplib.SMTP) -> None:
        _limit(connection, self._config.timeout)
        if connection.sock:
            # The final dot is a write of its own; Nagle would hold it back for the server's delayed ACK.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.ehlo_or_helo_if_needed()
        if self._url.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
            connection.ehlo_or_helo_if_needed()
        if self._login[0]:
            connection.login(*self._login)


class _Batch:
    """Letters on one connection, which is made anew where it is lost."""

    def __init__(
        self,
        config: settings.Mail,
        connect: Callable[[], smtplib.SMTP | Refused | NotNow],
        kept: smtplib.SMTP | None,
    ) -> None:
        self._config = config
        self._connect = connect
        self._losses = 0
        self.connection = kept if kept and _is_alive(kept) else None

    def hand_over(self, letters: Sequence[Letter], begin_until: float) -> Outcomes:
        """Return an outcome for every letter; what stops the account or the server stops the rest."""
        outcomes: Outcomes = {}
        waiting = iter(letters)
        for letter in waiting:
            if outcomes and time.monotonic() >= begin_until:
                stop: Outcome = NotNow("LEASE", "no time left in this batch", sent=False)
                return outcomes | _all([letter, *waiting], stop)
            outcomes[letter.message_id] = outcome = _unfit(letter) or self._one(letter)
            if _stops(outcome) or self._losses >= LOSSES_A_BATCH:
                return outcomes | _all(
                    waiting, NotNow("STOPPED", "not tried after the letter before", sent=False)
                )
        return outcomes

    def _one(self, letter: Letter) -> Outcome:
        if self.connection is None:
            made = self._connect()
            if isinstance(made, Refused | NotNow):
                self._losses = LOSSES_A_BATCH
                return made
            self.connection = made
        step = _hand_over(self.connection, letter, self._config)
        if not step.usable:
            self._losses += 1
            self.connection.close()
            self.connection = None
        return step.outcome


def _hand_over(connection: smtplib.SMTP, letter: Letter, config: settings.Mail) -> _Step:
    """Walk through MAIL, RCPT, DATA and the dot; before the dot a loss is harmless, after it unknown."""
    domain = letter.sender.rpartition("@")[2]
    content = mime(letter, domain).replace(b"\r\n.", b"\r\n..")
    try:
        _limit(connection, config.timeout)
        for phase, command in (
            ("MAIL", f"MAIL FROM:<{letter.sender}>"),
            ("RCPT", f"RCPT TO:<{letter.address}>"),
            ("DATA", "DATA"),
        ):
            code, text = connection.docmd(command)
            if code != GO_AHEAD if phase == "DATA" else code // 100 != 2:  # noqa: PLR2004 the family 2yz
                return _refused(connection, phase, code, text, letter)
        connection.send(content)
    except LOST as error:
        return _Step(
            NotNow("LOST", f"{type(error).__name__} before the end of the mail", sent=False), usable=False
        )
    return _end(connection, letter, domain, config)


def _end(connection: smtplib.SMTP, letter: Letter, domain: str, config: settings.Mail) -> _Step:
    try:
        # The wait starts before the dot, for the write may be the one that is late.
        _limit(connection, config.final_dot_timeout)
        connection.send(b".\r\n")
        reach(Step.MAIL_HANDED_OVER)
        code, text = connection.getreply()
        _limit(connection, config.timeout)
    except LOST as error:
        return _Step(Unknown(f"{type(error).__name__} after the end of the mail"), usable=False)
    if code // 100 == 2:  # noqa: PLR2004 the family 2yz: the server took responsibility (RFC 5321 4.2.5)
        return _Step(Accepted(message_id(letter, domain)), usable=True)
    if code // 100 not in {4, 5}:
        return _Step(Unknown(f"reply {code} after the end of the mail"), usable=False)
    return _refused(connection, "END", code, text, letter)


def _refused(connection: smtplib.SMTP, phase: str, code: int, text: bytes, letter: Letter) -> _Step:
    """Return what a reply other than yes means, with the connection ready for the next letter or given up."""
    said = redact(text.decode("utf-8", "replace"), letter.address)
    outcome = _meaning(phase, code, f"{phase} {said}")
    usable = code not in {CLOSING, BAD_SEQUENCE} and code // 100 in {4, 5} and _reset(connection)
    return _Step(outcome, usable)


def _meaning(phase: str, code: int, said: str) -> Outcome:
    """Class a refusal: 4yz is for now, 5yz for good, and at MAIL it concerns the account (RFC 5321 4.2.1)."""
    if code // 100 != 5 or code == BAD_SEQUENCE:  # noqa: PLR2004 the family 5yz
        return NotNow(str(code), said)
    account = phase == "MAIL" or code in AUTHENTICATION
    return Refused("account" if account else "permanent", str(code), said)


def _unfit(letter: Letter) -> Refused | None:
    if not ADDRESS.fullmatch(letter.sender):
        return Refused("account", "SENDER", "the sender is no plain mail address")
    if not ADDRESS.fullmatch(letter.address):
        return Refused("permanent", "ADDRESS", "the recipient is no plain mail address")
    return None


def _not_let_in(error: Exception, *secrets: str) -> Refused | NotNow:
    """Return why a server that was reached did not let us in."""
    if isinstance(error, UnicodeError):
        return Refused("account", "CREDENTIALS", "user and password must be ASCII")
    if isinstance(error, smtplib.SMTPNotSupportedError) or type(error) is smtplib.SMTPException:
        return Refused("account", "NOT_SUPPORTED", "the server offers no STARTTLS or no AUTH that we know")
    if isinstance(error, smtplib.SMTPResponseException):
        raw = error.smtp_error
        said = redact(raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw), *secrets)
        final = error.smtp_code in AUTHENTICATION or (
            isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code // 100 == 5  # noqa: PLR2004
        )
        code = str(error.smtp_code)
        return Refused("account", code, said) if final else NotNow(code, said, sent=False)
    return NotNow("CONNECT", type(error).__name__, sent=False)


def _open(url: SplitResult, timeout: float) -> smtplib.SMTP:
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=timeout)


def _limit(connection: smtplib.SMTP, timeout: float) -> None:
    if connection.sock:
        connection.sock.settimeout(timeout)


def _is_alive(connection: smtplib.SMTP) -> bool:
    with suppress(*LOST):
        return connection.noop()[0] // 100 == 2  # noqa: PLR2004 the family 2yz
    return False


def _reset(connection: smtplib.SMTP) -> bool:
    with suppress(*LOST):
        return connection.rset()[0] // 100 == 2  # noqa: PLR2004 the family 2yz
    return False


def _quit(connection: smtplib.SMTP, timeout: float) -> None:
    with suppress(*LOST):
        _limit(connection, timeout)
        connection.quit()
    connection.close()


def _stops(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and outcome.scope == "account"


def _all(letters: Iterable[Letter], outcome: Outcome) -> Outcomes:
    return {letter.message_id: outcome for letter in letters}
