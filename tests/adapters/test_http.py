"""What the HTTP client promises about money: what was sent, what was lost, and that nothing is repeated."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.http import LARGEST_BODY, Answer, Client, Lost, NothingSent, Reply
from tests.adapters.servers import (
    Act,
    closed_port,
    hang_up,
    http_server,
    reply,
    say_and_hang_up,
    say_and_stall,
    stall,
)

KEY = "billing-key-of-somebody"
CERTIFICATE = Path(__file__).with_name("nobody.pem")


@contextmanager
def client(url: str, *, read_timeout: float = 2, connect_timeout: float = 2) -> Iterator[Client]:
    made = Client(url, connect_timeout=connect_timeout, read_timeout=read_timeout)
    try:
        yield made
    finally:
        made.close()


def post(url: str, *, read_timeout: float = 2) -> Answer:
    with client(url, read_timeout=read_timeout) as one:
        return one.send("POST", f"/v1/billing/{KEY}", body=b"{}")


def test_a_reply_is_returned_whatever_its_status() -> None:
    with http_server(reply(503, b"away", headers="X-Trace: t1\r\n")) as server:
        answer = post(server.url)
    assert isinstance(answer, Reply)
    assert (answer.status, answer.body, answer.headers["x-trace"]) == (503, b"away", "t1")


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[1]", b"null", b'{"a":', b"[" * 100_000, b"\xff\xfe", b"9" * 5000]
)
def test_what_is_no_json_object_is_none(content: bytes) -> None:
    assert Reply(200, content, {}).object() is None


def test_a_refused_connection_has_sent_nothing() -> None:
    assert post(f"http://127.0.0.1:{closed_port()}") == NothingSent("NewConnectionError at 127.0.0.1")


def test_an_unknown_host_has_been_sent_nothing() -> None:
    assert post("http://nobody.invalid") == NothingSent("NameResolutionError at nobody.invalid")


def test_a_connect_timeout_has_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [_knock(address) for _ in range(4)]
        with client(f"http://127.0.0.1:{address[1]}", connect_timeout=0.1) as one:
            answer = one.send("POST", "/")
        for knocking in waiting:
            knocking.close()
    assert answer == NothingSent("ConnectTimeoutError at 127.0.0.1")


def _knock(address: tuple[str, int]) -> socket.socket:
    """Fill the listener's queue, so that the next connection gets no answer."""
    knocking = socket.socket()
    knocking.setblocking(False)
    knocking.connect_ex(address)
    return knocking


@pytest.mark.parametrize("act", [hang_up, say_and_hang_up(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
def test_a_failed_tls_handshake_has_sent_nothing(act: Act) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_answer_in_plain, args=(listener, act))
        thread.start()
        answer = post(f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert isinstance(answer, NothingSent)


def _answer_in_plain(listener: socket.socket, act: Act) -> None:
    conn, _ = listener.accept()
    with conn:
        conn.recv(1)
        if not isinstance(act, bytes):
            act(conn)


def test_a_certificate_nobody_signed_gets_nothing() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_shake_hands, args=(listener, context))
        thread.start()
        answer = post(f"https://localhost:{listener.getsockname()[1]}")
        thread.join()
    assert answer == NothingSent("SSLCertVerificationError at localhost")


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    conn, _ = listener.accept()
    with conn, pytest.raises(OSError, match=r"UNKNOWN_CA|unknown ca|EOF|reset"):
        context.wrap_socket(conn, server_side=True)


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(hang_up, id="closed"),
        pytest.param(stall, id="silent"),
        pytest.param(b"nonsense\r\n\r\n", id="nonsense"),
        pytest.param(say_and_hang_up(b"HTTP/1.1 200 OK\r\nContent-Le"), id="cut in the head"),
        pytest.param(
            say_and_hang_up(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), id="cut in the body"
        ),
        pytest.param(
            say_and_stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), id="silent in the body"
        ),
        pytest.param(
            say_and_hang_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
            id="cut chunks",
        ),
        pytest.param(
            say_and_hang_up(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
            id="no gzip",
        ),
    ],
)
def test_no_whole_reply_is_lost_and_not_sent_again(act: Act) -> None:
    with http_server(act, reply(200, b"second")) as server:
        answer = post(server.url, read_timeout=0.2)
    assert isinstance(answer, Lost)
    assert len(server.requests) == 1


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_server_that_drips_bytes_does_not_hold_the_call(head: bytes) -> None:
    def drip(conn: socket.socket) -> None:
        conn.sendall(head)
        while True:
            conn.sendall(b"x")
            time.sleep(0.02)

    started = time.monotonic()
    with http_server(drip) as server:
        answer = post(server.url, read_timeout=0.2)
    assert isinstance(answer, Lost)
    assert time.monotonic() - started < 1


def test_a_body_without_end_is_lost() -> None:
    with http_server(reply(200, b"x" * (LARGEST_BODY + 1))) as server:
        answer = post(server.url)
    assert answer == Lost("BodyTooLargeError at 127.0.0.1")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with http_server(reply(status, headers="Location: /elsewhere\r\n")) as server:
        answer = post(server.url)
    assert isinstance(answer, Reply)
    assert (answer.status, len(server.requests)) == (status, 1)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("no_proxy", "")
    with http_server(reply(200)) as server:
        assert isinstance(post(server.url), Reply)


def test_a_connection_is_kept() -> None:
    with http_server(reply(200), reply(200)) as server, client(server.url) as one:
        one.send("POST", "/")
        one.send("POST", "/")
    assert [request.connection for request in server.requests] == [1, 1]


def test_a_connection_found_closed_is_made_anew_before_the_first_byte() -> None:
    with http_server(say_and_hang_up(reply(200)), reply(200)) as server, client(server.url) as one:
        one.send("POST", "/")
        time.sleep(0.05)
        assert isinstance(one.send("POST", "/"), Reply)
    assert [request.connection for request in server.requests] == [1, 2]


def test_a_kept_connection_that_is_closed_over_a_request_is_lost() -> None:
    with http_server(reply(200), hang_up, reply(200)) as server, client(server.url) as one:
        one.send("POST", "/")
        assert one.send("POST", "/") == Lost("RemoteDisconnected at 127.0.0.1")
    assert len(server.requests) == 2


def test_an_inquiry_is_repeated_up_to_three_times() -> None:
    with http_server(hang_up, reply(500), reply(200)) as server, client(server.url) as one:
        answer = one.ask("GET", "/")
    assert isinstance(answer, Reply)
    assert answer.status == 200


def test_an_inquiry_gives_up_with_the_last_answer() -> None:
    with http_server(hang_up, hang_up, reply(502), reply(200)) as server, client(server.url) as one:
        answer = one.ask("GET", "/")
    assert isinstance(answer, Reply)
    assert (answer.status, len(server.requests)) == (502, 3)


@pytest.mark.parametrize("act", [hang_up, reply(200, headers="broken header\r\n"), reply(200)])
def test_neither_answer_nor_log_holds_the_path(act: Act, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with http_server(act) as server:
        answer = post(server.url)
    assert KEY not in repr(answer)
    assert KEY not in caplog.text


def test_threads_share_a_client() -> None:
    with http_server(*[reply(200)] * 40) as server, client(server.url) as one:
        answers: list[Answer] = []
        threads = [threading.Thread(target=lambda: answers.append(one.send("POST", "/"))) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [type(answer) for answer in answers] == [Reply] * 40
