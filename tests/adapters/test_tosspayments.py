"""What an answer of TossPayments means for money."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib.gateways import (
    Approval,
    Approved,
    Attempt,
    Declined,
    Misconfigured,
    NotCharged,
    NotSent,
    Outcome,
    Refused,
    Settled,
    Unknown,
)
from lib.gateways.tosspayments_codes import CODES, PUBLISHED
from tests.adapters.servers import Act, closed_port, hang_up, http_server, reply, stall
from tests.adapters.tosspayments import (
    ABORTED,
    APPROVAL,
    ATTEMPT,
    CANCEL,
    CANCELED,
    CARD,
    DONE,
    KEY,
    REFUSED,
    gateway,
)


def charge(act: Act, codes: dict[str, str] | None = None, attempt: Attempt = ATTEMPT) -> Outcome:
    with http_server(act) as server, gateway(server.url, codes) as one:
        return one.charge(attempt, CARD)


def test_a_charge_is_made_from_attempt_and_card_alone() -> None:
    with http_server(reply(200, DONE)) as server, gateway(server.url) as one:
        one.charge(ATTEMPT, CARD)
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/billing/bKey%2B%2Fone%3D")
    assert request.headers["idempotency-key"] == ATTEMPT.order_no
    assert request.headers["authorization"] == "Basic dGVzdF9za18xOg=="
    assert request.json() == {
        "amount": 12_900,
        "customerKey": "cust-1",
        "orderId": ATTEMPT.order_no,
        "orderName": "정기배송 원두",
    }


def test_an_order_name_is_cut_to_what_the_pg_takes() -> None:
    with http_server(reply(200, DONE)) as server, gateway(server.url) as one:
        one.charge(replace(ATTEMPT, order_name="가" * 101), CARD)
    content = server.requests[0].json()
    assert isinstance(content, dict)
    assert content["orderName"] == "가" * 100


def test_an_approval_is_evidence() -> None:
    assert charge(reply(200, DONE)) == Approved((APPROVAL,), "response")


def test_the_evidence_is_what_the_reply_says_not_what_was_asked() -> None:
    outcome = charge(reply(200, DONE | {"orderId": "ANOTHER1", "totalAmount": 500}))
    assert outcome == Approved((Approval("pk1", "ANOTHER1", 500, "00001234"),), "response")


def test_an_approval_cancelled_since_is_evidence_of_both() -> None:
    assert charge(reply(200, CANCELED)) == Approved((APPROVAL, CANCEL), "response")


def test_partial_cancels_are_counted_by_their_place() -> None:
    cancels = [
        {"cancelAmount": 900, "cancelStatus": "DONE"},
        {"cancelAmount": 500, "cancelStatus": "IN_PROGRESS"},
        {"cancelAmount": 2000, "cancelStatus": "DONE"},
    ]
    outcome = charge(reply(200, DONE | {"status": "PARTIAL_CANCELED", "cancels": cancels}))
    assert outcome == Approved(
        (APPROVAL, replace(CANCEL, amount_krw=900), replace(CANCEL, amount_krw=2000, seq=2)), "response"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "IN_PROGRESS"},
        {"status": None},
        {"paymentKey": ""},
        {"paymentKey": None},
        {"paymentKey": "한글"},
        {"paymentKey": "p" * 201},
        {"orderId": 5},
        {"orderId": "J\n1"},
        {"totalAmount": "12900"},
        {"totalAmount": 12900.0},
        {"totalAmount": True},
        {"totalAmount": -1},
        {"totalAmount": 10**30},
        {"cancels": [{"cancelAmount": 900}]},
        {"cancels": "all"},
        {"status": "CANCELED"},
        {"status": "CANCELED", "cancels": [{"cancelAmount": "12900"}]},
        {"status": "PARTIAL_CANCELED", "cancels": [None]},
    ],
)
def test_a_payment_that_does_not_say_so_beyond_doubt_is_unknown(changes: dict[str, object]) -> None:
    assert isinstance(charge(reply(200, DONE | changes)), Unknown)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("REJECT_CARD_PAYMENT", Declined("soft", "REJECT_CARD_PAYMENT", "m")),
        ("EXCEED_MAX_AMOUNT", Declined("soft", "EXCEED_MAX_AMOUNT", "m")),
        ("INVALID_CARD_LOST_OR_STOLEN", Declined("hard", "INVALID_CARD_LOST_OR_STOLEN", "m")),
        ("NOT_FOUND_BILLING", Declined("hard", "NOT_FOUND_BILLING", "m")),
        ("NOT_MATCHES_CUSTOMER_KEY", Refused("NOT_MATCHES_CUSTOMER_KEY", "m")),
        ("INVALID_REQUEST", Refused("INVALID_REQUEST", "m")),
        ("UNAUTHORIZED_KEY", Misconfigured("UNAUTHORIZED_KEY", "m")),
        ("NOT_SUPPORTED_METHOD", Misconfigured("NOT_SUPPORTED_METHOD", "m")),
        ("DUPLICATED_ORDER_ID", Unknown("DUPLICATED_ORDER_ID", "m")),
        ("PROVIDER_ERROR", Unknown("PROVIDER_ERROR", "m")),
        ("NEVER_HEARD_OF", Unknown("NEVER_HEARD_OF", "m")),
    ],
)
def test_a_code_has_its_class(code: str, expected: Outcome) -> None:
    assert charge(reply(400, {"code": code, "message": "m"})) == expected


@pytest.mark.parametrize("status", [200, 202, 302, 408, 409, 425, 429, 500, 502, 504])
@pytest.mark.parametrize("code", ["REJECT_CARD_PAYMENT", "UNAUTHORIZED_KEY"])
def test_a_code_with_a_status_it_is_not_published_with_is_unknown(status: int, code: str) -> None:
    assert isinstance(charge(reply(status, {"code": code, "message": "m"})), Unknown)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500])
@pytest.mark.parametrize("content", [b"", b"<html>403</html>", b"[]", b'{"code": "REJECT'])
def test_an_unreadable_answer_is_unknown(status: int, content: bytes) -> None:
    assert isinstance(charge(reply(status, content)), Unknown)


def test_configuration_names_the_class_of_a_code_nobody_published() -> None:
    outcome = charge(reply(400, {"code": "NEW_ONE", "message": "m"}), {"NEW_ONE": "declined-hard"})
    assert outcome == Declined("hard", "NEW_ONE", "m")


def test_configuration_overrides_a_published_code() -> None:
    outcome = charge(reply(403, REFUSED), {"REJECT_CARD_PAYMENT": "unknown"})
    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("act", [hang_up, stall])
def test_a_lost_reply_is_unknown(act: Act) -> None:
    assert isinstance(charge(act), Unknown)


def test_a_lost_charge_is_not_sent_again() -> None:
    with http_server(hang_up, reply(200, DONE)) as server, gateway(server.url) as one:
        one.charge(ATTEMPT, CARD)
    assert len(server.requests) == 1


def test_a_closed_door_means_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.charge(ATTEMPT, CARD), NotSent)


@pytest.mark.parametrize("key", ["", " ", ".", ".."])
def test_a_row_without_a_key_is_refused_before_anything_is_sent(key: str) -> None:
    with http_server() as server, gateway(server.url) as one:
        assert isinstance(one.charge(ATTEMPT, replace(CARD, billing_key=key)), Refused)
    assert server.requests == []


def test_an_aborted_payment_is_declined_by_its_failure() -> None:
    assert charge(reply(200, ABORTED)) == Declined("soft", "REJECT_CARD_PAYMENT", "한도초과")


def test_an_aborted_payment_of_another_order_proves_nothing() -> None:
    assert isinstance(charge(reply(200, ABORTED | {"orderId": "ANOTHER1"})), Unknown)


def test_a_message_is_one_short_line_without_keys_cards_and_phones() -> None:
    message = f"{KEY}\r\nbKey%2B%2Fone%3D cust-1 test_sk_1 4330-1234-1234-1234 010-1234-5678 " + "하" * 300
    outcome = charge(reply(403, REFUSED | {"message": message}))
    assert isinstance(outcome, Declined)
    assert outcome.message == ("*** *** *** *** *** *** " + "하" * 300)[:200]


def test_a_code_fits_its_column() -> None:
    outcome = charge(reply(400, {"code": "X" * 500, "message": None}))
    assert outcome == Unknown("X" * 64, "")


@pytest.mark.parametrize(
    ("acts", "state"),
    [
        ([reply(200)], "done"),
        ([reply(404, {"code": "NOT_FOUND_BILLING"})], "already_gone"),
        ([reply(400, {"code": "ALREADY_REMOVED_BILLING_KEY"})], "already_gone"),
        ([reply(404, {"code": "NOT_FOUND_MERCHANT"})], "failed"),
        ([reply(404, b"<html>")], "failed"),
        ([reply(401, {"code": "UNAUTHORIZED_KEY"})], "failed"),
        ([hang_up, reply(200)], "done"),
        ([hang_up, hang_up, hang_up], "unknown"),
        ([reply(500), reply(500), reply(500)], "failed"),
    ],
)
def test_a_billing_key_is_forgotten(acts: list[Act], state: str) -> None:
    with http_server(*acts) as server, gateway(server.url) as one:
        assert one.forget(CARD).state == state
    assert set(server.asked) == {"DELETE /v1/billing/bKey%2B%2Fone%3D"}


def test_forgetting_says_nothing_of_the_key() -> None:
    with http_server(reply(403, {"code": "X", "message": f"no {KEY}"})) as server, gateway(server.url) as one:
        assert one.forget(CARD).message == "X no ***"


def test_a_row_without_a_key_has_nothing_to_forget() -> None:
    with http_server() as server, gateway(server.url) as one:
        assert one.forget(replace(CARD, billing_key="")).state == "already_gone"


def cancel(act: Act) -> Settled:
    with http_server(act) as server, gateway(server.url) as one:
        return one.cancel(APPROVAL, "PG reset")


def test_a_cancel_has_a_key_of_its_own() -> None:
    with http_server(reply(200, CANCELED)) as server, gateway(server.url) as one:
        one.cancel(APPROVAL, "PG reset")
    request = server.requests[0]
    assert request.path == "/v1/payments/pk1/cancel"
    assert request.headers["idempotency-key"] == ATTEMPT.order_no + "C"
    assert request.json() == {"cancelReason": "PG reset"}


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (reply(200, CANCELED), NotCharged("CANCELED", "", (CANCEL,))),
        (reply(200, CANCELED | {"paymentKey": "pk2"}), Unknown("CANCELED", "")),
        (reply(200, DONE), Unknown("DONE", "")),
        (
            reply(400, {"code": "NOT_CANCELABLE_PAYMENT", "message": "m"}),
            Refused("NOT_CANCELABLE_PAYMENT", "m"),
        ),
        (reply(401, {"code": "UNAUTHORIZED_KEY", "message": "m"}), Misconfigured("UNAUTHORIZED_KEY", "m")),
        (reply(400, {"code": "PROVIDER_ERROR", "message": "m"}), Unknown("PROVIDER_ERROR", "m")),
        (reply(500, {"code": "COMMON_ERROR", "message": "m"}), Unknown("COMMON_ERROR", "m")),
        (reply(404, b"<html>"), Unknown("HTTP_404", "unreadable answer")),
        (hang_up, Unknown("LOST", "RemoteDisconnected at 127.0.0.1")),
    ],
)
def test_a_cancel_is_done_only_where_the_pg_says_so(act: Act, expected: Settled) -> None:
    assert cancel(act) == expected


def test_a_cancel_that_never_left_was_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.cancel(APPROVAL, "r"), NotSent)


def test_no_code_stands_in_two_classes() -> None:
    listed = [code for codes in PUBLISHED.values() for code in codes.split()]
    assert sorted(listed) == sorted(CODES)


def test_nothing_shows_a_key() -> None:
    with gateway("https://pg.invalid") as one:
        shown = repr(one) + repr(CARD) + one.digest(ATTEMPT, CARD)
    assert KEY not in shown
    assert "test_sk_1" not in shown
