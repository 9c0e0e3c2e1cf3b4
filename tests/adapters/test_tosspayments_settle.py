"""How a doubt about a TossPayments charge ends, or stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lib import settings
from lib.gateways import (
    Approved,
    Card,
    Declined,
    NotCharged,
    Settled,
    Unknown,
)
from lib.gateways.tosspayments import TossPayments
from tests.adapters.servers import Act, HttpServer, hang_up, http_server, reply
from tests.adapters.tosspayments import (
    ABORTED,
    APPROVAL,
    ATTEMPT,
    CANCEL,
    CANCELED,
    CARD,
    DONE,
    NOT_FOUND,
    NOW,
    REFUSED,
    gateway,
)

SOON = datetime.now(UTC) + timedelta(minutes=3)


def settle(
    *acts: Act,
    card: Card | None = CARD,
    sent_at: datetime = NOW,
    digest: str | None = None,
    wanted: bool = True,
) -> tuple[Settled, HttpServer]:
    attempt = replace(ATTEMPT, sent_at=sent_at)
    with http_server(*acts) as server, gateway(server.url) as one:
        known = one.digest(ATTEMPT, CARD) if digest is None else digest
        sent = replace(attempt, request_digest=known)
        outcome = one.settle(sent, card, replay=lambda: SOON if wanted else None)
    return outcome, server


def test_a_doubt_is_replayed_with_the_same_bytes() -> None:
    with http_server(hang_up, reply(200, DONE), NOT_FOUND) as server, gateway(server.url) as one:
        attempt = replace(ATTEMPT, request_digest=one.digest(ATTEMPT, CARD))
        one.charge(attempt, CARD)
        assert one.settle(attempt, CARD, replay=lambda: SOON) == Approved((APPROVAL,), "replay")
    first, second, _ = server.requests
    assert (first.path, first.body) == (second.path, second.body)
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


TWO = {"cancels": [{"cancelAmount": 900, "cancelStatus": "DONE"}], "status": "PARTIAL_CANCELED"}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (reply(200, DONE), Approved((APPROVAL,), "replay")),
        (reply(200, CANCELED), NotCharged("CANCELED", "", (APPROVAL, CANCEL))),
        (reply(200, DONE | TWO), Approved((APPROVAL, replace(CANCEL, amount_krw=900)), "inquiry")),
        (NOT_FOUND, Approved((APPROVAL,), "replay")),
        (reply(401, {"code": "UNAUTHORIZED_KEY"}), Approved((APPROVAL,), "replay")),
        (reply(200, ABORTED), Approved((APPROVAL,), "replay")),
        (reply(200, CANCELED | {"orderId": "OTHER"}), Approved((APPROVAL,), "replay")),
        (reply(200, CANCELED | {"paymentKey": "other"}), Approved((APPROVAL,), "replay")),
        (reply(200, b"<html>"), Approved((APPROVAL,), "replay")),
    ],
)
def test_a_replayed_approval_is_asked_after_too_for_it_may_be_cancelled_since(
    now: Act, expected: Settled
) -> None:
    outcome, server = settle(reply(200, DONE), now)
    assert outcome == expected
    assert server.asked[1:] == [f"GET /v1/payments/orders/{ATTEMPT.order_no}"]


def test_a_replayed_decline_ends_the_doubt() -> None:
    outcome, _ = settle(reply(403, REFUSED))
    assert outcome == Declined("soft", "REJECT_CARD_PAYMENT", "한도초과 혹은 잔액부족")


@pytest.mark.parametrize(
    "why",
    [
        {"card": None},
        {"wanted": False},
        {"digest": ""},
        {"digest": "0" * 64},
        {"card": replace(CARD, billing_key="another")},
        {"card": replace(CARD, customer_key="another")},
        {"sent_at": NOW - timedelta(days=14)},
    ],
)
def test_without_leave_to_replay_there_is_only_an_inquiry(why: dict[str, object]) -> None:
    _, server = settle(NOT_FOUND, **why)  # type: ignore[arg-type] # a table of differing arguments
    assert server.asked == [f"GET /v1/payments/orders/{ATTEMPT.order_no}"]


def test_a_key_is_replayed_up_to_its_fourteenth_day() -> None:
    _, server = settle(reply(200, DONE), NOT_FOUND, sent_at=NOW - timedelta(days=14) + timedelta(seconds=1))
    assert server.asked[0] == "POST /v1/billing/bKey%2B%2Fone%3D"


def test_another_api_key_makes_another_digest() -> None:
    config = {"base_url": "https://pg.invalid"}
    one, other = (
        TossPayments(settings.TossPayments.model_validate(config | {"secret_key": key}), lambda: NOW)
        for key in ("a", "b")
    )
    assert one.digest(ATTEMPT, CARD) != other.digest(ATTEMPT, CARD)


@pytest.mark.parametrize(
    "replayed",
    [
        hang_up,
        reply(409, {"code": "IDEMPOTENT_REQUEST_PROCESSING"}),
        reply(401, {"code": "UNAUTHORIZED_KEY"}),
    ],
)
def test_a_replay_that_tells_nothing_is_followed_by_an_inquiry(replayed: Act) -> None:
    outcome, server = settle(replayed, reply(200, DONE))
    assert outcome == Approved((APPROVAL,), "inquiry")
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(200, DONE), Approved((APPROVAL,), "inquiry")),
        (reply(200, CANCELED), NotCharged("CANCELED", "", (APPROVAL, CANCEL))),
        (reply(200, ABORTED), Declined("soft", "REJECT_CARD_PAYMENT", "한도초과")),
        (
            reply(200, ABORTED | {"failure": {"code": "INVALID_STOPPED_CARD"}}),
            Declined("hard", "INVALID_STOPPED_CARD", ""),
        ),
        (
            reply(200, ABORTED | {"failure": {"code": "NEVER_HEARD_OF"}}),
            Declined("soft", "NEVER_HEARD_OF", ""),
        ),
        (reply(200, DONE | {"status": "EXPIRED"}), Declined("soft", "EXPIRED", "")),
        (
            reply(200, CANCELED | {"orderId": "OTHER"}),
            Approved((replace(APPROVAL, order_no="OTHER"), replace(CANCEL, order_no="OTHER")), "inquiry"),
        ),
        (NOT_FOUND, Unknown("NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보")),
        (reply(200, DONE | {"status": "IN_PROGRESS"}), Unknown("IN_PROGRESS", "")),
        (reply(403, REFUSED), Unknown("REJECT_CARD_PAYMENT", "한도초과 혹은 잔액부족")),
        (reply(401, {"code": "UNAUTHORIZED_KEY", "message": "m"}), Unknown("UNAUTHORIZED_KEY", "m")),
        (reply(200, b"<html>"), Unknown("HTTP_200", "unreadable answer")),
    ],
)
def test_an_inquiry_counts_only_where_it_proves_something(answer: Act, expected: Settled) -> None:
    outcome, _ = settle(answer, wanted=False)
    assert outcome == expected


def test_an_inquiry_is_repeated_when_its_reply_is_lost() -> None:
    outcome, server = settle(hang_up, reply(502), reply(200, DONE), wanted=False)
    assert outcome == Approved((APPROVAL,), "inquiry")
    assert len(server.requests) == 3


def test_an_inquiry_nobody_answers_leaves_it_unknown() -> None:
    outcome, _ = settle(hang_up, hang_up, hang_up, wanted=False)
    assert isinstance(outcome, Unknown)
