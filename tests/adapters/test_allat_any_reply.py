"""Whatever bytes come back from Allat: an outcome, never an exception, and money only where it is told of."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.gateways import Approved, Forgotten, NotCharged, NotSent, Outcome, Settled
from lib.gateways.allat import Allat
from lib.gateways.allat_wire import read_reply
from lib.sandbox.allat_rules import INVENTED
from tests.adapters.allat import APPROVAL, APPROVED, ATTEMPT, CANCELLED, CARD, LATER, gateway
from tests.adapters.servers import HttpServer, reply

EXAMPLES = 150
T = TypeVar("T")


class Asked:
    """An Allat whose server says what a test wants."""

    def __init__(self) -> None:
        self._said = b""
        self.server = HttpServer(*[self._say] * 20 * EXAMPLES)
        self.allat: Allat | None = None

    def _say(self, conn: socket.socket) -> None:
        conn.sendall(self._said)

    def told(self, said: bytes, ask: Callable[[Allat], T]) -> T:
        assert self.allat
        self._said = said
        return ask(self.allat)


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    made = Asked()
    try:
        with gateway(made.server.url, at=LATER) as made.allat:
            yield made
    finally:
        made.server.stop()


KEYS = st.sampled_from([*{**APPROVED, **CANCELLED}, "fix_key", "x", ""])
VALUES = st.one_of(
    st.sampled_from(["0000", "0001", "0431", "0", "1", "", ATTEMPT.order_no, "12900", "A", *INVENTED]),
    st.text(max_size=20),
)
LINE = st.tuples(KEYS, VALUES).map(lambda pair: "=".join(pair).encode("cp949", "replace"))
LIKE = st.sampled_from([APPROVED, CANCELLED]).flatmap(
    lambda told: st.permutations([f"{key}={value}".encode("cp949") for key, value in told.items()])
)
BODIES = st.one_of(
    st.binary(max_size=300),
    st.lists(LINE, max_size=12).map(b"\n".join),
    st.tuples(LIKE, st.lists(LINE, max_size=2)).map(lambda both: b"\n".join([*both[0], *both[1]])),
    st.tuples(LIKE, st.integers(0, 200)).map(lambda both: b"\n".join(both[0])[: both[1]]),
)
REPLIES = st.one_of(
    st.binary(max_size=200),
    st.builds(reply, st.sampled_from([200, 200, 200, 204, 302, 500]), BODIES),
    BODIES.map(lambda body: b"HTTP/1.0 200 OK\r\n\r\n" + body),
)


def says(said: bytes, *wanted: str) -> bool:
    """Tell whether the bytes hold these lines."""
    lines = {line.strip() for line in said.replace(b"\r\n\r\n", b"\n").split(b"\n")}
    return all(line.encode() in lines for line in wanted)


@given(REPLIES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_charge_is_approved_only_by_its_order_number_and_amount(asked: Asked, said: bytes) -> None:
    outcome = asked.told(said, lambda one: one.charge(ATTEMPT, CARD))
    assert isinstance(outcome, Outcome)
    assert not isinstance(outcome, NotSent)
    if isinstance(outcome, Approved):
        approval = outcome.evidence[0]
        assert (len(outcome.evidence), approval.order_no, approval.amount_krw) == (
            1,
            ATTEMPT.order_no,
            12_900,
        )
        assert says(said, "reply_cd=0000", f"order_no={ATTEMPT.order_no}", "amt=12900")


@given(REPLIES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_void_ends_a_doubt_only_by_its_yes_and_never_approves(asked: Asked, said: bytes) -> None:
    outcome = asked.told(said, lambda one: one.settle(ATTEMPT, CARD, replay=lambda: None))
    assert isinstance(outcome, Settled)
    assert not isinstance(outcome, Approved)
    if isinstance(outcome, NotCharged):
        assert says(said, "reply_cd=0000")
        assert sum(each.amount_krw * (1 if each.kind == "approve" else -1) for each in outcome.evidence) == 0


@given(BODIES)
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_cancel_and_a_deletion_end_in_a_value(asked: Asked, body: bytes) -> None:
    cancelled = asked.told(reply(200, body), lambda one: one.cancel(APPROVAL, "PG reset"))
    forgotten = asked.told(reply(200, body), lambda one: one.forget(CARD))
    assert isinstance(cancelled, Settled)
    assert isinstance(forgotten, Forgotten)
    assert says(body, "reply_cd=0000") or not (isinstance(cancelled, NotCharged) or forgotten.state == "done")


@given(st.one_of(st.binary(max_size=400), BODIES))
def test_any_bytes_can_be_read(body: bytes) -> None:
    told = read_reply(body)
    assert told is None or told["reply_cd"]
