"""What a matter says ends it does end it."""

from __future__ import annotations

import pytest

from lib.billing import words
from tests.jobs.charging import DELIVERY, NOTICE_AT, matters
from tests.ops.desk import text
from tests.rig import Rig
from tests.shopkeeper import open_shop, subscription


@pytest.mark.rule(3)
def test_a_round_that_is_ordered_already_goes_on_with_a_new_date_as_its_matter_says(rig: Rig) -> None:
    open_shop(rig)
    given = subscription(rig, "S-1", delivery_on=DELIVERY)
    rig.put(
        "orders",
        order_id="SOMEBODY-1",
        subscription_id=given.subscription_id,
        delivery_date=DELIVERY,
        sequence=1,
        member_id="haneul",
        buyer_name="김하늘",
        receiver_name="박바다",
        receiver_zipcode="06236",
        receiver_address1="서울",
        receiver_cellphone="010-2000-5678",
        items_amount=12_900,
        discount_amount=0,
        shipping_fee=0,
        payment_amount=12_900,
        pg_code="tosspayments",
        paid_at="2026-11-30 10:00:00",
    )
    rig.run("notify_d2", "--as-of", NOTICE_AT, check=1)
    said = text(rig, "report")
    for part in ("배송예정일을 새로 지정", "그 프로그램을 멈추", words.BLOCKED["already_ordered"]):
        assert part in said
    rig.shop("UPDATE subscription_item SET expected_delivery_date = '2027-01-03'")
    again = rig.run("notify_d2", "--as-of", "2027-01-01T09:00")
    assert (again.counts["sealed"], matters(rig)) == (1, [])
