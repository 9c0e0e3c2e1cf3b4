"""Rule 8: what is changed after the notice counts from the next round; cancelling all of it voids it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pytest

from lib.sandbox import Fault
from tests.homes import Home
from tests.jobs.charging import NOTICE_AT, announced, charge, charges, matters, state
from tests.jobs.street import neighbour, round_of, rounds_of, street
from tests.rig import Rig
from tests.shopkeeper import (
    Item,
    card,
    contract,
    credits,  # noqa: A004 the field's word
    credits_left,
    product,
    terminate_contract,
)

pytestmark = pytest.mark.rule(8, 11)

NEXT_NOTICE = "2027-01-01T09:00"
ITEM = "UPDATE subscription_item SET {} WHERE subscription_id = :name"
SECOND = ITEM + " AND product_no > 100"
WHOLE = "UPDATE subscription SET {} WHERE subscription_id = :name"
ANNOUNCED = [(1, 12_900), (1, 8_000)]
USUAL = "2027-01-03 20900"
ONE = "2027-01-03 12900"

PARTS = {
    "nothing": ("SELECT :name", USUAL),
    "second cancelled by the member": (SECOND.format("subscription_state = 'M'"), ONE),
    "second cancelled by the shop": (SECOND.format("subscription_state = 'O'"), ONE),
    "second ended by itself": (SECOND.format("subscription_state = 'A'"), ONE),
    "second paused by the buyer": (SECOND.format("subscription_state = 'B'"), ONE),
    "second paused by the shop": (SECOND.format("subscription_state = 'Q'"), ONE),
    "second taken out of the shop's tables": (
        "DELETE FROM subscription_item WHERE subscription_id = :name AND product_no > 100",
        ONE,
    ),
    "more pieces": (SECOND.format("quantity = 7"), "2027-01-03 68900"),
    "another option": (
        SECOND.format("option_value = '분쇄', option_price = 500, product_price = 8000"),
        "2027-01-03 20900",
    ),
    "a lower price": ("UPDATE product SET price = 5000 WHERE product_no = :product", "2027-01-03 17900"),
    "a higher price": ("UPDATE product SET price = 99000 WHERE product_no = :product", USUAL),
    "a product no longer sold": ("UPDATE product SET selling = 'F' WHERE product_no = :product", USUAL),
    "a product sold out": ("UPDATE product SET sold_out = 'T' WHERE product_no = :product", ONE),
    "a product deleted": ("DELETE FROM product WHERE product_no = :product", USUAL),
    "a later date": (ITEM.format("expected_delivery_date = '2027-01-20'"), "not yet"),
    "a later date of one": (SECOND.format("expected_delivery_date = '2027-01-20'"), ONE),
    "another cycle": (ITEM.format("subscription_shipments_cycle = '2M'"), "not yet"),
    "free shipping": (ITEM.format("shipping_payment_option = 'F'"), USUAL),
}
"""By name: what is changed after the notice, and date and amount of the round announced on 1 January."""

WHOLES = {
    "cancelled by the member": ITEM.format("subscription_state = 'M'"),
    "ended by itself": ITEM.format("subscription_state = 'A'"),
    "cancelled by the shop": ITEM.format("subscription_state = 'O'"),
    "paused by the buyer": ITEM.format("subscription_state = 'B'"),
    "paused by the shop": ITEM.format("subscription_state = 'Q'"),
    "one cancelled, one paused": ITEM.format(
        "subscription_state = CASE WHEN product_no > 100 THEN 'M' ELSE 'Q' END"
    ),
    "subscription cancelled": WHOLE.format("subscription_state = 'C'"),
    "subscription paused": WHOLE.format("subscription_state = 'P'"),
    "items taken out of the shop's tables": "DELETE FROM subscription_item WHERE subscription_id = :name",
    "subscription taken out": "DELETE FROM subscription WHERE subscription_id = :name",
}
RESUMED = {
    "items resumed in time": (WHOLES["paused by the buyer"], ITEM.format("subscription_state = 'U'")),
    "subscription resumed in time": (WHOLES["subscription paused"], WHOLE.format("subscription_state = 'U'")),
}


@dataclass(frozen=True)
class Lived:
    """This round, what was charged and delivered for it, and the next one."""

    state: str
    charged: list[int]
    delivered: list[tuple[int, int]]
    next_round: str


@pytest.fixture(scope="module")
def lived(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Lived]:
    """Announce, change, charge, and announce again a month later."""
    names = [*PARTS, *WHOLES, *RESUMED]
    keys = {name: f"S-{number}" for number, name in enumerate(names, start=1)}
    with street(shared_pair, tmp_path_factory) as rig:
        product(rig, 1, price=12_900)
        for number, key in enumerate(keys.values(), start=1):
            neighbour(rig, key, items=(Item(), Item(product_no=100 + number, price=8_000)))
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        for name in names:
            _change(rig, keys[name], (PARTS | RESUMED).get(name, (WHOLES.get(name, ""),))[0])
        rig.run("notify_d2", "--as-of", "2026-12-01T15:00")
        for name, (_, resume) in RESUMED.items():
            _change(rig, keys[name], resume)
        charge(rig)
        rig.run("notify_d2", "--as-of", NEXT_NOTICE)
        return {name: _lived(rig, key) for name, key in keys.items()}


def _change(rig: Rig, key: str, change: str) -> None:
    rig.shop(change, name=key, product=100 + int(key.removeprefix("S-")))


def _lived(rig: Rig, key: str) -> Lived:
    first, *rest = rounds_of(rig, key)
    lines = rig.shop(
        "SELECT quantity, amount FROM order_item JOIN orders USING (order_id) "
        "WHERE orders.subscription_id = :key AND delivery_date = '2026-12-03' ORDER BY line_no",
        key=key,
    )
    made = [each for each in rig.sandbox.toss.approvals() if each.billing_key == f"main-of-{key}"]
    return Lived(
        first["state"],
        [approval.amount for approval in made],
        [(line["quantity"], line["amount"]) for line in lines],
        " ".join(f"{row['delivery_on']} {row['amount_krw']}" for row in rest) or "not yet",
    )


@pytest.mark.parametrize("name", [*PARTS, *RESUMED])
def test_the_round_is_charged_and_delivered_as_it_was_announced(lived: dict[str, Lived], name: str) -> None:
    assert (lived[name].state, lived[name].charged) == ("paid", [20_900])
    assert lived[name].delivered == ANNOUNCED


@pytest.mark.parametrize("name", PARTS)
def test_the_change_counts_from_the_next_round(lived: dict[str, Lived], name: str) -> None:
    assert lived[name].next_round == PARTS[name][1]


@pytest.mark.parametrize("name", WHOLES)
def test_cancelling_or_pausing_all_of_it_voids_the_round(lived: dict[str, Lived], name: str) -> None:
    assert (lived[name].state, lived[name].charged, lived[name].delivered) == ("void", [], [])


@pytest.mark.parametrize("name", WHOLES)
def test_what_was_cancelled_or_stays_paused_has_no_next_round(lived: dict[str, Lived], name: str) -> None:
    assert lived[name].next_round == "not yet"


@pytest.mark.parametrize("change", ["cancelled by the member", "subscription paused"])
def test_a_notice_of_a_void_round_that_still_waits_expires_and_gives_its_debit_back(
    rig: Rig, change: str
) -> None:
    rig.sandbox.smtp.faults.add(Fault("error", "rcpt", status=451))
    announced(rig)
    assert credits_left(rig) == {"bulk_mail": 998, "sms": 999}
    rig.shop(WHOLES[change], name="S-1")
    charge(rig)
    assert state(rig) == "void"
    assert credits_left(rig) == {"bulk_mail": 1_000, "sms": 999}
    found = rig.ours("SELECT recipient, channel, state FROM message ORDER BY channel, recipient")
    assert [tuple(row.values()) for row in found] == [
        ("customer", "mail", "expired"),
        ("operator", "mail", "expired"),
        ("customer", "sms", "accepted"),
    ]


def test_a_notice_of_a_void_round_that_waited_for_credit_is_never_sent(rig: Rig) -> None:
    announced(rig)
    rig.ours("UPDATE message SET state = 'no_credit', units = 1 WHERE channel = 'sms'")
    rig.ours("DELETE FROM credit_entry WHERE channel = 'sms'")
    credits(rig, sms=0)
    rig.shop(WHOLES["subscription cancelled"], name="S-1")
    charge(rig)
    credits(rig, sms=10)
    charge(rig, "2026-12-02T11:00")
    assert rig.ours("SELECT state FROM message WHERE channel = 'sms'") == [{"state": "expired"}]


def test_resumed_after_the_round_was_void_it_is_announced_anew_for_the_first_free_day(rig: Rig) -> None:
    announced(rig)
    rig.shop(WHOLES["paused by the buyer"], name="S-1")
    charge(rig)
    rig.shop(ITEM.format("subscription_state = 'U'"), name="S-1")
    rig.run("notify_d2", "--as-of", "2026-12-02T11:00")
    assert str(round_of(rig, "S-1")["delivery_on"]) == "2026-12-04"
    charge(rig, "2026-12-03T10:00")
    assert [row["state"] for row in rounds_of(rig, "S-1")] == ["void", "paid"]


def test_a_round_void_in_the_morning_is_not_charged_though_it_is_resumed_by_noon(rig: Rig) -> None:
    announced(rig)
    rig.shop(WHOLES["subscription paused"], name="S-1")
    charge(rig)
    rig.shop(WHOLE.format("subscription_state = 'U'"), name="S-1")
    charge(rig, "2026-12-02T12:00")
    assert (state(rig), charges(rig)) == ("void", 0)


RECEIVER = {
    "receiver_name": "최구름",
    "receiver_zipcode": "63002",
    "receiver_address1": "제주특별자치도 제주시 1",
    "receiver_address2": "2층",
    "receiver_cellphone": "010-9999-8888",
    "shipping_message": "문 앞에 🌿 놓아 주세요",
}


def test_the_goods_go_where_the_customer_lives_on_the_day_of_the_charge(rig: Rig) -> None:
    announced(rig)
    columns = ", ".join(f"{name} = :{name}" for name in RECEIVER)
    rig.shop(f"UPDATE subscription SET {columns}", **RECEIVER)
    charge(rig)
    assert rig.shop(f"SELECT {', '.join(RECEIVER)} FROM orders") == [RECEIVER]


def test_a_new_address_changes_no_fee_of_a_round_that_is_announced(rig: Rig) -> None:
    announced(rig)
    rig.put("shipping_region_fee", zipcode_from="63000", zipcode_to="63644", extra_fee=3_000)
    rig.shop("UPDATE subscription SET receiver_zipcode = '63002'")
    charge(rig)
    assert rig.shop("SELECT shipping_fee, payment_amount FROM orders") == [
        {"shipping_fee": 0, "payment_amount": 12_900}
    ]


def test_a_card_registered_with_the_next_contract_pays_what_the_ended_one_announced(rig: Rig) -> None:
    announced(rig)
    terminate_contract(rig, at=datetime(2026, 12, 1, 12))
    contract(rig, applied_at=datetime(2026, 12, 1, 13), in_use_at=datetime(2026, 12, 1, 13))
    charge(rig, check=1)
    assert (state(rig), charges(rig), matters(rig)) == ("due", 0, ["blocked"])
    new = card(rig, billing_key="bk-new", registered_at=datetime(2026, 12, 2, 11))
    rig.shop("UPDATE subscription SET card_id = :new", new=new)
    charge(rig, "2026-12-02T12:00")
    assert (state(rig), matters(rig)) == ("paid", [])
    assert [approval.billing_key for approval in rig.sandbox.toss.approvals()] == ["bk-new"]
