"""The wire between a job and its database, which a test cuts or holds at a chosen statement."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from sqlalchemy.engine import make_url

from tests.rig import Rig

Way = Literal["lose the request", "lose the answer", "hold"]
COMMIT = b"COMMIT"
SECONDS = 30


@dataclass
class Trap:
    """What to do with the statement `then` that follows `after` on the same connection, once."""

    way: Way
    after: bytes
    then: bytes
    sprung: threading.Event = field(default_factory=threading.Event)


class Wire:
    """A proxy on loopback. PyMySQL sends a statement in one piece, so each piece is looked at as a whole."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.trap: Trap | None = None
        self.is_down = False
        self._open: set[socket.socket] = set()
        self._muted: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def set(self, way: Way, *, after: bytes, then: bytes) -> Trap:
        """Lay a trap; its `sprung` tells when it was met."""
        self.trap = Trap(way, after, then)
        return self.trap

    def go_down(self) -> None:
        """Break every connection, and every new one."""
        self.is_down = True
        for each in list(self._open):
            _break(each)

    def close(self) -> None:
        """Stop listening and break what is open."""
        self.go_down()
        _break(self._listener)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.is_down:
                    _break(client)
                    continue
                server = socket.create_connection(self._there)
                self._open |= {client, server}
                threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        is_armed = False
        with contextlib.suppress(OSError):
            while piece := client.recv(1 << 20):
                trap = self.trap
                if trap and is_armed and trap.then in piece:
                    self.trap = None
                    self._spring(trap, client, server, piece)
                    break
                is_armed = is_armed or bool(trap and trap.after in piece)
                server.sendall(piece)
        for each in (client, server):
            _break(each)

    def _spring(self, trap: Trap, client: socket.socket, server: socket.socket, piece: bytes) -> None:
        trap.sprung.set()
        if trap.way == "lose the answer":
            self._muted.add(client)
            server.sendall(piece)
        if trap.way != "lose the request":
            client.recv(1)  # until the answer has come and was dropped, or the job is gone

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (piece := server.recv(1 << 20)) and client not in self._muted:
                client.sendall(piece)
        for each in (client, server):
            _break(each)


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def wired(rig: Rig) -> Iterator[Wire]:
    """Configure the jobs to reach their database through a wire; afterwards they reach it directly."""
    url = make_url(rig.home.url)
    assert url.host is not None
    assert url.port is not None
    wire = Wire(url.host, url.port)
    direct = url.render_as_string(hide_password=False)
    rig.config(database={"url": direct.replace(f":{url.port}/", f":{wire.port}/")}, register=False)
    try:
        yield wire
    finally:
        wire.close()
        rig.config()
