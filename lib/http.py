"""The HTTP client of every PG and SMS provider: answers are values, and no call waits for ever.

It stands on the transport of requests alone: a Session would add what must not happen to money
(redirects that send a body again, cookies, proxies and .netrc from the environment), and the transport is
the part of requests that threads may share.
"""

from __future__ import annotations

import http.client
import io
import json
import logging
import socket
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_random_exponential,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from lib.failpoints import Step, reach

# Its records hold the URL path, and with it the billing key, at DEBUG and even at WARNING.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes; a page of SMS results is the largest honest body, below 1 MiB."""
KEPT_FOR = 4.0
"""Seconds. Common servers close an idle connection after 5; sending just then would leave a doubt."""
ASK_TIMES = 3
NO_CONTENT, SERVER_ERROR = 204, 500


@dataclass(frozen=True)
class Reply:
    """A whole answer, whatever its status. Its repr holds no content: that may be a secret."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def content(self) -> Any:  # noqa: ANN401 any JSON; the callers check what they take from it
        """Return what the body says as JSON, or None where it says nothing readable."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def object(self) -> dict[str, Any] | None:
        """Return the body as a JSON object, or None where it is none."""
        content = self.content()
        return content if isinstance(content, dict) else None


@dataclass(frozen=True)
class NothingSent:
    """Proven: not one byte of the request left (DNS, refused, connect time-out, TLS). Class and host only."""

    why: str


@dataclass(frozen=True)
class Lost:
    """Something may have been sent and no whole answer came. Class and host only."""

    why: str


Answer = Reply | NothingSent | Lost


class BodyTooLargeError(OSError):
    """The answer is longer than any honest one."""


class _Call:
    """How long one request may still take, and whether its first byte has left."""

    def __init__(self, budget: float, send_until: datetime | None) -> None:
        self._budget = budget
        self._send_until = send_until
        self._until = time.monotonic() + budget
        self.sent = False
        self.connection: _Kept | None = None

    def left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def start(self) -> float:
        """Let bytes leave; the first one starts the time for the answer: a slow connect takes none of it."""
        left = self.left()
        if self.sent:
            return left
        # The last look before the first byte: the process may have been stopped since it was told to send.
        if self._send_until and datetime.now(UTC) >= self._send_until:
            raise TimeoutError
        self.sent = True
        self._until = time.monotonic() + self._budget
        return self._budget


_call: ContextVar[_Call] = ContextVar("_call")


class _TimedReader(io.RawIOBase):
    """Reads a socket until the call's time is over: socket time-outs alone start again with every byte."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 a writable buffer has no nameable type in 3.11
        self._sock.settimeout(_call.get().left())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 passed through
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_TimedReader(sock, self.fp.detach()))


class _Kept(HTTPConnection):
    """A connection that marks the first byte, keeps to the call's time and is not trusted after idling."""

    response_class = _TimedResponse
    last_used = 0.0

    @property
    def is_connected(self) -> bool:
        # Before every request the pool asks this and connects anew where it is false.
        return time.monotonic() - self.last_used < KEPT_FOR and super().is_connected

    def send(self, data: Any) -> None:  # noqa: ANN401 as urllib3 has it
        if self.sock is None:
            self.connect()
        call = _call.get()
        call.connection = self
        self.sock.settimeout(call.start())
        super().send(data)

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        reach(Step.REQUEST_SENT)
        return super().getresponse()


class _KeptTls(_Kept, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Kept


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _KeptTls


class _Transport(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 passed through
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _no_headers() -> Mapping[str, str]:
    return {}


class Client:
    """Requests to one host over kept connections, from any number of threads; nothing is repeated unasked.

    Seconds: connecting takes at most `connect_timeout` an address; the first byte leaves within
    `read_timeout` of the call or never, and the answer is whole within `read_timeout` of that or lost.
    `headers` is asked for every request, so a signature is never used twice.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float,
        read_timeout: float,
        kept: int = 8,
        headers: Callable[[], Mapping[str, str]] = _no_headers,
    ) -> None:
        self._base_url = base_url
        self._host = urlsplit(base_url).hostname or ""
        self._timeout = (connect_timeout, read_timeout)
        self._headers = headers
        self._transport = _Transport(pool_connections=1, pool_maxsize=kept, max_retries=0)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        send_until: datetime | None = None,
    ) -> Answer:
        """Send exactly one request, and nothing from `send_until` (real time) on.

        `path` is quoted already and begins with a slash.
        """
        call = _Call(self._timeout[1], send_until)
        token = _call.set(call)
        try:
            return self._exchange(method, path, body, headers or {})
        except (OSError, urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
            why = f"{_innermost(error)} at {self._host}"
            return Lost(why) if call.sent else NothingSent(why)
        finally:
            _call.reset(token)
            if call.connection:
                call.connection.last_used = time.monotonic()

    def ask(self, method: str, path: str, *, body: bytes = b"") -> Answer:
        """Send a request that may be repeated harmlessly (an inquiry, a deletion), up to three times."""
        patiently = Retrying(
            stop=stop_after_attempt(ASK_TIMES) | stop_after_delay(self._timeout[1]),
            wait=wait_random_exponential(multiplier=0.1, max=1),
            retry=retry_if_result(_worth_repeating),
            retry_error_callback=_last_answer,
        )
        return patiently(self.send, method, path, body=body)

    def close(self) -> None:
        """Close kept connections."""
        self._transport.close()

    def _exchange(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        everything = {"User-Agent": "jeonggi", "Accept": "application/json", **self._headers(), **headers}
        request = requests.Request(method, self._base_url + path, everything, data=body).prepare()
        response = self._transport.send(request, stream=True, timeout=self._timeout, verify=True)
        try:
            reply = Reply(response.status_code, _whole_body(response), response.headers)
        finally:
            response.close()
        if _may_be_cut(reply):
            raise ConnectionAbortedError
        return reply


def _whole_body(response: requests.Response) -> bytes:
    body = bytearray()
    for piece in response.iter_content(64 * 1024):
        body += piece
        if len(body) > LARGEST_BODY:
            raise BodyTooLargeError
    return bytes(body)


def _may_be_cut(reply: Reply) -> bool:
    """Tell whether this may be a head that broke off: http.client takes the end of the stream for its end."""
    framed = {"content-length", "transfer-encoding"} & {name.lower() for name in reply.headers}
    return not (reply.body or framed or reply.status == NO_CONTENT)


def _innermost(error: BaseException) -> str:
    """Name the class of the first cause; never its text, which holds the URL and so the billing key."""
    causes = [getattr(error, "reason", None), *reversed(error.args)]
    for cause in causes:
        if isinstance(cause, BaseException):
            return _innermost(cause)
    return type(error).__name__


def _worth_repeating(answer: Answer) -> bool:
    return not isinstance(answer, Reply) or answer.status >= SERVER_ERROR


def _last_answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101 tenacity gives up only after a try
    answer: Answer = state.outcome.result()
    return answer
