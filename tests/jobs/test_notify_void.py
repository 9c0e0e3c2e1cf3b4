"""A round that was sealed but not announced is over once nobody wants it."""

from __future__ import annotations

import pytest

from tests import shopkeeper
from tests.jobs.notices import D_MINUS_1, D_MINUS_2, D, message_states, notify, the_round
from tests.rig import Rig

pytestmark = pytest.mark.rule(7, 8)

SUBSCRIPTION = "S-20261101-0000001"
UNWANTED = [
    "UPDATE subscription SET subscription_state = 'C'",
    "UPDATE subscription SET subscription_state = 'P'",
    "UPDATE subscription_item SET subscription_state = 'B'",
]


def seal_without_credit(rig: Rig) -> None:
    shopkeeper.open_shop(rig)
    shopkeeper.credits(rig, bulk_mail=0, sms=0)
    shopkeeper.subscription(rig, SUBSCRIPTION, delivery_on=D)
    notify(rig, D_MINUS_2, check=1)
    assert the_round(rig)["state"] == "sealed"


@pytest.mark.parametrize("unwanted", UNWANTED)
def test_a_round_cancelled_or_paused_before_its_notice_is_void_and_tells_nobody(
    any_rig: Rig, unwanted: str
) -> None:
    seal_without_credit(any_rig)
    any_rig.shop(unwanted)
    shopkeeper.credits(any_rig)
    notify(any_rig, D_MINUS_1)
    assert the_round(any_rig)["state"] == "void"
    assert set(message_states(any_rig)) == {"expired"}


def test_a_round_still_wanted_waits_for_its_credit(any_rig: Rig) -> None:
    seal_without_credit(any_rig)
    shopkeeper.credits(any_rig)
    notify(any_rig, D_MINUS_1)
    assert the_round(any_rig)["state"] == "due"


def test_one_row_that_cannot_be_read_keeps_no_other_round_from_its_notice(rig: Rig) -> None:
    seal_without_credit(rig)
    shopkeeper.subscription(rig, "S-20261101-0000002", delivery_on=D, member_id="bada")
    rig.shop(
        "SET STATEMENT sql_mode = '' FOR UPDATE subscription_item SET expected_delivery_date = '0000-00-00' "
        f"WHERE subscription_id = '{SUBSCRIPTION}'"
    )
    shopkeeper.credits(rig)
    notify(rig, D_MINUS_1, check=1)
    found = rig.ours("SELECT state FROM billing_round WHERE subscription_id = 'S-20261101-0000002'")
    matters = rig.ours("SELECT detail FROM matter WHERE kind = 'bad_row'")
    assert found == [{"state": "due"}]
    assert any(SUBSCRIPTION in matter["detail"] for matter in matters)
