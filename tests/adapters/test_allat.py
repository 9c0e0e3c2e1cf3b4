"""What an answer of Allat means for money."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lib.gateways import (
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
from lib.gateways.allat import DUPLICATE
from lib.sandbox.allat_rules import CROSS_KEY
from tests.adapters.allat import (
    APPROVAL,
    APPROVED,
    ATTEMPT,
    CANCELLED,
    CARD,
    KEY,
    LATER,
    gateway,
    lines,
    refusal,
)
from tests.adapters.servers import Act, closed_port, hang_up, http_server, reply, say_and_hang_up, stall


def charge(
    act: Act, codes: dict[str, str] | None = None, *, test: bool = False, attempt: Attempt = ATTEMPT
) -> Outcome:
    with http_server(act) as server, gateway(server.url, codes, test=test) as one:
        return one.charge(attempt, CARD)


def test_a_charge_is_one_form_on_a_connection_of_its_own() -> None:
    with http_server(lines(APPROVED), lines(APPROVED)) as server, gateway(server.url) as one:
        one.charge(ATTEMPT, CARD)
        one.charge(ATTEMPT, CARD)
    first, second = server.requests
    assert (first.method, first.path) == ("POST", "/servlet/AllatPay/pay/approval.jsp")
    assert first.headers["content-type"] == "application/x-www-form-urlencoded"
    assert first.body == second.body
    assert first.headers["connection"] == "close"


def test_an_approval_is_evidence_under_its_order_number() -> None:
    assert charge(lines(APPROVED)) == Approved((APPROVAL,), "response")


def test_the_lines_may_come_in_any_order_with_keys_nobody_knows() -> None:
    shuffled = dict(reversed(APPROVED.items())) | {"sf_card_nm": "x=y", "reply_msg": "a=b"}
    assert charge(lines(shuffled)) == Approved((APPROVAL,), "response")


def test_an_approval_number_that_fits_no_column_is_left_out() -> None:
    outcome = charge(lines(APPROVED | {"approval_no": "승인"}))
    assert outcome == Approved((replace(APPROVAL, approval_no=""),), "response")


@pytest.mark.parametrize(
    "changes",
    [
        {"order_no": "ANOTHER1"},
        {"order_no": ""},
        {"order_no": ATTEMPT.order_no.lower()},
        {"amt": "12901"},
        {"amt": "129"},
        {"amt": ""},
        {"amt": "012900"},
        {"amt": "12,900"},
        {"amt": "12900.0"},
        {"reply_cd": "0"},
        {"reply_cd": "00000"},
        {"reply_cd": "00\x0000"},
        {"reply_cd": ""},
    ],
)
def test_an_approval_that_is_not_ours_to_the_won_is_unknown(changes: dict[str, str]) -> None:
    assert isinstance(charge(lines(APPROVED | changes)), Unknown)


@pytest.mark.parametrize("key", ["reply_cd", "order_no", "amt"])
def test_an_approval_with_a_line_missing_is_unknown(key: str) -> None:
    told = {name: value for name, value in APPROVED.items() if name != key}
    assert isinstance(charge(lines(told)), Unknown)


def test_a_reply_that_is_cut_off_is_unknown() -> None:
    whole = lines(APPROVED)
    for cut in range(0, len(whole) - 1, 7):
        assert isinstance(charge(say_and_hang_up(whole[:cut])), Unknown)


def test_a_reply_without_a_length_counts_only_as_far_as_it_goes() -> None:
    told = b"HTTP/1.0 200 OK\r\n\r\nreply_cd=0000\norder_no=" + ATTEMPT.order_no.encode() + b"\namt=12900\n"
    assert isinstance(charge(say_and_hang_up(told)), Approved)
    assert isinstance(charge(say_and_hang_up(told[:-3])), Unknown)


def test_a_test_approval_is_never_money_in_production() -> None:
    assert isinstance(charge(lines(APPROVED | {"reply_cd": "0001"})), Misconfigured)


def test_a_test_merchant_takes_the_test_code_and_no_other() -> None:
    assert charge(lines(APPROVED | {"reply_cd": "0001"}), test=True) == Approved((APPROVAL,), "response")
    assert isinstance(charge(lines(APPROVED), test=True), Unknown)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Z305", Declined("soft", "Z305", "m")),
        ("Z303", Declined("hard", "Z303", "m")),
        ("Z202", Refused("Z202", "m")),
        ("Z101", Misconfigured("Z101", "m")),
        ("0230", Misconfigured("0230", "m")),
    ],
)
def test_configuration_says_what_a_code_means(code: str, expected: Outcome) -> None:
    assert charge(refusal(code)) == expected


@pytest.mark.parametrize(
    "code", ["0512", "7001", "9999", "0221", "0271", "0299", "0251", "0212", *sorted(DUPLICATE)]
)
def test_a_code_that_nobody_named_is_unknown_until_its_quarantine_is_over(code: str) -> None:
    assert charge(refusal(code)) == Unknown(code, "m", LATER)


@pytest.mark.parametrize("code", ["0212", "0251", "0000", *sorted(DUPLICATE)])
def test_configuration_cannot_make_a_doubt_a_decline(code: str) -> None:
    outcome = charge(refusal(code), {code: "declined-soft"})
    assert isinstance(outcome, Unknown)


def test_configuration_cannot_make_a_test_approval_a_decline() -> None:
    assert isinstance(charge(refusal("0001"), {"0001": "declined-soft"}), Misconfigured)


@pytest.mark.parametrize("status", [201, 302, 400, 404, 500, 502, 504])
@pytest.mark.parametrize("told", [APPROVED, {"reply_cd": "Z305"}, {"reply_cd": "Z101"}])
def test_a_code_counts_only_with_status_200(status: int, told: dict[str, str]) -> None:
    assert isinstance(charge(lines(told, status=status)), Unknown)


@pytest.mark.parametrize("body", [b"", b"<html>reply_cd=0000</html>", b'{"reply_cd": "0000"}', b"0000"])
def test_what_is_no_answer_of_allats_is_unknown(body: bytes) -> None:
    assert isinstance(charge(reply(200, body)), Unknown)


@pytest.mark.parametrize("act", [hang_up, stall])
def test_a_lost_reply_is_unknown_and_not_sent_again(act: Act) -> None:
    with http_server(act, lines(APPROVED)) as server, gateway(server.url) as one:
        outcome = one.charge(ATTEMPT, CARD)
    assert isinstance(outcome, Unknown)
    assert (outcome.code, outcome.not_before, len(server.requests)) == ("LOST", LATER, 1)


def test_a_closed_door_means_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.charge(ATTEMPT, CARD), NotSent)


def test_nothing_leaves_once_another_run_may_be_settling_it() -> None:
    late = replace(ATTEMPT, send_until=datetime.now(UTC) - timedelta(seconds=1))
    with http_server(lines(APPROVED)) as server, gateway(server.url) as one:
        assert isinstance(one.charge(late, CARD), NotSent)
    assert server.requests == []


@pytest.mark.parametrize("key", ["", " ", "k" * 25, "한글", "a b", "a\x03b"])
def test_a_row_without_a_card_key_is_refused_before_anything_is_sent(key: str) -> None:
    with http_server() as server, gateway(server.url) as one:
        assert isinstance(one.charge(ATTEMPT, replace(CARD, billing_key=key)), Refused)
    assert server.requests == []


def test_a_message_is_one_short_line_without_keys_and_cards() -> None:
    told = f"{KEY} {CROSS_KEY} 4330-1234-1234-1234 " + "하" * 300
    outcome = charge(refusal("Z305", told))
    assert outcome == Declined("soft", "Z305", ("*** *** *** " + "하" * 300)[:200])


def test_the_digest_is_that_of_all_that_a_charge_sends() -> None:
    others = [
        replace(ATTEMPT, amount_krw=1),
        replace(ATTEMPT, order_no="J1X01"),
        replace(ATTEMPT, sent_at=ATTEMPT.sent_at + timedelta(seconds=1)),
    ]
    with gateway("https://pg.invalid") as one, gateway("https://other.invalid") as elsewhere:
        digests = {one.digest(each, CARD) for each in [ATTEMPT, *others]}
        digests.add(one.digest(ATTEMPT, replace(CARD, billing_key="another")))
        digests.add(elsewhere.digest(ATTEMPT, CARD))
        assert one.digest(ATTEMPT, CARD) == one.digest(ATTEMPT, CARD)
    assert len(digests) == 6


DELETED = {"reply_cd": "0000", "reply_msg": "정상", "fix_key": KEY, "apply_ymd": "20261201"}


@pytest.mark.parametrize(
    ("acts", "state"),
    [
        ([lines(DELETED)], "done"),
        ([lines(DELETED | {"fix_key": ""})], "done"),
        ([lines(DELETED | {"fix_key": "ANOTHER"})], "unknown"),
        ([refusal("Z302")], "already_gone"),
        ([refusal("0001")], "failed"),
        ([refusal("Z102")], "failed"),
        ([refusal("0512")], "failed"),
        ([reply(200, b"<html>")], "unknown"),
        ([reply(500, b"<html>")] * 3, "unknown"),
        ([hang_up, lines(DELETED)], "done"),
        ([hang_up] * 3, "unknown"),
    ],
)
def test_a_card_key_is_forgotten(acts: list[Act], state: str) -> None:
    with http_server(*acts) as server, gateway(server.url) as one:
        assert one.forget(CARD).state == state
    assert set(server.asked) == {"POST /servlet/AllatPay/pay/fix_cancel.jsp"}
    assert len({request.body for request in server.requests}) == 1


@pytest.mark.parametrize(
    ("key", "state"), [("", "already_gone"), (" ", "already_gone"), ("k" * 25, "failed")]
)
def test_what_is_no_card_key_is_not_asked_for(key: str, state: str) -> None:
    with http_server() as server, gateway(server.url) as one:
        assert one.forget(replace(CARD, billing_key=key)).state == state
    assert server.requests == []


def test_forgetting_says_nothing_of_the_key() -> None:
    with http_server(refusal("0512", f"no {KEY}")) as server, gateway(server.url) as one:
        assert one.forget(CARD).message == "0512 no ***"


def cancel(act: Act) -> Settled:
    with http_server(act) as server, gateway(server.url) as one:
        return one.cancel(APPROVAL, "PG reset")


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lines(CANCELLED), NotCharged("0000", "정상", (replace(APPROVAL, kind="cancel"),))),
        (lines(CANCELLED | {"part_cancel_flag": "1"}), Unknown("0000", "전액 취소가 아님")),
        (lines(CANCELLED | {"remain_amt": "100"}), Unknown("0000", "전액 취소가 아님")),
        (lines(CANCELLED | {"order_no": "ANOTHER1"}), Unknown("0000", "전액 취소가 아님")),
        (refusal("Z203"), Refused("Z203", "m")),
        (refusal("Z305"), Refused("Z305", "m")),
        (refusal("Z102"), Misconfigured("Z102", "m")),
        (refusal("Z401"), Unknown("Z401", "m")),
        (reply(200, b"<html>"), Unknown("HTTP_200", "읽을 수 없는 답")),
        (hang_up, Unknown("LOST", "RemoteDisconnected at 127.0.0.1")),
    ],
)
def test_a_cancel_is_done_only_where_the_pg_says_so(act: Act, expected: Settled) -> None:
    assert cancel(act) == expected


def test_a_cancel_that_never_left_was_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}") as one:
        assert isinstance(one.cancel(APPROVAL, "r"), NotSent)
