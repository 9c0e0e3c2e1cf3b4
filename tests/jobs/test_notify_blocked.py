"""Rule 3: when the matter of a blocked round is closed, and what blocks nothing."""

from __future__ import annotations

from datetime import date

import pytest

from tests.jobs.blocking import S
from tests.jobs.notices import D_MINUS_1, D_MINUS_2, D, notify, open_matters, rounds, the_round
from tests.rig import Rig
from tests.shopkeeper import Flag, Item, mail_switch, open_shop, sms_switch, subscription

pytestmark = pytest.mark.rule(3)


def test_a_date_before_the_first_delivery_belongs_to_the_system_before_us(sqlite_rig: Rig) -> None:
    sqlite_rig.config(shop={"first_delivery": D})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=date(2026, 12, 2))
    notify(sqlite_rig, check=1)
    assert "첫 배송일 이전" in sqlite_rig.ours("SELECT detail FROM matter")[0]["detail"]
    sqlite_rig.shop("UPDATE subscription_item SET expected_delivery_date = '2026-12-03'")
    notify(sqlite_rig)
    assert the_round(sqlite_rig)["delivery_on"] == D


def test_one_item_of_before_the_first_delivery_blocks_its_whole_round(sqlite_rig: Rig) -> None:
    sqlite_rig.config(shop={"first_delivery": D})
    open_shop(sqlite_rig)
    early = Item(product_no=2, delivery_on=date(2026, 11, 30), start_date=D)
    subscription(sqlite_rig, delivery_on=D, items=(Item(), early))
    notify(sqlite_rig, check=1)
    assert (rounds(sqlite_rig), open_matters(sqlite_rig)) == ([], [("blocked", S)])
    sqlite_rig.shop("UPDATE subscription_item SET expected_delivery_date = '2026-12-03'")
    assert notify(sqlite_rig, D_MINUS_1).counts["sealed"] == 1


MAIL, PHONE = "kim@example.com", "010-2000-1234"
REACHED = [
    pytest.param("T", "T", (MAIL, "-"), ("", ""), True, id="mail"),
    pytest.param("T", "T", ("-", PHONE), ("", ""), True, id="phone"),
    pytest.param("T", "T", ("-", "-"), (MAIL, ""), True, id="mail_of_the_member"),
    pytest.param("T", "T", ("-", "-"), ("", PHONE), True, id="phone_of_the_member"),
    pytest.param("T", "F", (MAIL, "-"), ("", ""), True, id="mail_and_only_mail_is_on"),
    pytest.param("T", "F", ("-", PHONE), ("", PHONE), False, id="phone_but_only_mail_is_on"),
    pytest.param("F", "T", ("-", PHONE), ("", ""), True, id="phone_and_only_sms_is_on"),
    pytest.param("F", "T", (MAIL, "-"), (MAIL, ""), False, id="mail_but_only_sms_is_on"),
    pytest.param("F", "F", ("-", "-"), ("", ""), True, id="no_address_but_nothing_is_on"),
    pytest.param("T", "T", ("-", "02-123-4567"), ("kim@", "1588-1234"), False, id="nothing_usable"),
]


@pytest.mark.parametrize(("mail_on", "sms_on", "buyer", "registered", "is_sealed"), REACHED)
def test_a_customer_is_reached_on_a_switched_on_channel_or_the_round_is_blocked(
    sqlite_rig: Rig,
    mail_on: Flag,
    sms_on: Flag,
    buyer: tuple[str, str],
    registered: tuple[str, str],
    is_sealed: bool,
) -> None:
    open_shop(sqlite_rig)
    mail_switch(sqlite_rig, "payment_notice", customer=mail_on)
    sms_switch(sqlite_rig, customer=sms_on)
    subscription(sqlite_rig, delivery_on=D, buyer_email=buyer[0], buyer_cellphone=buyer[1])
    sqlite_rig.shop(
        "UPDATE member SET email = :mail, cellphone = :phone", mail=registered[0], phone=registered[1]
    )
    assert notify(sqlite_rig, check=None).counts["sealed"] == int(is_sealed)
    assert len(open_matters(sqlite_rig)) == int(not is_sealed)


