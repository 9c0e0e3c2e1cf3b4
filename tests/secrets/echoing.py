"""A PG that repeats in every answer what it was sent, and what it has in its own records."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, SupportsIndex
from urllib.parse import unquote

from tests.adapters.servers import Act, HttpServer, Request
from tests.secrets import marked

OF_ITS_RECORDS = [*marked.OF_THE_CARD, *marked.OF_THE_MAIL, *marked.of_a_phone(marked.PHONE)]
OF_MEMBERS = marked.of_a_phone(marked.MEMBER_PHONE)


class _Acts(list[Act]):
    """Never ends: each act is made when the request has come."""

    def __init__(self, make: Callable[[], Act]) -> None:
        super().__init__()
        self._make = make

    def __bool__(self) -> bool:
        return True

    def pop(self, _place: SupportsIndex = 0) -> Act:
        return self._make()


class EchoServer(HttpServer):
    """Gives one kind of answer; each repeats as much as the jobs keep of an answer."""

    def __init__(self, answer: Callable[[str], Act]) -> None:
        super().__init__()
        self._acts: list[Act] = _Acts(lambda: answer(self._echo()))

    def _echo(self) -> str:
        packs = marked.packed([*_of_the_request(self.requests[-1]), *OF_ITS_RECORDS, *OF_MEMBERS])
        return packs[len(self.requests) % len(packs)]


def _of_the_request(request: Request) -> Iterator[str]:
    yield request.path
    yield unquote(request.path)
    credentials = request.headers["authorization"].rpartition(" ")[2]
    yield credentials
    yield base64.b64decode(credentials).decode()
    body: Any = request.json() if request.body else {}
    yield f"customerKey: {body.get('customerKey')}"


@contextmanager
def echo_server(answer: Callable[[str], Act]) -> Iterator[EchoServer]:
    """Run such a PG for a block."""
    server = EchoServer(answer)
    try:
        yield server
    finally:
        server.stop()
