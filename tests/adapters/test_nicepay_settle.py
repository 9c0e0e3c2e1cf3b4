"""How a doubt about a NICEPAY charge ends, or stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lib.gateways import Approved, Card, Declined, Misconfigured, NotCharged, NotSent, Settled, Unknown
from lib.gateways.nicepay import UNPROVEN
from tests.adapters.nicepay import (
    APPROVAL,
    ATTEMPT,
    CANCEL,
    CANCELLED,
    CARD,
    DAY,
    FAILED,
    NOT_FOUND,
    NOW,
    PAID,
    TAKEN,
    UNKNOWN_CALLER,
    gateway,
    signed,
)
from tests.adapters.servers import Act, HttpServer, closed_port, hang_up, http_server, reply

SOON = datetime.now(UTC) + timedelta(minutes=3)
QUARANTINE = timedelta(minutes=15)
MISSING = Unknown("U107", "거래내역이 존재 하지 않습니다.")


def settle(
    *acts: Act,
    card: Card | None = CARD,
    age: timedelta = QUARANTINE,
    digest: str | None = None,
    wanted: bool = True,
) -> tuple[Settled, HttpServer]:
    with http_server(*acts) as server, gateway(server.url, age=age) as one:
        known = one.digest(ATTEMPT, CARD) if digest is None else digest
        sent = replace(ATTEMPT, request_digest=known)
        outcome = one.settle(sent, card, replay=lambda: SOON if wanted else None)
    return outcome, server


def test_what_is_found_is_not_sent_again() -> None:
    outcome, server = settle(reply(200, PAID))
    assert outcome == Approved((APPROVAL,), "inquiry")
    assert server.asked == [f"GET /v1/payments/find/{ATTEMPT.order_no}?orderDate={DAY}"]


def test_what_is_not_found_is_sent_again_with_the_same_bytes() -> None:
    with http_server(hang_up, NOT_FOUND, reply(200, PAID)) as server, gateway(server.url) as one:
        attempt = replace(ATTEMPT, request_digest=one.digest(ATTEMPT, CARD))
        one.charge(attempt, CARD)
        assert one.settle(attempt, CARD, replay=lambda: SOON) == Approved((APPROVAL,), "replay")
    first, _, second = server.requests
    assert (first.path, first.body) == (second.path, second.body)


@pytest.mark.parametrize("answer", [NOT_FOUND, reply(404, {"resultCode": "U107"})])
def test_nothing_is_sent_again_before_the_quarantine_is_over(answer: Act) -> None:
    outcome, server = settle(answer, age=QUARANTINE - timedelta(seconds=1))
    assert isinstance(outcome, Unknown)
    assert (outcome.code, outcome.not_before) == ("U107", NOW + QUARANTINE)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "why",
    [
        {"card": None},
        {"wanted": False},
        {"digest": ""},
        {"digest": "0" * 64},
        {"card": replace(CARD, billing_key="another")},
    ],
)
def test_without_leave_to_send_again_there_is_only_an_inquiry(why: dict[str, object]) -> None:
    outcome, server = settle(NOT_FOUND, **why)  # type: ignore[arg-type] # a table of differing arguments
    assert (outcome, len(server.requests)) == (MISSING, 1)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"<html>"),
        reply(500, {"resultCode": "U107"}),
        reply(401, {"resultCode": "U107"}),
        reply(200, {"resultCode": "A251"}),
        reply(200, {"resultCode": "U303"}),
        reply(200, PAID | {"signature": "0" * 64}),
        reply(200, signed(status="ready")),
        UNKNOWN_CALLER,
    ],
)
def test_only_a_clear_not_found_allows_to_send_again(answer: Act) -> None:
    outcome, server = settle(answer, answer, answer)
    assert isinstance(outcome, Unknown)
    assert {request.method for request in server.requests} == {"GET"}


def test_nobody_answering_the_inquiry_leaves_it_unknown() -> None:
    outcome, server = settle(hang_up, hang_up, hang_up)
    assert isinstance(outcome, Unknown)
    assert {request.method for request in server.requests} == {"GET"}


@pytest.mark.parametrize(
    ("sent_again", "expected"),
    [
        (TAKEN, Unknown("U112", "이미 사용된 OrderId 입니다.")),
        (hang_up, Unknown("LOST", "RemoteDisconnected at 127.0.0.1")),
        (reply(200, FAILED), Declined("soft", "3095", "카드사 실패 응답")),
        (reply(200, FAILED | {"resultCode": "3021"}), Declined("hard", "3021", "카드사 실패 응답")),
        (reply(200, FAILED | {"orderId": "ANOTHER1"}), Unknown("3095", "카드사 실패 응답")),
        (reply(200, FAILED | {"tid": None}), Unknown("3095", "카드사 실패 응답")),
        (reply(200, {"resultCode": "U115", "resultMsg": "m"}), Unknown("U115", "m")),
        (reply(200, {"resultCode": "U105", "resultMsg": "m"}), Unknown("U105", "m")),
        (reply(200, FAILED | {"resultCode": "3041"}), Unknown("3041", "카드사 실패 응답")),
        (reply(200, {"resultCode": "2152", "resultMsg": "m"}), Unknown("2152", "m")),
        (UNKNOWN_CALLER, Misconfigured("U104", "사용자 인증에 실패하였습니다.")),
        (reply(200, PAID | {"signature": ""}), Unknown("0000", UNPROVEN)),
    ],
)
def test_a_second_sending_ends_a_doubt_only_where_the_order_went_to_the_card(
    sent_again: Act, expected: Settled
) -> None:
    outcome, server = settle(NOT_FOUND, sent_again)
    if isinstance(expected, Unknown):
        expected = replace(expected, not_before=NOW + QUARANTINE + QUARANTINE)
    assert (outcome, len(server.requests)) == (expected, 2)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(200, CANCELLED), NotCharged("cancelled", "", (APPROVAL, CANCEL))),
        (reply(200, FAILED), Declined("soft", "3095", "카드사 실패 응답")),
        (reply(200, FAILED | {"resultCode": "3021"}), Declined("hard", "3021", "카드사 실패 응답")),
        (reply(200, FAILED | {"resultCode": "0000", "resultMsg": "m"}), Declined("soft", "failed", "m")),
        (reply(200, FAILED | {"status": "expired"}), Declined("soft", "3095", "카드사 실패 응답")),
        (reply(200, FAILED | {"orderId": "ANOTHER1"}), Unknown("3095", "카드사 실패 응답")),
        (
            reply(200, signed(orderId="ANOTHER1")),
            Approved((replace(APPROVAL, order_no="ANOTHER1"),), "inquiry"),
        ),
        (
            reply(200, signed(amount=500, balanceAmt=500)),
            Approved((replace(APPROVAL, amount_krw=500),), "inquiry"),
        ),
        (reply(200, CANCELLED | {"signature": ""}), Unknown("0000", UNPROVEN)),
        (reply(502, PAID), Unknown("HTTP_502", "정상 처리되었습니다.")),
        (reply(404, PAID), Unknown("0000", UNPROVEN)),
        (
            reply(200, CANCELLED | {"orderId": "ANOTHER1"}),
            Approved(
                (replace(APPROVAL, order_no="ANOTHER1"), replace(CANCEL, order_no="ANOTHER1")), "inquiry"
            ),
        ),
    ],
)
def test_an_inquiry_counts_only_where_it_proves_something(answer: Act, expected: Settled) -> None:
    outcome, _ = settle(answer, answer, answer)
    assert outcome == expected


def test_an_inquiry_is_repeated_when_its_reply_is_lost() -> None:
    outcome, server = settle(hang_up, reply(502), reply(200, PAID))
    assert outcome == Approved((APPROVAL,), "inquiry")
    assert len(server.requests) == 3


def test_every_day_since_the_charge_is_searched_and_then_it_is_sent_again() -> None:
    outcome, server = settle(NOT_FOUND, NOT_FOUND, NOT_FOUND, reply(200, PAID), age=timedelta(days=2))
    assert outcome == Approved((APPROVAL,), "replay")
    days = [path.partition("orderDate=")[2] for path in server.asked[:3]]
    assert days == ["20261201", "20261202", "20261203"]


def test_one_day_that_cannot_be_searched_leaves_it_unknown() -> None:
    outcome, server = settle(NOT_FOUND, hang_up, hang_up, hang_up, age=timedelta(days=1))
    assert isinstance(outcome, Unknown)
    assert {request.method for request in server.requests} == {"GET"}


def test_a_day_is_one_of_seoul() -> None:
    late = replace(ATTEMPT, sent_at=datetime(2026, 11, 30, 15, 30, tzinfo=UTC))
    with http_server(reply(200, PAID)) as server, gateway(server.url, age=timedelta(0)) as one:
        one.settle(late, CARD, replay=lambda: None)
    assert server.asked == [f"GET /v1/payments/find/{ATTEMPT.order_no}?orderDate={DAY}"]


def test_no_byte_of_a_second_sending_leaves_after_its_time() -> None:
    with http_server(NOT_FOUND) as server, gateway(server.url) as one:
        attempt = replace(ATTEMPT, request_digest=one.digest(ATTEMPT, CARD))
        outcome = one.settle(attempt, CARD, replay=lambda: datetime.now(UTC) - timedelta(seconds=1))
    assert isinstance(outcome, NotSent)
    assert len(server.requests) == 1


def test_a_closed_door_leaves_it_unknown() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.settle(ATTEMPT, CARD, replay=lambda: SOON), Unknown)


def test_the_address_and_both_keys_are_part_of_the_digest() -> None:
    with gateway("https://pg.invalid") as one, gateway("https://other.invalid") as other:
        digests = {
            one.digest(ATTEMPT, CARD),
            other.digest(ATTEMPT, CARD),
            one.digest(ATTEMPT, replace(CARD, billing_key="another")),
            one.digest(replace(ATTEMPT, amount_krw=1_000), CARD),
            one.digest(replace(ATTEMPT, order_name="다른 이름"), CARD),
        }
        assert one.digest(replace(ATTEMPT, sent_at=NOW + timedelta(days=1)), CARD) in digests
    assert len(digests) == 5