def test_a_phone_is_no_address_where_no_provider_sends_sms(sqlite_rig: Rig) -> None:
    sqlite_rig.config(sms=None)
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, buyer_email="-")
    sqlite_rig.shop("UPDATE member SET email = ''")
    notify(sqlite_rig, check=1)
    assert "안내받을 주소 없음" in sqlite_rig.ours("SELECT detail FROM matter")[0]["detail"]


def test_without_an_address_nothing_is_blocked_where_no_notice_is_required(sqlite_rig: Rig) -> None:
    sqlite_rig.config(policy={"require_notice": "none"})
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D, buyer_email="", buyer_cellphone="")
    sqlite_rig.shop("UPDATE member SET email = '', cellphone = ''")
    notify(sqlite_rig)
    found = the_round(sqlite_rig)
    assert (found["state"], found["announced_on"]) == ("due", date(2026, 12, 1))


OVER = [
    pytest.param("UPDATE subscription SET subscription_state = 'C'", id="cancelled"),
    pytest.param("UPDATE subscription SET subscription_state = 'P'", id="paused"),
    pytest.param("UPDATE subscription_item SET subscription_state = 'M'", id="items_cancelled"),
    pytest.param("UPDATE subscription_item SET expected_delivery_date = '2027-01-15'", id="moved"),
]


@pytest.mark.parametrize("meanwhile", OVER)
@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        ("UPDATE subscription SET card_id = NULL", "blocked"),
        ("UPDATE subscription_item SET quantity = 0", "bad_row"),
    ],
)
def test_the_matter_of_a_subscription_that_is_no_longer_due_is_closed(
    sqlite_rig: Rig, meanwhile: str, spoil: str, kind: str
) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    sqlite_rig.shop(spoil)
    notify(sqlite_rig, check=1)
    assert open_matters(sqlite_rig) == [(kind, S)]
    sqlite_rig.shop(meanwhile)
    notify(sqlite_rig, D_MINUS_1)
    assert open_matters(sqlite_rig) == []


def test_the_matter_of_a_pg_is_closed_when_it_works_again_though_nothing_is_due(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    sqlite_rig.shop("UPDATE pg_contract SET state = 'approved'")
    notify(sqlite_rig, check=1)
    sqlite_rig.shop("UPDATE pg_contract SET state = 'in_use'")
    sqlite_rig.shop("UPDATE subscription_item SET expected_delivery_date = '2027-01-15'")
    notify(sqlite_rig, D_MINUS_1)
    assert open_matters(sqlite_rig) == []


@pytest.mark.parametrize(
    ("spoil", "subject"),
    [
        ("UPDATE subscription SET card_id = NULL", S),
        ("UPDATE pg_contract SET state = 'approved'", "tosspayments"),
    ],
)
def test_a_matter_of_an_announced_round_is_left_to_the_charge(
    sqlite_rig: Rig, spoil: str, subject: str
) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig)
    sqlite_rig.shop(spoil)
    sqlite_rig.run("charge_d1", "--as-of", "2026-12-02T10:00", check=1)
    notify(sqlite_rig, "2026-12-02T11:00")
    assert open_matters(sqlite_rig) == [("blocked", subject)]


def test_a_run_for_one_subscription_closes_no_matter_of_another(sqlite_rig: Rig) -> None:
    open_shop(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D, card_id=None)
    subscription(sqlite_rig, "S-2", delivery_on=D, items=(Item(),))
    notify(sqlite_rig, check=1)
    sqlite_rig.shop("UPDATE subscription SET subscription_state = 'C' WHERE subscription_id = 'S-1'")
    notify(sqlite_rig, D_MINUS_2, "--subscription", "S-2")
    assert open_matters(sqlite_rig) == [("blocked", "S-1")]
