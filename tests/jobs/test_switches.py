"""Rule 6: who is told of what is the shop's choice, and what a notice that nobody is told of means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import product

import pytest

from lib.sandbox import Card
from tests.jobs import charging, resetting
from tests.jobs.notices import (
    D_MINUS_1,
    D_MINUS_2,
    D,
    message_states,
    notify,
    open_matters,
    rounds,
    states,
    texts_sent,
    the_round,
)
from tests.jobs.outbox import (
    CUSTOMER_MAIL,
    CUSTOMER_SMS,
    OPERATOR_MAIL,
    REFUSED,
    only,
    states_of,
)
from tests.rig import Rig
from tests.shopkeeper import (
    Flag,
    Item,
    card,
    credits_left,
    mail_switch,
    member,
    open_shop,
    sms_switch,
    subscription,
)
from tests.shopkeeper import credits as set_credits

pytestmark = pytest.mark.rule(6)

MailRow = tuple[Flag, Flag] | None
"""Whether customer and operator are mailed; None: the shop has no row of this type."""
CHARGE = "2026-12-02T10:00"


def switch(rig: Rig, kind: str, mail: MailRow, sms: Flag | None) -> None:
    if mail:
        mail_switch(rig, kind, *mail)
    if sms:
        sms_switch(rig, kind, sms)


def a_notice(rig: Rig, mail: MailRow, sms: Flag | None) -> None:
    open_shop(rig)
    switch(rig, "payment_notice", mail, sms)
    subscription(rig, delivery_on=D)
    notify(rig)


def a_decline(rig: Rig, mail: MailRow, sms: Flag | None) -> None:
    charging.announced(rig, charging.SOFT)
    switch(rig, "payment_declined", mail, sms)
    charging.charge(rig)


def a_failure(rig: Rig, mail: MailRow, sms: Flag | None) -> None:
    rig.config(policy={"retry_days": 1, "retry_times": ["09:00"]})
    charging.announced(rig, charging.SOFT)
    switch(rig, "payment_failed", mail, sms)
    charging.charge(rig)


def a_reset(rig: Rig, mail: MailRow, sms: Flag | None) -> None:
    resetting.subscribed(rig)
    switch(rig, "auto_cancel", mail, sms)
    resetting.pg_changed(rig)
    resetting.reset(rig)


def the_last_round(rig: Rig, mail: MailRow, sms: Flag | None) -> None:
    charging.announced(rig, items=(Item(max_rounds=1),))
    switch(rig, "auto_cancel", mail, sms)
    charging.charge(rig)


Happening = Callable[[Rig, MailRow, Flag | None], None]
HAPPENINGS: dict[str, tuple[str, Happening]] = {
    "notice": ("payment_notice", a_notice),
    "decline": ("payment_declined", a_decline),
    "failure": ("payment_failed", a_failure),
    "reset": ("auto_cancel", a_reset),
    "last_round": ("auto_cancel", the_last_round),
}
MAIL_ROWS: list[MailRow] = [None, ("T", "T"), ("T", "F"), ("F", "T"), ("F", "F")]
SMS_ROWS: list[Flag | None] = [None, "T", "F"]
MATRIX = [
    pytest.param(name, mail, sms, id=f"{name}-mail_{''.join(mail or ('unset',))}-sms_{sms or 'unset'}")
    for name, mail, sms in product(HAPPENINGS, MAIL_ROWS, SMS_ROWS)
    if name == "notice" or sms == "T"
]


@pytest.mark.parametrize(("name", "mail", "sms"), MATRIX)
def test_each_way_of_each_kind_has_its_own_switch_and_is_on_without_one(
    sqlite_rig: Rig, name: str, mail: MailRow, sms: Flag | None
) -> None:
    kind, happens = HAPPENINGS[name]
    happens(sqlite_rig, mail, sms)
    to_customer, to_operator = mail or ("T", "T")
    ways = {
        CUSTOMER_MAIL: to_customer == "T",
        OPERATOR_MAIL: to_operator == "T" and kind != "payment_declined",
        CUSTOMER_SMS: sms != "F" and kind == "payment_notice",
    }
    assert states_of(sqlite_rig, kind) == {way: "accepted" for way, is_on in ways.items() if is_on}


def test_a_switch_of_one_kind_says_nothing_of_another(rig: Rig) -> None:
    open_shop(rig)
    for kind in ("payment_declined", "payment_failed", "auto_cancel"):
        switch(rig, kind, ("F", "F"), "F")
    subscription(rig, delivery_on=D)
    notify(rig)
    assert set(states(rig)) == {CUSTOMER_MAIL, CUSTOMER_SMS, OPERATOR_MAIL}


def mail_off_sms_off(rig: Rig) -> None:
    open_shop(rig)
    only(rig, OPERATOR_MAIL)


def mail_off_and_no_sms_provider(rig: Rig) -> None:
    rig.config(sms=None)
    open_shop(rig)
    mail_switch(rig, "payment_notice", customer="F")


def no_notice_required(rig: Rig) -> None:
    rig.config(policy={"require_notice": "none"})
    open_shop(rig)


UNANNOUNCED = [mail_off_sms_off, mail_off_and_no_sms_provider, no_notice_required]


@pytest.mark.parametrize("opens", UNANNOUNCED)
@pytest.mark.parametrize(
    ("sealed_at", "announced_on", "charge_on"),
    [
        ("2026-12-01T22:00", date(2026, 12, 1), date(2026, 12, 2)),
        ("2026-12-02T09:00", date(2026, 12, 2), date(2026, 12, 3)),
    ],
)
def test_where_no_notice_is_required_the_seal_announces(
    sqlite_rig: Rig, opens: Callable[[Rig], None], sealed_at: str, announced_on: date, charge_on: date
) -> None:
    opens(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig, sealed_at)
    found = the_round(sqlite_rig)
    assert (found["state"], found["announced_on"], found["charge_on"]) == ("due", announced_on, charge_on)


@pytest.mark.parametrize("opens", UNANNOUNCED)
def test_where_no_notice_is_required_the_next_day_charges(rig: Rig, opens: Callable[[Rig], None]) -> None:
    opens(rig)
    rig.sandbox.toss.register(Card(charging.MAIN))
    member(rig)
    main = card(rig, billing_key=charging.MAIN)
    subscription(rig, delivery_on=D, card_id=main)
    notify(rig)
    charging.charge(rig)
    assert the_round(rig)["state"] == "paid"


@pytest.mark.parametrize("opens", [mail_off_sms_off, mail_off_and_no_sms_provider])
def test_with_every_way_to_customers_off_only_the_operator_is_told(
    sqlite_rig: Rig, opens: Callable[[Rig], None]
) -> None:
    opens(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig)
    assert (states(sqlite_rig), texts_sent(sqlite_rig)) == ({OPERATOR_MAIL: "accepted"}, [])


def test_a_notice_that_is_not_required_is_sent_all_the_same(sqlite_rig: Rig) -> None:
    no_notice_required(sqlite_rig)
    subscription(sqlite_rig, delivery_on=D)
    assert notify(sqlite_rig).counts["messages_accepted"] == 3
    assert credits_left(sqlite_rig) == {"bulk_mail": 998, "sms": 999}


def test_a_notice_that_is_not_required_may_be_refused_and_holds_nothing(sqlite_rig: Rig) -> None:
    no_notice_required(sqlite_rig)
    only(sqlite_rig, CUSTOMER_MAIL)
    subscription(sqlite_rig, delivery_on=D, buyer_email=REFUSED)
    notify(sqlite_rig)
    assert (message_states(sqlite_rig), the_round(sqlite_rig)["state"]) == (["refused"], "due")


def test_a_notice_that_is_not_required_and_has_no_credit_expires_on_the_day_of_the_charge(
    sqlite_rig: Rig,
) -> None:
    no_notice_required(sqlite_rig)
    set_credits(sqlite_rig, bulk_mail=0, sms=0)
    subscription(sqlite_rig, delivery_on=D)
    notify(sqlite_rig, check=1)
    set_credits(sqlite_rig)
    notify(sqlite_rig, D_MINUS_1)
    assert (set(message_states(sqlite_rig)), the_round(sqlite_rig)["charge_on"]) == (
        {"expired"},
        date(2026, 12, 2),
    )


@pytest.mark.parametrize("opens", UNANNOUNCED)
def test_where_no_notice_is_required_a_customer_needs_no_address(
    sqlite_rig: Rig, opens: Callable[[Rig], None]
) -> None:
    opens(sqlite_rig)
    member(sqlite_rig, email="", cellphone="")
    subscription(sqlite_rig, delivery_on=D, buyer_email="", buyer_cellphone="")
    notify(sqlite_rig)
    assert (the_round(sqlite_rig)["state"], states(sqlite_rig)) == ("due", {OPERATOR_MAIL: "accepted"})


@pytest.mark.parametrize(
    ("ways", "has_sms", "mail", "phone"),
    [
        pytest.param((CUSTOMER_SMS,), True, "kim@example.com", "", id="text_on_and_only_a_mail_address"),
        pytest.param((CUSTOMER_MAIL,), True, "", "010-1111-2222", id="mail_on_and_only_a_number"),
        pytest.param((CUSTOMER_MAIL,), True, "kim@", "", id="mail_on_and_an_unusable_address"),
        pytest.param((CUSTOMER_SMS,), True, "", "02-123-4567", id="text_on_and_a_landline"),
        pytest.param((CUSTOMER_MAIL, CUSTOMER_SMS), False, "", "010-1111-2222", id="no_provider_of_texts"),
    ],
)
def test_an_address_on_a_way_that_is_off_reaches_nobody(
    sqlite_rig: Rig, ways: tuple[str, ...], has_sms: bool, mail: str, phone: str
) -> None:
    if not has_sms:
        sqlite_rig.config(sms=None)
    open_shop(sqlite_rig)
    only(sqlite_rig, *ways)
    member(sqlite_rig, email="", cellphone="")
    given = subscription(sqlite_rig, delivery_on=D, buyer_email=mail, buyer_cellphone=phone)
    notify(sqlite_rig, check=1)
    assert (rounds(sqlite_rig), open_matters(sqlite_rig)) == ([], [("blocked", given.subscription_id)])


def test_what_is_switched_on_later_tells_of_later_rounds_only(sqlite_rig: Rig) -> None:
    mail_off_sms_off(sqlite_rig)
    subscription(sqlite_rig, "S-1", delivery_on=D)
    notify(sqlite_rig, D_MINUS_2)
    sqlite_rig.shop("DELETE FROM automail_setting")
    notify(sqlite_rig, CHARGE)
    assert states(sqlite_rig) == {OPERATOR_MAIL: "accepted"}
    subscription(sqlite_rig, "S-2", delivery_on=date(2026, 12, 4))
    notify(sqlite_rig, "2026-12-02T11:00")
    rows = sqlite_rig.ours("SELECT recipient FROM message WHERE subscription_id = 'S-2' ORDER BY recipient")
    assert [row["recipient"] for row in rows] == ["customer", "operator"]
