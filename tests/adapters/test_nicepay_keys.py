"""Deleting a billing key at NICEPAY, and giving money back."""

from __future__ import annotations

import pytest

from lib.gateways import Misconfigured, NotCharged, NotSent, Refused, Settled, Unknown
from lib.gateways.nicepay import UNPROVEN
from tests.adapters.nicepay import (
    APPROVAL,
    ATTEMPT,
    CANCEL,
    CANCELLED,
    CARD,
    KEY,
    NOT_FOUND,
    PAID,
    TAKEN,
    UNKNOWN_CALLER,
    cancel_of,
    gateway,
    signed,
)
from tests.adapters.servers import Act, closed_port, hang_up, http_server, reply


def deleted(code: str, **fields: object) -> bytes:
    return reply(200, {"resultCode": code, "resultMsg": "m", "bid": KEY} | fields)


@pytest.mark.parametrize(
    ("acts", "state"),
    [
        ([deleted("0000")], "done"),
        ([deleted("F101")], "done"),
        ([deleted("0000", bid="another")], "unknown"),
        ([deleted("U115")], "already_gone"),
        ([deleted("A126", bid=None)], "already_gone"),
        ([deleted("U309", bid=None)], "already_gone"),
        ([deleted("A255")], "failed"),
        ([reply(404, {"resultCode": "0000"})], "failed"),
        ([reply(404, {"resultCode": "U115"})], "failed"),
        ([UNKNOWN_CALLER], "failed"),
        ([reply(404, b"<html>")], "failed"),
        ([TAKEN, deleted("0000")], "done"),
        ([hang_up, TAKEN, deleted("U115")], "already_gone"),
        ([TAKEN, TAKEN], "failed"),
        ([hang_up, hang_up, hang_up], "unknown"),
        ([reply(500), reply(500), reply(500)], "unknown"),
    ],
)
def test_a_billing_key_is_forgotten(acts: list[Act], state: str) -> None:
    with http_server(*acts) as server, gateway(server.url) as one:
        assert one.forget(CARD).state == state
    assert set(server.asked) == {"POST /v1/subscribe/BIKYnictest00m%2F1/expire"}


def test_every_deletion_has_an_order_number_of_its_own() -> None:
    with http_server(TAKEN, TAKEN, TAKEN, TAKEN) as server, gateway(server.url) as one:
        one.forget(CARD)
        one.forget(CARD)
    assert len({request.body for request in server.requests}) == 4


def cancel(*acts: Act) -> Settled:
    with http_server(*acts) as server, gateway(server.url) as one:
        return one.cancel(APPROVAL, "PG reset")


def test_a_cancel_gives_all_back_under_the_number_of_the_order() -> None:
    with http_server(reply(200, CANCELLED)) as server, gateway(server.url) as one:
        one.cancel(APPROVAL, "가" * 40)
    request = server.requests[0]
    assert request.path == f"/v1/payments/{APPROVAL.tid}/cancel"
    assert request.json() == {"reason": "가" * 33, "orderId": ATTEMPT.order_no}


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([reply(200, CANCELLED)], NotCharged("cancelled", "", (CANCEL,))),
        ([reply(200, {"resultCode": "2013"}), reply(200, CANCELLED)], NotCharged("cancelled", "", (CANCEL,))),
        ([reply(200, {"resultCode": "2013"}), reply(200, PAID)], Unknown("0000", UNPROVEN)),
        ([reply(200, {"resultCode": "2013"}), NOT_FOUND], Unknown("U107", "거래내역이 존재 하지 않습니다.")),
        (
            [
                reply(
                    200, signed(tid="another", status="cancelled", balanceAmt=0, cancels=[cancel_of(12_900)])
                )
            ],
            Unknown("0000", UNPROVEN),
        ),
        ([reply(200, CANCELLED | {"signature": "0" * 64})], Unknown("0000", UNPROVEN)),
        ([reply(200, PAID)], Unknown("0000", UNPROVEN)),
        ([reply(502, CANCELLED)], Unknown("0000", UNPROVEN)),
        ([reply(200, {"resultCode": "2016", "resultMsg": "m"})], Refused("2016", "m")),
        ([UNKNOWN_CALLER], Misconfigured("U104", "사용자 인증에 실패하였습니다.")),
        ([reply(200, {"resultCode": "U501", "resultMsg": "m"})], Unknown("U501", "m")),
        ([reply(500, {"resultCode": "2016", "resultMsg": "m"})], Unknown("2016", "m")),
        ([hang_up], Unknown("LOST", "RemoteDisconnected at 127.0.0.1")),
    ],
)
def test_a_cancel_is_done_only_where_the_pg_says_so(acts: list[Act], expected: Settled) -> None:
    assert cancel(*acts) == expected


def test_a_cancel_that_never_left_was_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.cancel(APPROVAL, "r"), NotSent)
