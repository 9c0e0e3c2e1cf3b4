"""An SMTP server, simulated: strict, kept connections, several mails per connection, no TLS."""

from __future__ import annotations

import base64
import binascii
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from lib.sandbox.book import Book
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Faults
from lib.sandbox.server import deliver, dropped_at_accept
from lib.sandbox.smtp_rules import (
    MAX_COMMAND_BYTES,
    SmtpSwitches,
    content_problem,
    mail_path,
    parameter_problem,
    recipient_problem,
)

_RECEIVE_BYTES = 65_536
_END_OF_DATA = b"\r\n.\r\n"


@dataclass(frozen=True)
class Mail:
    """A mail the server took responsibility for; `raw` is what was sent, dots unstuffed."""

    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes


class Smtp:
    """The simulated mail server. Its book holds the accepted mails and nothing else.

    Faults strike at `accept` (a `drop` only), `greeting`, `ehlo`, `auth`, `mail`, `rcpt`, `data` (the
    command) and `dot` (the end of the text); the subject is the sender for `mail`, else the recipients. An
    `error` is a reply with its status and code; 421 closes the connection.
    """

    def __init__(
        self, clock: SettableClock, book: Book[Mail], switches: SmtpSwitches, mail_dir: Path | None
    ) -> None:
        self.faults = Faults()
        self.book = book
        self.switches = switches
        self.port = 0
        self.clock = clock
        self._mail_dir = mail_dir
        self._lock = Lock()
        self._number = 0
        if mail_dir is not None:
            mail_dir.mkdir(parents=True, exist_ok=True)
            self._number = sum(1 for _ in mail_dir.glob("*.eml"))

    @property
    def url(self) -> str:
        """The URL as configuration has it."""
        return f"smtp://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Empty the book and switch all faults off; files stay."""
        self.faults.clear()
        self.book.reset()

    def serve(self, conn: socket.socket) -> None:
        """Talk to one client until either side ends it."""
        if not dropped_at_accept(conn, self.faults.take("accept", "")):
            _Session(self, conn).run()

    def accept(self, mail: Mail) -> None:
        """Take responsibility for a mail."""
        self.book.add(mail)
        if self._mail_dir is None:
            return
        with self._lock:
            self._number += 1
            recipient = re.sub(r"[^A-Za-z0-9@.+_-]", "_", mail.recipients[0])
            (self._mail_dir / f"{self._number:03d}-{recipient}.eml").write_bytes(mail.raw)


