"""Sockets and HTTP/1.1 for the simulators: loopback only, one thread and one write per reply.

The request is read by hand and not by `http.server`, whose e-mail header parser costs more than everything
else that a simulated charge does.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from http import HTTPStatus
from threading import Lock, Thread, current_thread
from typing import IO, Any, Protocol
from urllib.parse import parse_qs

from lib.sandbox.faults import Fault, Faults, Strike

_PAGE = (
    "<!DOCTYPE html><html><head><title>점검 중</title></head><body>잠시 후 다시 시도해주세요.</body></html>"
)
_LINE_BYTES = 65_536
_REASONS = {int(status): status.phrase for status in HTTPStatus}


@dataclass
class Request:
    """One HTTP request; header names in lower case, the path still percent-encoded."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    keep: bool
    """Whether the client keeps the connection."""

    @cached_property
    def payload(self) -> Any:  # noqa: ANN401 - whatever a client sent as JSON
        """The JSON of the body; None where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """One HTTP reply, and what the book says about it."""

    status: int
    body: bytes
    outcome: str = ""
    content_type: str = "application/json;charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_PROCESSED = Reply(0, b"", "not_processed")
"""Stands for the reply of a request that a fault kept from taking effect."""


def json_reply(status: int, value: object, outcome: str = "") -> Reply:
    """Return a value as a JSON reply."""
    return Reply(status, json.dumps(value, ensure_ascii=False).encode(), outcome)


class Service(Protocol):
    """What one simulator does behind its socket."""

    faults: Faults

    def identify(self, request: Request) -> tuple[str, str]:
        """Return endpoint and subject, by which faults are chosen."""
        ...

    def respond(self, request: Request, endpoint: str, subject: str, strike: Strike) -> Reply:
        """Do what was asked, unless the strike prevents it, and write it into the book."""
        ...

    def error(self, status: int, code: str) -> Reply:
        """Return an error in the vendor's form."""
        ...


def spoil(reply: Reply, fault: Fault | None, error: Callable[[int, str], Reply]) -> Reply:
    """Return what goes out instead of `reply`, as far as it is a matter of content."""
    match fault.kind if fault else None, fault:
        case "error", Fault(status=status, code=code):
            return error(status, code)
        case "html", Fault(status=status):
            return Reply(status, _PAGE.encode(), content_type="text/html; charset=utf-8")
        case "empty", _:
            return replace(reply, status=200, body=b"")
        case "truncated", _:
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        case "alter", Fault(fields=fields):
            return replace(reply, body=_altered(reply, fields))
        case _:
            return reply


def _altered(reply: Reply, fields: Mapping[str, Any]) -> bytes:
    """Return the body with fields written over it: JSON, or lines of `key=value` in EUC-KR."""
    if "json" in reply.content_type:
        return json.dumps(json.loads(reply.body or b"{}") | fields).encode()
    lines = [line.partition("=") for line in reply.body.decode("cp949").splitlines()]
    said = {key: value for key, _, value in lines} | dict(fields)
    return "".join(f"{key}={value}\n" for key, value in said.items()).encode("cp949")


def _wire(reply: Reply, *, keep: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}",
        f"Content-Type: {reply.content_type}",
        f"Content-Length: {len(reply.body)}",
    ]
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    if not keep:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + reply.body


def _read_headers(stream: IO[bytes]) -> dict[str, str] | None:
    headers: dict[str, str] = {}
    while (line := stream.readline(_LINE_BYTES)) not in (b"\r\n", b"\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            return None
        headers[name.lower()] = value.strip()
    return headers


def read_request(stream: IO[bytes]) -> Request | int | None:
    """Read one request; None at the end of the connection, a status where it cannot be understood."""
    line = stream.readline(_LINE_BYTES)
    if not line:
        return None
    words = line.decode("latin-1").split()
    headers = _read_headers(stream)
    if len(words) != 3 or not words[2].startswith("HTTP/1.") or headers is None:  # noqa: PLR2004 - RFC 9112
        return 400
    length = headers.get("content-length", "" if words[0] in {"POST", "PUT"} else "0")
    if "transfer-encoding" in headers or not length.isdecimal():
        return 411
    body = stream.read(int(length))
    if len(body) < int(length):
        return None
    path, _, query = words[1].partition("?")
    keep = words[2] == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Request(words[0], path, parse_qs(query), headers, body, keep)


def break_off(conn: socket.socket) -> None:
    """Make the coming close a reset (RST) instead of an orderly end."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def deliver(conn: socket.socket, wire: bytes, fault: Fault | None, faults: Faults) -> bool:
    """Put a reply on the wire as the fault has it; False where the connection is over."""
    kind = fault.kind if fault else ""
    if kind == "drop":
        return False
    if kind == "reset":
        conn.sendall(wire[: len(wire) // 2])
        break_off(conn)
        return False
    if fault and kind == "drip":
        for byte in wire:
            conn.sendall(bytes((byte,)))
            faults.pause(fault.seconds)
        return True
    conn.sendall(wire)
    return kind != "close"


def dropped_at_accept(conn: socket.socket, strike: Strike) -> bool:
    """Break a connection off that nobody has read from yet, where a fault says so."""
    if strike.name != "drop":
        return False
    break_off(conn)
    return True


class HttpServer:
    """Serve one simulator's HTTP connections."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def serve(self, conn: socket.socket) -> None:
        """Answer the requests of one connection until either side ends it."""
        if dropped_at_accept(conn, self._service.faults.take("accept", "")):
            return
        with conn.makefile("rb") as stream:
            while self._exchange(conn, stream):
                pass

    def _exchange(self, conn: socket.socket, stream: IO[bytes]) -> bool:
        request = read_request(stream)
        if request is None:
            return False
        if isinstance(request, int):
            conn.sendall(_wire(self._service.error(request, ""), keep=False))
            return False
        return self._answer(conn, request) and request.keep

    def _answer(self, conn: socket.socket, request: Request) -> bool:
        service = self._service
        endpoint, subject = service.identify(request)
        strike = service.faults.take(endpoint, subject)
        reply = service.respond(request, endpoint, subject, strike)
        service.faults.pause(strike.after_s)
        wire = _wire(spoil(reply, strike.fault, service.error), keep=request.keep)
        return deliver(conn, wire, strike.fault, service.faults)


class Listener:
    """Accept connections on a loopback port and hand each to `serve` in a thread of its own."""

    def __init__(self, port: int, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._live: dict[Thread, socket.socket] = {}
        self._closing = False
        self._lock = Lock()
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._socket.accept()
            except OSError:
                if self._closing:  # shutting the socket down is how `close` ends this loop
                    return
                raise
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = Thread(target=self._run, args=(conn,), daemon=True)
            with self._lock:
                self._live[thread] = conn
            thread.start()

    def _run(self, conn: socket.socket) -> None:
        try:
            with conn, suppress(ConnectionError):  # a client may leave at any time
                self._serve(conn)
        finally:
            with self._lock:
                self._live.pop(current_thread(), None)

    def close(self) -> None:
        """Stop accepting, end every connection, and wait for the threads."""
        self._closing = True
        self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._socket.close()
        with self._lock:
            live = dict(self._live)
        for thread, conn in live.items():
            with suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)
