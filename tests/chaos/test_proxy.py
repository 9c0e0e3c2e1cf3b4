"""The proxy itself: what reaches either side of a struck request, and that its strikes are counted."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos import framing
from tests.chaos.proxy import SLOW_SECONDS, Kind, Proxy, Strike

SECONDS = 10


class Echo:
    """Says every line back, and remembers it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, client.makefile("rb") as lines, suppress(OSError):
                    for line in lines:
                        self.heard.append(line)
                        client.sendall(line)


@pytest.fixture
def echo() -> Iterator[Echo]:
    made = Echo()
    yield made
    made.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port, framing.smtp) as made:
        yield made


def talk(proxy: Proxy, *lines: bytes) -> list[bytes | str]:
    """Say lines one by one on one connection and return the answers, up to the one that did not come."""
    answers: list[bytes | str] = []
    with socket.create_connection(("127.0.0.1", proxy.port), SECONDS) as client:
        for line in lines:
            try:
                client.sendall(line)
                answer = b""
                while not answer.endswith(b"\n"):
                    piece = client.recv(100)
                    if not piece:
                        return [*answers, answer or "end"]
                    answer += piece
            except ConnectionResetError:
                return [*answers, "reset"]
            answers.append(answer)
    return answers


ONE, TWO, THREE = b"line one\r\n", b"line two\r\n", b"line three\r\n"


def test_without_a_strike_everything_passes(proxy: Proxy, echo: Echo) -> None:
    assert talk(proxy, ONE, TWO) == [ONE, TWO] == echo.heard


@pytest.mark.parametrize(
    ("kind", "heard", "answers"),
    [
        ("before", [ONE], [ONE, "end"]),
        ("after", [ONE, TWO], [ONE, "end"]),
        ("half-close", [ONE, TWO], [ONE, "end"]),
        ("reset", [ONE, TWO], [ONE, "reset"]),
        ("slow", [ONE, TWO, THREE], [ONE, TWO, THREE]),
    ],
)
def test_the_second_request_is_struck_and_no_other(
    proxy: Proxy, echo: Echo, kind: Kind, heard: list[bytes], answers: list[bytes | str]
) -> None:
    strike = Strike(kind, nth=2)
    proxy.lay(strike)
    began = time.monotonic()
    assert talk(proxy, ONE, TWO, THREE) == answers
    assert (time.monotonic() - began > len(TWO) * SLOW_SECONDS) == (kind == "slow")
    assert (echo.heard, strike.fired) == (heard, 1)
    assert talk(proxy, ONE) == [ONE]


def test_a_strike_falls_where_its_condition_holds_as_often_as_it_says(proxy: Proxy, echo: Echo) -> None:
    strike = Strike("before", on=lambda request: b"two" in request, nth=2, apart=2, times=2)
    proxy.lay(strike)
    ended = [talk(proxy, ONE, TWO)[1] for _ in range(8)]
    assert ended == [TWO, "end", TWO, "end", TWO, TWO, TWO, TWO]
    assert (strike.met, strike.fired, echo.heard.count(TWO)) == (8, 2, 6)


def test_a_connection_may_be_refused_before_anything_is_said(proxy: Proxy, echo: Echo) -> None:
    strike = Strike("before", on=lambda request: not request)
    proxy.lay(strike)
    assert talk(proxy, ONE)[0] in {"end", "reset"}
    assert (echo.heard, strike.fired) == ([], 1)
    assert talk(proxy, ONE) == [ONE]


def test_a_neighbour_that_is_gone_ends_the_connection_and_not_the_proxy(echo: Echo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port: int = gone.getsockname()[1]
    with Proxy(port, framing.smtp) as proxy:
        assert talk(proxy, ONE)[0] in {"end", "reset"}
        proxy.there = ("127.0.0.1", echo.port)
        assert talk(proxy, ONE) == [ONE]


@pytest.mark.parametrize(
    ("frame", "sent", "before", "size"),
    [
        pytest.param(
            framing.mysql, b"\x07\0\0\0\x03COMMIT\x01", b"", 11, id="a packet and a piece of the next"
        ),
        pytest.param(framing.mysql, b"\x07\0\0\0\x03COMM", b"", 0, id="a part of a packet"),
        pytest.param(framing.mysql, b"\x07\0", b"", 0, id="a part of its length"),
        pytest.param(framing.http, b"GET / HTTP/1.1\r\nA: b\r\n\r\n", b"", 24, id="a head without a body"),
        pytest.param(
            framing.http, b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", b"", 0, id="a part of a body"
        ),
        pytest.param(
            framing.http, b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", b"", 39, id="a whole body"
        ),
        pytest.param(framing.http, b"GET / HTTP/1.1\r\n", b"", 0, id="a part of a head"),
        pytest.param(framing.smtp, b"QUIT\r\nEHLO", b"", 6, id="a line"),
        pytest.param(framing.smtp, b"To: a\r\n\r\nb\r\n", b"data\r\n", 0, id="a part of a mail"),
        pytest.param(framing.smtp, b"To: a\r\n\r\nb\r\n.\r\n", b"DATA\r\n", 15, id="a whole mail"),
    ],
)
def test_a_request_is_known_by_its_end(frame: framing.Framing, sent: bytes, before: bytes, size: int) -> None:
    assert frame(sent, before) == size


def test_a_commit_is_told_from_what_only_names_it() -> None:
    commit, autocommit = b"\x07\0\0\0\x03COMMIT", b"\x13\0\0\0\x03SET AUTOCOMMIT = 0"
    assert (framing.is_commit(commit), framing.is_commit(autocommit)) == (True, False)
    assert (framing.is_query(commit), framing.is_query(b"\x01\0\0\0\x01")) == (True, False)
