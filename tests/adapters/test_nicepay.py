"""What an answer of NICEPAY means for money."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from lib.gateways import (
    Approval,
    Approved,
    Attempt,
    Declined,
    Misconfigured,
    NotSent,
    Outcome,
    Refused,
    Unknown,
)
from lib.gateways.nicepay import UNPROVEN
from lib.gateways.nicepay_codes import CODES, PUBLISHED
from tests.adapters.nicepay import (
    APPROVAL,
    ATTEMPT,
    CANCEL,
    CANCELLED,
    CARD,
    FAILED,
    KEY,
    PAID,
    SECRET,
    cancel_of,
    gateway,
    signed,
)
from tests.adapters.servers import Act, closed_port, hang_up, http_server, reply, stall


def charge(act: Act, codes: dict[str, str] | None = None, attempt: Attempt = ATTEMPT) -> Outcome:
    with http_server(act) as server, gateway(server.url, codes) as one:
        return one.charge(attempt, CARD)


def test_a_charge_is_made_from_attempt_and_card_alone() -> None:
    with http_server(reply(200, PAID)) as server, gateway(server.url) as one:
        one.charge(ATTEMPT, CARD)
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/v1/subscribe/BIKYnictest00m%2F1/payments")
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"client-1:secret-1"
    assert request.headers["content-type"] == "application/json;charset=utf-8"
    assert request.json() == {
        "orderId": ATTEMPT.order_no,
        "amount": 12_900,
        "goodsName": "정기배송 원두",
        "cardQuota": 0,
        "useShopInterest": False,
    }


@pytest.mark.parametrize(
    ("given", "sent"), [("가" * 14, "가" * 13), ("a" * 41, "a" * 40), ("ab" + "가" * 13, "ab" + "가" * 12)]
)
def test_a_name_is_cut_to_forty_bytes_on_the_border_of_a_character(given: str, sent: str) -> None:
    with http_server(reply(200, PAID)) as server, gateway(server.url) as one:
        one.charge(replace(ATTEMPT, order_name=given), CARD)
    content = server.requests[0].json()
    assert isinstance(content, dict)
    assert content["goodsName"] == sent


def test_an_approval_is_evidence() -> None:
    assert charge(reply(200, PAID)) == Approved((APPROVAL,), "response")


def test_signed_evidence_is_what_the_reply_says_not_what_was_asked() -> None:
    outcome = charge(reply(200, signed(orderId="ANOTHER1", amount=500, balanceAmt=500)))
    assert outcome == Approved((Approval(APPROVAL.tid, "ANOTHER1", 500, "00001234"),), "response")


def test_an_approval_cancelled_since_is_evidence_of_both() -> None:
    assert charge(reply(200, CANCELLED)) == Approved((APPROVAL, CANCEL), "response")


@pytest.mark.parametrize(
    "listed", [[cancel_of(900, 1), cancel_of(2000, 2)], [cancel_of(2000, 2), cancel_of(900, 1)]]
)
def test_partial_cancels_are_counted_by_their_time(listed: list[dict[str, Any]]) -> None:
    outcome = charge(reply(200, signed(status="partialCancelled", balanceAmt=10_000, cancels=listed)))
    assert outcome == Approved(
        (APPROVAL, replace(CANCEL, amount_krw=900), replace(CANCEL, amount_krw=2000, seq=1)), "response"
    )


@pytest.mark.parametrize(
    "record",
    [
        PAID | {"signature": None},
        PAID | {"signature": "0" * 64},
        PAID | {"signature": 5},
        PAID | {"amount": 12_901, "balanceAmt": 12_901},
        PAID | {"ediDate": "2026-12-01T12:00:01.000+0900"},
        PAID | {"tid": "nictest00m01012612011200000002"},
        signed(secret="another"),
        signed(status="ready"),
        signed(status="failed"),
        signed(status=None),
        signed(status=["paid"]),
        signed(tid=""),
        signed(tid=None),
        signed(tid="한글"),
        signed(tid="t" * 31),
        signed(orderId=5),
        signed(orderId="J\n1"),
        signed(amount="12900"),
        signed(amount=12900.0),
        signed(amount=True, balanceAmt=True),
        signed(amount=True, balanceAmt=1),
        signed(amount=0, balanceAmt=0, status="cancelled"),
        signed(amount=-1, balanceAmt=-1),
        signed(amount=10**12, balanceAmt=10**12),
        signed(balanceAmt=None),
        signed(balanceAmt=12_000),
        signed(cancels=[cancel_of(900)]),
        signed(cancels="all"),
        signed(cancels=[None]),
        signed(
            cancels=[cancel_of(900) | {"cancelledAt": None}], status="partialCancelled", balanceAmt=12_000
        ),
        signed(status="cancelled"),
        signed(status="cancelled", balanceAmt=0),
        signed(status="partialCancelled", balanceAmt=0, cancels=[cancel_of(12_900)]),
    ],
)
def test_a_success_that_is_not_proven_is_unknown(record: dict[str, object]) -> None:
    assert charge(reply(200, record)) == Unknown("0000", UNPROVEN)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("3095", Declined("soft", "3095", "m")),
        ("3021", Declined("hard", "3021", "m")),
        ("F118", Declined("hard", "F118", "m")),
        ("U115", Declined("hard", "U115", "m")),
        ("U309", Declined("hard", "U309", "m")),
        ("U105", Refused("U105", "m")),
        ("3041", Refused("3041", "m")),
        ("U104", Misconfigured("U104", "m")),
        ("U315", Misconfigured("U315", "m")),
        ("2152", Misconfigured("2152", "m")),
        ("U112", Unknown("U112", "m")),
        ("A127", Unknown("A127", "m")),
        ("U504", Unknown("U504", "m")),
        ("A299", Unknown("A299", "m")),
        ("ZZZZ", Unknown("ZZZZ", "m")),
        ("3001", Unknown("3001", "m")),
    ],
)
def test_a_code_has_its_class(code: str, expected: Outcome) -> None:
    assert charge(reply(200, {"resultCode": code, "resultMsg": "m"})) == expected


def test_a_record_that_failed_is_a_decline_whatever_its_code() -> None:
    assert charge(reply(200, FAILED | {"resultCode": "3999", "resultMsg": "m"})) == Declined(
        "soft", "3999", "m"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": "ANOTHER1"},
        {"status": "paid"},
        {"status": "ready"},
        {"status": {}},
        {"orderId": []},
        {"resultCode": "3999", "tid": None},
        {"resultCode": "3999", "signature": "0" * 64},
        {"resultCode": "2156"},
    ],
)
def test_a_refusal_that_contradicts_itself_or_speaks_of_another_order_is_unknown(
    changes: dict[str, object],
) -> None:
    assert isinstance(charge(reply(200, FAILED | changes)), Unknown)


@pytest.mark.parametrize("status", [201, 202, 302, 400, 404, 405, 408, 429, 500, 502, 504])
@pytest.mark.parametrize("code", ["3095", "U104", "0000"])
def test_a_code_with_a_status_it_is_not_published_with_is_unknown(status: int, code: str) -> None:
    assert isinstance(charge(reply(status, PAID | {"resultCode": code})), Unknown)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"resultCode": "U104", "resultMsg": "m"}, Misconfigured),
        ({"error": "Unauthorized"}, Misconfigured),
        ({"resultCode": "3095", "resultMsg": "m"}, Unknown),
        (b"<html>blocked</html>", Unknown),
    ],
)
def test_an_unknown_caller_is_a_matter_of_the_account(
    status: int, content: object, expected: type[Outcome]
) -> None:
    assert isinstance(charge(reply(status, content)), expected)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 500])
@pytest.mark.parametrize("content", [b"", b"<html>403</html>", b"[]", b'{"resultCode": "00', b"\xff\xfe"])
def test_an_unreadable_answer_is_unknown(status: int, content: bytes) -> None:
    assert isinstance(charge(reply(status, content)), Unknown)


def test_configuration_names_and_overrides_the_class_of_a_code() -> None:
    told = reply(200, {"resultCode": "ZZZZ", "resultMsg": "m"})
    assert charge(told, {"ZZZZ": "declined-hard"}) == Declined("hard", "ZZZZ", "m")
    assert isinstance(charge(reply(200, FAILED), {"3095": "unknown"}), Unknown)


@pytest.mark.parametrize("act", [hang_up, stall])
def test_a_lost_reply_is_unknown_and_not_sent_again(act: Act) -> None:
    with http_server(act, reply(200, PAID)) as server, gateway(server.url) as one:
        assert isinstance(one.charge(ATTEMPT, CARD), Unknown)
    assert len(server.requests) == 1


def test_a_closed_door_means_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.charge(ATTEMPT, CARD), NotSent)


@pytest.mark.parametrize("key", ["", " ", ".", ".."])
def test_a_row_without_a_key_is_refused_before_anything_is_sent(key: str) -> None:
    with http_server() as server, gateway(server.url) as one:
        assert isinstance(one.charge(ATTEMPT, replace(CARD, billing_key=key)), Refused)
        assert one.forget(replace(CARD, billing_key=key)).state == "already_gone"
    assert server.requests == []


def test_a_message_is_one_short_line_without_keys_and_cards() -> None:
    pair = base64.b64encode(f"client-1:{SECRET}".encode()).decode()
    message = f"{KEY}\r\n{SECRET} {pair} 1234-1234-1234-1234 " + "하" * 300
    outcome = charge(reply(200, FAILED | {"resultMsg": message}))
    assert isinstance(outcome, Declined)
    assert outcome.message == ("*** *** *** *** " + "하" * 300)[:200]


def test_a_code_fits_its_column() -> None:
    assert charge(reply(200, {"resultCode": "X" * 500, "resultMsg": None})) == Unknown("X" * 64, "")


def test_no_code_stands_in_two_classes() -> None:
    listed = [code for codes in PUBLISHED.values() for code in codes.split()]
    assert sorted(listed) == sorted(CODES)


def test_nothing_shows_a_key() -> None:
    with gateway("https://pg.invalid") as one:
        shown = repr(one) + repr(CARD) + one.digest(ATTEMPT, CARD)
    assert KEY not in shown
    assert SECRET not in shown
