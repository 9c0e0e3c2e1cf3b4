"""`ops settle --message`: a person found out at the provider whether a message left."""

from __future__ import annotations

import pytest

from lib.sandbox.faults import Fault
from tests.jobs.charging import DELIVERY, NOTICE_AT, charge, state, the_round
from tests.ops.desk import WORD, ops
from tests.rig import Rig
from tests.shopkeeper import credits_left, open_shop, sms_switch, subscription

AT = "2026-12-01T10:00"


@pytest.fixture
def unknown(any_rig: Rig) -> Rig:
    """A notice whose mail to the customer may have left: the server went away after the final dot."""
    open_shop(any_rig)
    sms_switch(any_rig, customer="F")
    subscription(any_rig, "S-1", delivery_on=DELIVERY)
    any_rig.config(policy={"resend_unknown_mail": False})
    any_rig.sandbox.smtp.faults.add(Fault("drop", "dot", subject="haneul@"))
    any_rig.run("notify_d2", "--as-of", NOTICE_AT)
    any_rig.sandbox.smtp.faults.clear()
    return any_rig


def _settle(rig: Rig, verb: str, check: int = 0) -> None:
    found = rig.ours("SELECT message_id FROM message WHERE recipient = 'customer'")
    ops(rig, "settle", "--message", str(found[0]["message_id"]), verb, *WORD, "--as-of", AT, check=check)


def _message(rig: Rig) -> str:
    found: str = rig.ours("SELECT state FROM message WHERE recipient = 'customer'")[0]["state"]
    return found


def test_a_message_that_left_announces_its_round(unknown: Rig) -> None:
    _settle(unknown, "--accepted")
    assert (_message(unknown), state(unknown)) == ("accepted", "due")
    assert the_round(unknown)["announced_on"].day == 1
    charge(unknown)
    assert state(unknown) == "paid"


def test_a_message_that_did_not_leave_gives_its_credit_back_and_holds_the_round(unknown: Rig) -> None:
    before = credits_left(unknown)["bulk_mail"]
    _settle(unknown, "--refused", check=1)
    assert (_message(unknown), state(unknown)) == ("refused", "held")
    assert credits_left(unknown)["bulk_mail"] == before + 1


def test_who_said_so_is_kept_with_the_message(unknown: Rig) -> None:
    _settle(unknown, "--accepted")
    (row,) = unknown.ours("SELECT provider_id FROM message WHERE recipient = 'customer'")
    assert row["provider_id"] == "operator 김운영: 상점관리자에서 확인"


def test_a_message_that_is_known_is_left_alone(unknown: Rig) -> None:
    _settle(unknown, "--accepted")
    before = unknown.checksums()
    _settle(unknown, "--refused", check=2)
    assert unknown.checksums() == before