class _Session:
    def __init__(self, server: Smtp, conn: socket.socket) -> None:
        self._server = server
        self._conn = conn
        self._buffer = b""
        self._greeted = False
        self._trusted = not server.switches.user
        self._commands: dict[str, Callable[[str], bool]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": lambda _: self._rset(),
            "NOOP": lambda _: self._say("250 2.0.0 OK"),
            "QUIT": lambda _: self._say("221 2.0.0 bye") and False,
        }
        self._forget_mail()

    def run(self) -> None:
        if not self._phase("greeting", "", lambda: "220 sandbox ESMTP"):
            return
        while (line := self._line()) is not None:
            if not self._command(line):
                return

    def _forget_mail(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._eight_bit = False

    def _line(self) -> str | None:
        while (end := self._buffer.find(b"\n")) < 0:
            if not (received := self._conn.recv(_RECEIVE_BYTES)):
                return None
            self._buffer += received
        line, self._buffer = self._buffer[: end + 1], self._buffer[end + 1 :]
        return line.decode("utf-8", "replace")

    def _command(self, line: str) -> bool:
        if len(line) > MAX_COMMAND_BYTES:
            return self._say("500 5.5.2 line too long")
        if not line.endswith("\r\n"):
            return self._say("500 5.5.2 line ends must be CRLF")
        command = self._commands.get(line[:4].upper())
        if command is None or line[4] not in " \r":
            return self._say("500 5.5.1 command not recognised")
        return command(line[:-2])

    def _phase(self, phase: str, subject: str, act: Callable[[], str]) -> bool:
        """Act, reply as the faults have it; False where the connection is over."""
        faults = self._server.faults
        strike = faults.take(phase, subject)
        faults.pause(strike.before_s)
        reply = "" if strike.prevents else act()
        if strike.fault is not None and strike.fault.kind == "error":
            reply = f"{strike.fault.status} {strike.fault.code or 'simulated'}"
        faults.pause(strike.after_s)
        self._replied = reply[:3]
        return deliver(self._conn, f"{reply}\r\n".encode(), strike.fault, faults) and self._replied != "421"

    def _say(self, reply: str) -> bool:
        self._conn.sendall(f"{reply}\r\n".encode())
        return True

    def _ehlo(self, _line: str) -> bool:
        def act() -> str:
            self._greeted = True
            self._forget_mail()
            offers = ["250-sandbox", f"250-SIZE {self._server.switches.max_bytes}"]
            if self._server.switches.user:
                offers.append("250-AUTH PLAIN LOGIN")
            return "\r\n".join([*offers, "250 8BITMIME"])

        return self._phase("ehlo", "", act)

    def _helo(self, _line: str) -> bool:
        def act() -> str:
            self._greeted = True
            self._forget_mail()
            return "250 sandbox"

        return self._phase("ehlo", "", act)

    def _auth(self, line: str) -> bool:
        words = line.split()
        mechanism = words[1].upper() if len(words) > 1 else ""
        if not self._server.switches.user or mechanism not in {"PLAIN", "LOGIN"}:
            return self._say("504 5.5.4 mechanism not recognised")
        answers = words[2:3]
        prompts = ["334 "] if mechanism == "PLAIN" else ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"]
        for prompt in prompts[len(answers) :]:
            self._say(prompt)
            if (answer := self._line()) is None:
                return False
            answers.append(answer.strip())
        return self._phase("auth", "", lambda: self._credentials(mechanism, answers))

    def _credentials(self, mechanism: str, answers: list[str]) -> str:
        try:
            given = [base64.b64decode(answer, validate=True).decode() for answer in answers]
        except (binascii.Error, UnicodeDecodeError):
            return "501 5.5.2 bad base64"
        if mechanism == "PLAIN":
            given = given[0].split("\0")[1:]
        self._trusted = given == [self._server.switches.user, self._server.switches.password]
        return "235 2.7.0 authenticated" if self._trusted else "535 5.7.8 credentials invalid"

    def _out_of_order(self, line: str) -> str | None:
        verb = line[:4].upper()
        if not self._greeted:
            return "503 5.5.1 EHLO first"
        if not self._trusted:
            return "530 5.7.0 authentication required"
        if verb == "MAIL":
            return None if self._sender is None else "503 5.5.1 sender already specified"
        if self._sender is None:
            return "503 5.5.1 MAIL first"
        return "503 5.5.1 RCPT first" if verb == "DATA" and not self._recipients else None

    def _mail(self, line: str) -> bool:
        path = mail_path(line)

        def act() -> str:
            refused = self._out_of_order(line)
            if refused is not None or isinstance(path, str):
                return refused or str(path)
            if refused := parameter_problem(path.parameters, self._server.switches.max_bytes):
                return refused
            self._sender = path.address
            self._eight_bit = path.parameters.get("BODY") == "8BITMIME"
            return "250 2.1.0 sender OK"

        return self._phase("mail", "" if isinstance(path, str) else path.address, act)

    def _rcpt(self, line: str) -> bool:
        path = mail_path(line)

        def act() -> str:
            refused = self._out_of_order(line)
            if refused is not None or isinstance(path, str):
                return refused or str(path)
            if refused := "555 5.5.4 no parameters" if path.parameters else recipient_problem(path.address):
                return refused
            self._recipients.append(path.address)
            return "250 2.1.5 recipient OK"

        return self._phase("rcpt", "" if isinstance(path, str) else path.address, act)

    def _data(self, line: str) -> bool:
        subject = ",".join(self._recipients)
        go_on = self._phase("data", subject, lambda: self._out_of_order(line) or "354 end with a lone dot")
        if not go_on or self._replied != "354":
            return go_on
        raw = self._text()
        return raw is not None and self._phase("dot", subject, lambda: self._take(raw)) and self._clean()

    def _text(self) -> bytes | None:
        # The line end of the DATA command counts as the one before the dot: an empty mail ends at once.
        text = bytearray(b"\r\n" + self._buffer)
        searched = 0
        while (end := text.find(_END_OF_DATA, searched)) < 0:
            searched = max(0, len(text) - len(_END_OF_DATA))
            if not (received := self._conn.recv(_RECEIVE_BYTES)):
                return None
            text += received
        self._buffer = bytes(text[end + len(_END_OF_DATA) :])
        return bytes(text[: end + 2]).replace(b"\r\n.", b"\r\n")[2:]

    def _take(self, raw: bytes) -> str:
        switches = self._server.switches
        if refused := content_problem(raw, eight_bit=self._eight_bit, max_bytes=switches.max_bytes):
            return refused
        mail = Mail(self._server.clock.now(), self._sender or "", tuple(self._recipients), raw)
        self._server.accept(mail)
        return f"250 2.0.0 accepted as {len(self._server.book)}"

    def _clean(self) -> bool:
        self._forget_mail()
        return True

    def _rset(self) -> bool:
        self._forget_mail()
        return self._say("250 2.0.0 forgotten")
