"""Rules 6 and 7: one accepted message announces a round; only when all are refused for good is it held."""

from __future__ import annotations

from itertools import product

import pytest

from tests.jobs.notices import (
    D_MINUS_1,
    D,
    ledger,
    message_states,
    notify,
    open_matters,
    states,
    the_round,
)
from tests.jobs.outbox import (
    CUSTOMER_MAIL,
    CUSTOMER_SMS,
    KIM,
    LATER,
    LOST_MAIL,
    LOST_SMS,
    PHONE,
    REFUSED,
    only,
    text_is_refused_with,
)
from tests.rig import Rig
from tests.shopkeeper import credits as set_credits
from tests.shopkeeper import member, open_shop, subscription

pytestmark = pytest.mark.rule(6, 7)

FATES = ["accepted", "refused", "queued", "no_credit", "unknown"]
NO_WAY = ["off", "no_address"]
MATRIX = [
    (mail, sms)
    for mail, sms in product([*FATES, *NO_WAY], repeat=2)
    if mail in FATES or sms in FATES  # with no way at all the seal announces, or the round is blocked
]


def sent(rig: Rig, mail: str, sms: str) -> None:
    """Send one notice whose mail and text message meet these fates."""
    open_shop(rig)
    only(rig, *([CUSTOMER_MAIL] if mail != "off" else []), *([CUSTOMER_SMS] if sms != "off" else []))
    set_credits(rig, bulk_mail=0 if mail == "no_credit" else 9, sms=0 if sms == "no_credit" else 9)
    rig.sandbox.smtp.faults.add(*(LOST_MAIL if mail == "unknown" else ()))
    rig.sandbox.solapi.faults.add(*(LOST_SMS if sms == "unknown" else ()))
    text_is_refused_with(rig, {"refused": "1060", "queued": "1024"}.get(sms, ""))
    member(rig, email="", cellphone="")
    address = {"refused": REFUSED, "queued": LATER, "no_address": ""}.get(mail, KIM)
    phone = "" if sms == "no_address" else PHONE
    subscription(rig, delivery_on=D, buyer_email=address, buyer_cellphone=phone)
    notify(rig, check=None)


def expected(fates: list[str]) -> str:
    """Say in rule 6's words what a round comes to."""
    if "accepted" in fates:
        return "due"
    return "held" if set(fates) == {"refused"} else "sealed"


@pytest.mark.parametrize(("mail", "sms"), MATRIX)
def test_a_round_is_what_its_two_messages_make_of_it(sqlite_rig: Rig, mail: str, sms: str) -> None:
    sent(sqlite_rig, mail, sms)
    fates = {way: fate for way, fate in ((CUSTOMER_MAIL, mail), (CUSTOMER_SMS, sms)) if fate in FATES}
    assert states(sqlite_rig) == fates
    found = the_round(sqlite_rig)
    assert found["state"] == expected(list(fates.values()))
    assert (found["announced_on"] is not None) == (found["state"] == "due")


@pytest.mark.parametrize(
    ("mail", "sms"),
    [("refused", "queued"), ("queued", "refused"), ("queued", "queued"), ("refused", "unknown")],
)
def test_the_second_message_announces_when_it_is_accepted_later(rig: Rig, mail: str, sms: str) -> None:
    sent(rig, mail, sms)
    rig.sandbox.solapi.faults.clear()
    if mail == "refused":
        text_is_refused_with(rig, "")
    else:
        rig.ours("UPDATE message SET address = :address WHERE channel = 'mail'", address=KIM)
    notify(rig, "2026-12-01T10:00", check=None)
    notify(rig, "2026-12-01T10:15")
    assert "accepted" in message_states(rig)
    assert the_round(rig)["state"] == "due"


@pytest.mark.parametrize("sms", ["queued", "no_credit"])
def test_the_second_refusal_holds_the_round_when_it_comes_later(rig: Rig, sms: str) -> None:
    sent(rig, "refused", sms)
    assert the_round(rig)["state"] == "sealed"
    set_credits(rig)
    text_is_refused_with(rig, "1060")
    notify(rig, "2026-12-01T10:00", check=1)
    found = the_round(rig)
    assert (message_states(rig), found["state"]) == (["refused"] * 2, "held")
    assert ("held", f"round {found['round_id']}") in open_matters(rig)


@pytest.mark.parametrize("mail", ["queued", "no_credit"])
def test_a_refused_text_does_not_hold_a_round_whose_mail_still_waits(rig: Rig, mail: str) -> None:
    sent(rig, mail, "refused")
    set_credits(rig)
    rig.ours("UPDATE message SET address = :address WHERE channel = 'mail'", address=REFUSED)
    notify(rig, "2026-12-01T10:00", check=1)
    assert the_round(rig)["state"] == "held"


def test_a_round_whose_one_message_is_refused_and_whose_other_expires_is_missed(rig: Rig) -> None:
    sent(rig, "refused", "no_credit")
    ended = notify(rig, "2026-12-03T08:00", check=1)
    first = rig.ours("SELECT state FROM billing_round ORDER BY round_id")[0]
    assert (first["state"], ended.counts["missed"]) == ("missed", 1)
    assert message_states(rig)[:2] == ["refused", "expired"]


def test_a_held_round_is_told_to_nobody_again(rig: Rig) -> None:
    sent(rig, "refused", "refused")
    set_credits(rig)
    text_is_refused_with(rig, "")
    notify(rig, D_MINUS_1)
    assert (message_states(rig), the_round(rig)["state"]) == (["refused"] * 2, "held")


def test_a_second_accepted_message_does_not_announce_again(rig: Rig) -> None:
    sent(rig, "no_credit", "accepted")
    before = the_round(rig)
    set_credits(rig)
    notify(rig, "2026-12-01T20:00")
    assert (the_round(rig), len(ledger(rig))) == (before, 2)
