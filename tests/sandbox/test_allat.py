"""What the simulated Allat approves, refuses and gives back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lib.sandbox.allat import Allat
from lib.sandbox.allat_book import AllatApproved, AllatCancelled, AllatKeyDeleted
from lib.sandbox.allat_rules import CLASSES, INVENTED, MESSAGES, AllatCard, AllatSwitches
from lib.sandbox.clock import SettableClock
from tests.sandbox.allat import Shop, running

KEY = "FIXKEY1"


@pytest.fixture
def world() -> Iterator[tuple[Allat, Shop, SettableClock]]:
    with running() as made:
        yield made


@pytest.fixture
def pg(world: tuple[Allat, Shop, SettableClock]) -> Allat:
    return world[0]


@pytest.fixture
def shop(world: tuple[Allat, Shop, SettableClock]) -> Shop:
    return world[1]


@pytest.fixture
def clock(world: tuple[Allat, Shop, SettableClock]) -> SettableClock:
    return world[2]


def test_a_good_charge_answers_with_the_payment(shop: Shop) -> None:
    told = shop.charge().lines
    assert (told["reply_cd"], told["order_no"], told["amt"]) == ("0000", "J1AAA01", "19800")
    assert (told["pay_type"], told["reply_msg"], told["sell_mm"]) == ("FIX", "정상", "00")
    assert told["seq_no"]
    assert told["approval_no"]


def test_a_reply_is_what_an_adapter_must_be_ready_for(shop: Shop) -> None:
    told = shop.charge()
    assert (told.status, told.content_type) == (200, "text/html")
    assert (told.lines["save_amt"], told.lines["sandbox_memo"]) == ("", "a=b")
    orders = {tuple(shop.charge(order_no=f"J1AAA1{number}").lines) for number in range(4)}
    assert len(orders) > 1


def test_an_order_number_is_taken_once(shop: Shop, pg: Allat) -> None:
    shop.charge()
    assert shop.charge().code == "0431"
    assert shop.charge(amt="100").code == "0431"
    assert len(pg.approvals()) == 1


def test_a_declined_order_number_is_used_up_too(shop: Shop, pg: Allat) -> None:
    pg.register(AllatCard(KEY, script=("Z305", "approve")))
    assert [shop.charge().code, shop.charge().code] == ["Z305", "0431"]


def test_a_cancelled_order_number_is_not_free_again(shop: Shop) -> None:
    shop.charge()
    shop.cancel()
    assert shop.charge().code == "0431"


def test_keys_and_charges_share_their_order_numbers(shop: Shop, pg: Allat) -> None:
    pg.switches = replace(pg.switches, duplicate_code="1310")
    pg.register(AllatCard(KEY, issue_order_no="J1AAA01"))
    assert shop.charge().code == "1310"
    assert shop.charge(order_no="J1AAA02").code == "0000"


def test_a_card_answers_by_its_script(shop: Shop, pg: Allat) -> None:
    pg.register(AllatCard(KEY, script=("Z305", "Z304", "approve")))
    codes = [shop.charge(order_no=f"J1AAA0{number}").code for number in range(4)]
    assert codes == ["Z305", "Z304", "0000", "0000"]


def test_a_card_can_decline_a_part_of_its_charges(shop: Shop, pg: Allat) -> None:
    pg.register(AllatCard(KEY, decline_rate=0.5, decline_code="Z306", seed=3))
    codes = [shop.charge(order_no=f"J1AAA{number:02d}").code for number in range(30)]
    assert set(codes) == {"0000", "Z306"}


def test_a_key_that_was_never_issued_is_good_or_not_by_a_switch(shop: Shop, pg: Allat) -> None:
    assert shop.charge(card_key="NEVER").code == "0000"
    pg.switches = replace(pg.switches, accept_unknown_keys=False)
    assert shop.charge(card_key="NEVER2", order_no="J1AAA02").code == "Z301"
    assert shop.forget(fix_key="NEVER2").code == "Z301"


def test_a_test_merchant_must_say_so_and_is_answered_0001() -> None:
    with running(AllatSwitches(test=True)) as (_, shop, _clock):
        assert shop.charge().code == "Z103"
        assert shop.charge(test_yn="Y").code == "0001"
        assert shop.cancel(test_yn="Y").code == "0001"
        assert shop.forget(test_yn="Y").code == "0001"


@pytest.mark.parametrize("with_seq_no", [True, False])
def test_a_payment_is_cancelled_with_or_without_its_number(
    shop: Shop, pg: Allat, *, with_seq_no: bool
) -> None:
    seq_no = shop.charge().lines["seq_no"]
    told = shop.cancel(seq_no=seq_no if with_seq_no else None).lines
    assert (told["reply_cd"], told["part_cancel_flag"], told["remain_amt"]) == ("0000", "0", "0")
    assert {"order_no", "seq_no"} & set(told) == set()
    assert [(one.amount, one.cancelled_amount) for one in pg.approvals()] == [(19_800, 19_800)]


def test_a_smaller_amount_is_a_partial_cancel(shop: Shop) -> None:
    shop.charge()
    first, rest = shop.cancel(amt="800").lines, shop.cancel(amt="19000").lines
    assert (first["part_cancel_flag"], first["remain_amt"]) == ("1", "19000")
    assert (rest["part_cancel_flag"], rest["remain_amt"]) == ("1", "0")


def test_nothing_is_cancelled_twice_or_beyond_its_amount(shop: Shop, pg: Allat) -> None:
    shop.charge()
    assert shop.cancel(amt="19801").code == "Z403"
    assert shop.cancel().code == "0000"
    assert shop.cancel().code == "Z402"
    assert pg.approvals()[0].cancelled_amount == 19_800


def test_an_order_that_was_declined_or_never_came_cannot_be_cancelled(shop: Shop, pg: Allat) -> None:
    assert shop.cancel().code == "Z401"
    pg.register(AllatCard(KEY, script=("Z305",)))
    shop.charge()
    assert shop.cancel().code == "Z401"


def test_a_cancel_of_another_payment_number_finds_no_order(shop: Shop) -> None:
    shop.charge()
    assert shop.cancel(seq_no="1").code == "Z401"


def test_a_late_approval_lands_after_a_void_that_came_too_early(
    shop: Shop, pg: Allat, clock: SettableClock
) -> None:
    pg.register(AllatCard(KEY, script=("late",)))
    assert (shop.charge().status, pg.approvals()) == (504, [])
    assert (shop.cancel().code, shop.charge().code) == ("Z401", "0431")
    clock.set(datetime.now(UTC) + timedelta(seconds=601))
    assert [one.amount - one.cancelled_amount for one in pg.approvals()] == [19_800]
    assert shop.cancel().code == "0000"
    assert [one.amount - one.cancelled_amount for one in pg.approvals()] == [0]


def test_a_late_approval_is_dated_when_it_landed(shop: Shop, pg: Allat, clock: SettableClock) -> None:
    pg.register(AllatCard(KEY, script=("late",)))
    shop.charge()
    clock.set(datetime.now(UTC) + timedelta(days=1))
    assert len(pg.approvals()) == 1
    late = pg.book.of(AllatApproved)[0].at - pg.calls()[0].at
    assert timedelta(seconds=599) < late <= timedelta(seconds=600)


def test_a_cancel_can_be_blind_for_a_while(shop: Shop, pg: Allat, clock: SettableClock) -> None:
    pg.switches = replace(pg.switches, cancel_lag_s=60)
    assert (shop.charge().code, len(pg.approvals())) == ("0000", 1)
    assert shop.cancel().code == "Z401"
    clock.set(datetime.now(UTC) + timedelta(seconds=61))
    assert shop.cancel().code == "0000"


def test_a_deleted_key_charges_no_more_and_is_not_deleted_again(shop: Shop) -> None:
    told = shop.forget().lines
    assert (told["reply_cd"], told["fix_key"], len(told["apply_ymd"])) == ("0000", KEY, 8)
    assert (shop.charge().code, shop.forget().code) == ("Z302", "Z302")


def test_a_key_that_is_issued_again_is_good(shop: Shop, pg: Allat) -> None:
    shop.forget()
    pg.register(AllatCard(KEY))
    assert shop.charge().code == "0000"


def test_the_book_tells_what_was_asked_and_what_moved(shop: Shop, pg: Allat) -> None:
    seq_no = shop.charge().lines["seq_no"]
    shop.cancel()
    shop.forget()
    assert [(call.endpoint, call.order_no, call.outcome) for call in pg.calls()] == [
        ("charge", "J1AAA01", "approved"),
        ("cancel", "J1AAA01", "cancelled"),
        ("forget", "", "deleted"),
    ]
    assert [one.seq_no for one in pg.book.of(AllatApproved)] == [seq_no]
    assert [one.amount for one in pg.book.of(AllatCancelled)] == [19_800]
    assert [one.billing_key for one in pg.book.of(AllatKeyDeleted)] == [KEY]
    assert KEY not in repr(list(pg.book))


def test_a_reset_forgets_everything(shop: Shop, pg: Allat) -> None:
    seq_no = shop.charge().lines["seq_no"]
    shop.forget()
    pg.reset()
    assert (pg.approvals(), len(pg.book)) == ([], 0)
    told = shop.charge().lines
    assert told["reply_cd"] == "0000"
    assert told["seq_no"] != seq_no


def test_no_invented_code_can_be_taken_for_one_of_the_vendors() -> None:
    assert all(code[0] == "Z" and len(code) == 4 for code in INVENTED)
    assert not any(code.startswith("Z") for code in MESSAGES)
    assert set(CLASSES) < set(INVENTED)
