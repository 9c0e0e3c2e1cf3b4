"""Servers that say exactly the bytes a test wants, on loopback."""

from __future__ import annotations

import json
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

Act = bytes | Callable[[socket.socket], None]
"""A reply, after which the connection stays open; or a deed, after which it is closed."""


AGREED = {"greeting": "220 here", "data": "354 go on", "auth": "235 in", "quit": "221 bye"}


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived; header names in lower case, `connection` counts from 1."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> object:
        return json.loads(self.body)


def reply(status: int, content: object = b"", *, headers: str = "") -> bytes:
    """Return a whole HTTP reply; anything but bytes goes as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def hang_up(_conn: socket.socket) -> None:
    """Close without a word."""


def stall(conn: socket.socket) -> None:
    """Say nothing until the client gives up."""
    with suppress(OSError):
        while conn.recv(65_536):
            pass


def say_and_stall(content: bytes) -> Act:
    """Say something, then nothing more."""

    def act(conn: socket.socket) -> None:
        conn.sendall(content)
        stall(conn)

    return act


def say_and_hang_up(content: bytes) -> Act:
    """Say something, then close."""
    return lambda conn: conn.sendall(content)


class _Server(ABC):
    """Accepts on a port of its own; every connection is played by a thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for conn in self._open:
            with suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    @abstractmethod
    def play(self, conn: socket.socket, number: int) -> None:
        """Say what this server says on one connection."""

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                conn, _ = self._listener.accept()
                self.connections += 1
                self._open.append(conn)
                thread = threading.Thread(target=self._run, args=(conn, self.connections))
                self._threads.append(thread)
                thread.start()

    def _run(self, conn: socket.socket, number: int) -> None:
        with conn, suppress(OSError):
            self.play(conn, number)


class HttpServer(_Server):
    """Plays its acts in order, one a request, whichever connection the request comes on."""

    def __init__(self, *acts: Act) -> None:
        self.requests: list[Request] = []
        self._acts = list(acts)
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.requests]

    def play(self, conn: socket.socket, number: int) -> None:
        with conn.makefile("rb") as stream:
            while request := _read_request(stream, number):
                with self.lock:
                    self.requests.append(request)
                    act = self._acts.pop(0) if self._acts else hang_up
                if not isinstance(act, bytes):
                    act(conn)
                    return
                conn.sendall(act)


def _read_request(stream: IO[bytes], number: int) -> Request | None:
    words = stream.readline().decode().split()
    if not words:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Request(words[0], words[1], headers, body, number)


@dataclass
class Script:
    """What an SMTP server says to each verb, in order; what is not written here is agreed to."""

    greeting: list[str | Act] = field(default_factory=list)
    ehlo: list[str | Act] = field(default_factory=list)
    auth: list[str | Act] = field(default_factory=list)
    mail: list[str | Act] = field(default_factory=list)
    rcpt: list[str | Act] = field(default_factory=list)
    data: list[str | Act] = field(default_factory=list)
    dot: list[str | Act] = field(default_factory=list)
    rset: list[str | Act] = field(default_factory=list)
    noop: list[str | Act] = field(default_factory=list)
    quit: list[str | Act] = field(default_factory=list)


class SmtpServer(_Server):
    """Keeps every mail that was ended with a dot, whatever it said to it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.mails: list[bytes] = []
        self.commands: list[str] = []
        super().__init__()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def play(self, conn: socket.socket, number: int) -> None:
        del number
        with conn.makefile("rb") as stream:
            said = self._say(conn, "greeting")
            while said and (line := stream.readline()):
                self.commands.append(line.decode("latin-1").strip())
                verb = line[:4].decode("latin-1").lower()
                said = self._say(conn, verb)
                if verb == "data" and said.startswith("354"):
                    said = self._take(conn, stream)
                if verb == "quit":
                    return

    def _take(self, conn: socket.socket, stream: IO[bytes]) -> str:
        lines = []
        while (line := stream.readline()) not in {b".\r\n", b""}:
            lines.append(line)
        if not line:
            return ""
        self.mails.append(b"".join(lines))
        return self._say(conn, "dot")

    def _say(self, conn: socket.socket, verb: str) -> str:
        with self.lock:
            waiting: list[str | Act] = getattr(self._script, verb, [])
            act = waiting.pop(0) if waiting else AGREED.get(verb, "250 good")
        if isinstance(act, str):
            conn.sendall(f"{act}\r\n".encode())
            return act
        if not isinstance(act, bytes):
            act(conn)
        return ""


@contextmanager
def http_server(*acts: Act) -> Iterator[HttpServer]:
    """Run an HTTP server for a block."""
    server = HttpServer(*acts)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def smtp_server(script: Script | None = None) -> Iterator[SmtpServer]:
    """Run an SMTP server for a block."""
    server = SmtpServer(script or Script())
    try:
        yield server
    finally:
        server.stop()


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
