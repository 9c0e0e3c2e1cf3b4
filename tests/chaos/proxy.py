"""A TCP proxy on loopback that breaks what passes through it, by plan, and counts how often it did."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self

from tests.chaos.framing import Framing

Kind = Literal["before", "after", "reset", "half-close", "slow"]

PIECE = 1 << 20
SLOW_BYTES, SLOW_SECONDS = 20, 0.03
"""So many bytes of an answer come one by one, with so long a pause before each."""


@dataclass
class Strike:
    """What to do to the `nth` request that `on` accepts, and to every `apart`-th after it, `times` in all.

    `before`: it is not forwarded. `after`: it is, and its answer gets lost on the way back. `reset`: half of
    its answer arrives, then an RST. `half-close`: its answer gets lost, the client reads the end of the
    stream and may still write. `slow`: its answer comes byte by byte.
    """

    kind: Kind
    on: Callable[[bytes], object] = bool
    """The opening of a connection is a request of no bytes, which only the plan's own `on` may meet."""
    nth: int = 1
    apart: int = 1
    times: int = 1
    then: Callable[[], object] = lambda: None
    """Called as the strike falls, before either side learns of it."""
    met: int = 0
    fired: int = 0

    def falls(self) -> bool:
        """Count a request that `on` accepts; True: this one is struck."""
        self.met += 1
        strikes, rest = divmod(self.met - self.nth, self.apart)
        return rest == 0 and 0 <= strikes < self.times


class Proxy:
    """Forwards every connection to one port of this host; `lay` says what happens to which request."""

    def __init__(self, port: int, framing: Framing) -> None:
        self.framing = framing
        self.there = ("127.0.0.1", port)
        self._strike: Strike | None = None
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def lay(self, strike: Strike | None) -> None:
        """Put a strike in the place of an earlier one; None lets everything through."""
        with self._lock:
            self._strike = strike

    def meet(self, request: bytes) -> Strike | None:
        """Count a request and return what is to strike it."""
        with self._lock:
            strike = self._strike
            return strike if strike and strike.on(request) and strike.falls() else None

    def fire(self, strike: Strike) -> None:
        """Count that a strike fell."""
        with self._lock:
            strike.fired += 1
        strike.then()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            opening = self.meet(b"")
            if opening and opening.kind == "before":
                self.fire(opening)
                return
            with socket.create_connection(self.there) as server:
                ends = {client, server}
                for each in ends:
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open |= ends
                try:
                    _Link(self, client, server, opening).run()
                finally:
                    with self._lock:
                        self._open -= ends


class _Link:
    """One connection through a proxy; its steps tell whether it goes on."""

    def __init__(
        self, proxy: Proxy, client: socket.socket, server: socket.socket, pending: Strike | None
    ) -> None:
        self._proxy, self._client, self._server, self._pending = proxy, client, server, pending
        self._read = self._before = b""

    def run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._client, selectors.EVENT_READ, self._forward)
            selector.register(self._server, selectors.EVENT_READ, self._answer)
            while all(key.data() for key, _ in selector.select()):
                pass

    def _forward(self) -> bool:
        piece = self._client.recv(PIECE)
        self._read += piece
        while size := self._proxy.framing(self._read, self._before):
            self._before, self._read = self._read[:size], self._read[size:]
            strike = self._proxy.meet(self._before)
            if strike and strike.kind == "before":
                self._proxy.fire(strike)
                return False
            self._pending = strike or self._pending
            self._server.sendall(self._before)
        return bool(piece)

    def _answer(self) -> bool:
        piece = self._server.recv(PIECE)
        strike, self._pending = self._pending, None
        if not strike or not piece:
            self._client.sendall(piece)
            return bool(piece)
        self._proxy.fire(strike)
        match strike.kind:
            case "reset":
                self._client.sendall(piece[: len(piece) // 2])
                self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "half-close":
                self._client.shutdown(socket.SHUT_WR)
                while self._client.recv(PIECE):
                    pass
            case "slow":
                for place in range(SLOW_BYTES):
                    time.sleep(SLOW_SECONDS)
                    self._client.sendall(piece[place : place + 1])
                self._client.sendall(piece[SLOW_BYTES:])
        return strike.kind == "slow"
