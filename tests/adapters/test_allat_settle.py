"""How a doubt about an Allat charge ends, or stays: by a void that was carried out, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from lib.gateways import Card, Misconfigured, NotCharged, NotSent, Settled, Unknown
from lib.gateways.allat import DUPLICATE
from tests.adapters.allat import (
    APPROVAL,
    ATTEMPT,
    CANCELLED,
    CARD,
    KEY,
    LATER,
    NOW,
    gateway,
    lines,
    refusal,
)
from tests.adapters.servers import Act, HttpServer, closed_port, hang_up, http_server, reply, stall

VOIDED = replace(APPROVAL, approval_no="")
EVIDENCE = (VOIDED, replace(VOIDED, kind="cancel"))
A_SECOND = timedelta(seconds=1)


def wanted() -> datetime:
    raise AssertionError("Allat replays nothing, so nobody asks whether a charge is still wanted")


def settle(
    *acts: Act, at: datetime = LATER, card: Card | None = CARD, test: bool = False
) -> tuple[Settled, HttpServer]:
    with http_server(*acts) as server, gateway(server.url, test=test, at=at) as one:
        return one.settle(ATTEMPT, card, replay=wanted), server


@pytest.mark.parametrize("at", [NOW, LATER - A_SECOND, NOW - timedelta(days=1)])
def test_nothing_is_sent_while_the_quarantine_lasts(at: datetime) -> None:
    outcome, server = settle(at=at)
    assert outcome == Unknown("QUARANTINE", "12-01 12:15:00 이후에 주문번호로 취소함", LATER)
    assert server.requests == []


@pytest.mark.parametrize("at", [LATER, LATER + timedelta(hours=23)])
def test_then_the_order_is_voided_by_its_number(at: datetime) -> None:
    outcome, server = settle(lines(CANCELLED), at=at)
    assert server.asked == ["POST /servlet/AllatPay/pay/cancel.jsp"]
    assert outcome == NotCharged("0000", "정상", EVIDENCE)


def test_a_void_that_was_carried_out_nets_to_nothing_in_the_ledger() -> None:
    outcome, _ = settle(lines(CANCELLED))
    assert isinstance(outcome, NotCharged)
    assert [(each.kind, each.amount_krw) for each in outcome.evidence] == [
        ("approve", 12_900),
        ("cancel", 12_900),
    ]


def test_a_late_approval_of_a_voided_attempt_is_the_row_that_the_void_wrote() -> None:
    outcome, _ = settle(lines(CANCELLED))
    assert isinstance(outcome, NotCharged)
    voided = outcome.evidence[0]
    assert (voided.tid, voided.kind, voided.seq) == (APPROVAL.tid, APPROVAL.kind, APPROVAL.seq)


def test_a_void_needs_no_card() -> None:
    assert settle(lines(CANCELLED), card=None)[0] == NotCharged("0000", "정상", EVIDENCE)


@pytest.mark.parametrize("changes", [{"part_cancel_flag": ""}, {"remain_amt": ""}, {"pay_type": ""}])
def test_an_empty_value_speaks_against_nothing(changes: dict[str, str]) -> None:
    assert isinstance(settle(lines(CANCELLED | changes))[0], NotCharged)


@pytest.mark.parametrize(
    "answer",
    [
        refusal("Z401"),
        refusal("Z402"),
        refusal("Z403"),
        refusal("Z202"),
        refusal("Z303"),
        refusal("Z305"),
        refusal("0512"),
        *(refusal(code) for code in sorted(DUPLICATE)),
        lines(CANCELLED | {"part_cancel_flag": "1", "remain_amt": "0"}),
        lines(CANCELLED | {"remain_amt": "100"}),
        lines(CANCELLED | {"order_no": "ANOTHER1"}),
        lines(CANCELLED, status=500),
        lines(CANCELLED, status=404),
        reply(200, b"<html>reply_cd=0000</html>"),
        reply(200, b""),
        hang_up,
        stall,
    ],
)
def test_anything_but_a_whole_void_leaves_the_doubt(answer: Act) -> None:
    outcome, server = settle(answer)
    assert isinstance(outcome, Unknown)
    assert (outcome.not_before, len(server.requests)) == (None, 1)


def test_no_such_order_is_told_and_proves_nothing() -> None:
    assert settle(refusal("Z401", "원거래 없음"))[0] == Unknown("Z401", "원거래 없음")


def test_a_refusal_of_the_account_stops_the_gateway_and_leaves_the_doubt() -> None:
    assert settle(refusal("Z102"))[0] == Misconfigured("Z102", "m")


def test_a_void_that_never_left_was_not_sent() -> None:
    with gateway(f"http://127.0.0.1:{closed_port()}", at=LATER) as one:
        assert isinstance(one.settle(ATTEMPT, CARD, replay=wanted), NotSent)


@pytest.mark.parametrize(("test", "kind"), [(True, NotCharged), (False, Misconfigured)])
def test_a_test_void_ends_the_doubt_of_a_test_merchant_only(*, test: bool, kind: type[Settled]) -> None:
    assert isinstance(settle(lines(CANCELLED | {"reply_cd": "0001"}), test=test)[0], kind)


def test_a_message_names_no_key() -> None:
    outcome, _ = settle(refusal("0512", f"no {KEY}"))
    assert outcome == Unknown("0512", "no ***")
