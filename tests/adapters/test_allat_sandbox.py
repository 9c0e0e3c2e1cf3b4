"""The Allat gateway against its simulator: whatever is lost on the way, an order is never paid twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from lib.gateways import (
    Approved,
    Attempt,
    Card,
    Declined,
    Misconfigured,
    NotCharged,
    Refused,
    Settled,
    Unknown,
)
from lib.gateways.allat import Allat
from lib.sandbox.allat import Allat as AllatSimulator
from lib.sandbox.allat_rules import EXPIRED, LIMIT, AllatCard, AllatSwitches
from lib.sandbox.clock import SettableClock
from lib.sandbox.faults import Fault
from tests.adapters.allat import ATTEMPT, CARD, KEY, NOW, gateway, simulator


@dataclass
class Counter:
    """The two of them and the time they share."""

    allat: Allat
    pg: AllatSimulator
    clock: SettableClock

    def charge(self, attempt: Attempt = ATTEMPT, card: Card = CARD) -> Settled:
        return self.allat.charge(attempt, card)

    def settle(self, minutes: float, attempt: Attempt = ATTEMPT) -> Settled:
        """Settle so long after the charge."""
        self.clock.set(NOW + timedelta(minutes=minutes))
        return self.allat.settle(attempt, CARD, replay=lambda: None)

    def money(self) -> list[tuple[str, int]]:
        """Return what the PG holds for every order number that was ever approved."""
        return [(one.order_no, one.amount - one.cancelled_amount) for one in self.pg.approvals()]


def counter(stack: ExitStack, *, test: bool = False) -> Counter:
    clock = SettableClock()
    clock.set(NOW)
    pg = stack.enter_context(simulator(AllatSwitches(test=test), clock))
    return Counter(stack.enter_context(gateway(pg.url, test=test, clock=clock)), pg, clock)


@pytest.fixture
def desk() -> Iterator[Counter]:
    with ExitStack() as stack:
        yield counter(stack)


def test_a_good_card_is_charged(desk: Counter) -> None:
    outcome = desk.charge()
    assert isinstance(outcome, Approved)
    assert outcome.evidence[0].tid == desk.pg.approvals()[0].payment_key
    assert outcome.evidence[0].approval_no
    assert desk.money() == [(ATTEMPT.order_no, 12_900)]


def test_a_test_merchant_is_charged_in_play() -> None:
    with ExitStack() as stack:
        playing = counter(stack, test=True)
        assert isinstance(playing.charge(), Approved)


@pytest.mark.parametrize(("test", "kind"), [(True, Misconfigured), (False, Misconfigured)])
def test_production_and_test_never_mix(*, test: bool, kind: type[Settled]) -> None:
    with simulator(AllatSwitches(test=test)) as pg, gateway(pg.url, test=not test) as one:
        assert isinstance(one.charge(ATTEMPT, CARD), kind)
        assert pg.approvals() == []


@pytest.mark.parametrize(
    ("code", "expected"),
    [(LIMIT, Declined("soft", LIMIT, "한도초과")), (EXPIRED, Declined("hard", EXPIRED, "유효기간 경과"))],
)
def test_a_card_is_declined_by_its_script(desk: Counter, code: str, expected: Declined) -> None:
    desk.pg.register(AllatCard(KEY, script=(code, "approve")))
    assert desk.charge() == expected
    assert isinstance(desk.charge(replace(ATTEMPT, order_no="J1SECOND02")), Approved)
    assert desk.money() == [("J1SECOND02", 12_900)]


def test_a_lost_reply_is_voided_once_the_quarantine_is_over(desk: Counter) -> None:
    desk.pg.faults.add(Fault("drop", "charge", processed=True))
    assert isinstance(desk.charge(), Unknown)
    assert isinstance(desk.settle(14.9), Unknown)
    assert len(desk.pg.calls()) == 1
    assert isinstance(desk.settle(15), NotCharged)
    assert desk.money() == [(ATTEMPT.order_no, 0)]


def test_a_request_that_never_arrived_stays_a_doubt_however_often_it_is_voided(desk: Counter) -> None:
    desk.pg.faults.add(Fault("drop", "charge"))
    desk.charge()
    for minutes in (15, 60, 60 * 23):
        assert isinstance(desk.settle(minutes), Unknown)
    assert desk.money() == []


@pytest.mark.parametrize("lands_after", [16, 200])
def test_an_approval_that_lands_after_a_void_is_taken_back_by_the_next(
    desk: Counter, lands_after: int
) -> None:
    desk.pg.switches = replace(desk.pg.switches, late_s=lands_after * 60)
    desk.pg.register(AllatCard(KEY, script=("late",)))
    assert isinstance(desk.charge(), Unknown)
    assert isinstance(desk.settle(15), Unknown)
    assert desk.money() == []
    assert isinstance(desk.settle(lands_after + 0.1), NotCharged)
    assert desk.money() == [(ATTEMPT.order_no, 0)]


def test_an_approval_that_a_cancel_cannot_see_yet_stays_a_doubt_until_it_can(desk: Counter) -> None:
    desk.pg.switches = replace(desk.pg.switches, cancel_lag_s=1800)
    desk.pg.faults.add(Fault("drop", "charge", processed=True))
    desk.charge()
    assert isinstance(desk.settle(29), Unknown)
    assert isinstance(desk.settle(31), NotCharged)


def test_a_void_whose_answer_was_lost_leaves_the_doubt_to_a_person(desk: Counter) -> None:
    desk.pg.faults.add(
        Fault("drop", "charge", processed=True), Fault("drop", "cancel", processed=True, times=1)
    )
    desk.charge()
    assert isinstance(desk.settle(15), Unknown)
    assert isinstance(desk.settle(30), Unknown)
    assert desk.money() == [(ATTEMPT.order_no, 0)]


def test_a_used_order_number_is_refused_and_tells_nothing(desk: Counter) -> None:
    desk.charge()
    assert isinstance(desk.charge(), Unknown)
    assert desk.money() == [(ATTEMPT.order_no, 12_900)]


@pytest.mark.parametrize(
    "fields", [{"amt": "1"}, {"order_no": "J1OTHER01"}, {"reply_cd": "0001"}, {"reply_cd": "9"}]
)
def test_a_reply_that_was_changed_on_the_way_is_no_approval(desk: Counter, fields: dict[str, str]) -> None:
    desk.pg.faults.add(Fault("alter", "charge", fields=fields))
    assert isinstance(desk.charge(), Unknown | Misconfigured)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", "charge"),
        Fault("truncated", "charge"),
        Fault("empty", "charge", processed=True),
        Fault("html", "charge", processed=True, status=200),
        Fault("error", "charge", processed=True),
        Fault("error", "charge", processed=True, status=200, code="0299"),
        Fault("delay", "charge", processed=True, seconds=1),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_spoilt_reply_is_a_doubt_and_its_money_comes_back(desk: Counter, fault: Fault) -> None:
    desk.pg.faults.add(fault)
    assert isinstance(desk.charge(), Unknown)
    assert isinstance(desk.settle(15), NotCharged)
    assert desk.money() == [(ATTEMPT.order_no, 0)]


def test_a_payment_is_given_back(desk: Counter) -> None:
    approved = desk.charge()
    assert isinstance(approved, Approved)
    assert isinstance(desk.allat.cancel(approved.evidence[0], "고객 요청"), NotCharged)
    assert desk.money() == [(ATTEMPT.order_no, 0)]
    assert isinstance(desk.allat.cancel(approved.evidence[0], "고객 요청"), Unknown)


def test_a_forgotten_key_charges_no_more(desk: Counter) -> None:
    assert desk.allat.forget(CARD).state == "done"
    assert desk.allat.forget(CARD).state == "already_gone"
    assert desk.charge() == Declined("hard", "Z302", "해지된 카드키")


def test_a_key_that_allat_never_issued_is_gone(desk: Counter) -> None:
    desk.pg.switches = replace(desk.pg.switches, accept_unknown_keys=False)
    assert desk.allat.forget(CARD).state == "already_gone"
    assert isinstance(desk.charge(), Declined)


def test_a_lost_answer_to_a_deletion_is_asked_for_again(desk: Counter) -> None:
    desk.pg.faults.add(Fault("drop", "forget", processed=True, times=1))
    assert desk.allat.forget(CARD).state == "already_gone"


def test_a_row_that_allat_refuses_is_held(desk: Counter) -> None:
    desk.pg.faults.add(Fault("error", "charge", status=200, code="Z202"))
    assert isinstance(desk.charge(), Refused)
