"""reset_pg deletes the cards, at the PG and in the shop, whatever the PG answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lib.sandbox import Fault
from tests.jobs.resetting import (
    EVENT,
    card_ids,
    matters,
    pg_changed,
    reset,
    reset_states,
    states,
    subscribed,
    two_pgs,
)
from tests.rig import Rig
from tests.shopkeeper import card

KEY = "bk-never-to-be-told="


def pg_states(rig: Rig) -> list[str]:
    return [row["pg_state"] for row in rig.ours("SELECT pg_state FROM pg_reset_card ORDER BY card_id")]


def test_every_key_is_deleted_at_the_pg_and_every_row_in_the_shop(any_rig: Rig) -> None:
    subscribed(any_rig, 3)
    pg_changed(any_rig)
    done = reset(any_rig)
    deleted = [call.outcome for call in any_rig.sandbox.toss.calls() if call.endpoint == "forget"]
    assert (done.counts["cards_deleted"], done.counts["pg_keys_deleted"]) == (3, 3)
    assert deleted == ["deleted"] * 3
    assert card_ids(any_rig) == []
    assert any_rig.shop("SELECT card_id FROM subscription WHERE card_id IS NOT NULL") == []


def test_a_card_that_no_subscription_uses_goes_too(rig: Rig) -> None:
    subscribed(rig)
    card(rig, "nobody")
    pg_changed(rig)
    assert reset(rig).counts["cards_deleted"] == 2


def test_a_card_registered_at_the_very_moment_goes_and_one_a_second_later_stays(rig: Rig) -> None:
    subscribed(rig, card_id=None)
    card(rig, "then", registered_at=EVENT)
    later = card(rig, "later", registered_at=EVENT + timedelta(seconds=1))
    pg_changed(rig)
    reset(rig)
    assert card_ids(rig) == [later]


def test_cards_of_another_pg_stay(rig: Rig) -> None:
    two_pgs(rig)
    pg_changed(rig)
    reset(rig)
    assert rig.shop("SELECT pg_code FROM card") == [{"pg_code": "nicepay"}]


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault("error", endpoint="forget", status=500), "failed"),
        (Fault("drop", endpoint="forget"), "unknown"),
        (Fault("html", endpoint="forget", status=502), "failed"),
    ],
)
def test_the_rows_go_even_if_the_pg_does_not_confirm(rig: Rig, fault: Fault, state: str) -> None:
    subscribed(rig, card_id=None)
    card_id = card(rig, "haneul", billing_key=KEY)
    rig.sandbox.toss.faults.add(fault)
    pg_changed(rig)
    done = reset(rig, check=1)
    assert done.counts["pg_keys_failed"] == 1
    assert (card_ids(rig), pg_states(rig), reset_states(rig)) == ([], [state], ["done"])
    assert matters(rig) == [("key_left", f"card {card_id}")]


def test_the_report_names_member_and_mask_and_never_the_key(rig: Rig) -> None:
    subscribed(rig, card_id=None)
    card(rig, "haneul", billing_key=KEY, masked_number="4330-12**-****-7777")
    rig.sandbox.toss.faults.add(Fault("error", endpoint="forget"))
    pg_changed(rig)
    done = reset(rig, check=1)
    assert "haneul" in done.stderr
    assert "4330-12**-****-7777" in done.stderr
    everything = done.stdout + done.stderr + repr(rig.ours("SELECT * FROM matter"))
    everything += repr(rig.ours("SELECT * FROM pg_reset_card"))
    assert "never-to-be-told" not in everything


def test_a_key_that_was_deleted_before_counts_as_deleted(rig: Rig) -> None:
    subscribed(rig)
    rig.sandbox.toss.switches = type(rig.sandbox.toss.switches)(accept_unknown_keys=False)
    pg_changed(rig)
    assert reset(rig).counts["pg_keys_deleted"] == 1
    assert pg_states(rig) == ["already_gone"]


def test_a_pg_that_stays_silent_is_not_asked_for_every_key(rig: Rig) -> None:
    subscribed(rig, card_id=None)
    for number in range(40):
        card(rig, f"member{number}")
    rig.config(gateway={"tosspayments": {"workers": 1}})
    rig.sandbox.toss.faults.add(Fault("drop", endpoint="forget"))
    pg_changed(rig)
    assert reset(rig, check=1).counts["pg_keys_failed"] == 40
    assert card_ids(rig) == []


@pytest.mark.parametrize("gateway", [None, {"enabled": False}])
def test_without_its_gateway_the_rows_go_and_the_keys_are_a_persons(
    rig: Rig, gateway: dict[str, object] | None
) -> None:
    subscribed(rig)
    rig.config(gateway={"tosspayments": gateway})
    pg_changed(rig)
    assert reset(rig, check=1).counts["pg_keys_failed"] == 1
    assert (card_ids(rig), states(rig), [kind for kind, _ in matters(rig)]) == (
        [],
        {"S-1": "C"},
        ["key_left"],
    )


def test_what_cannot_be_told_of_is_ended_all_the_same(bare_rig: Rig) -> None:
    bare_rig.home.install()
    subscribed(bare_rig, 2)
    bare_rig.ours("ALTER TABLE message MODIFY address VARCHAR(30) NOT NULL")
    bare_rig.shop(
        "UPDATE subscription SET buyer_email = :mail WHERE subscription_id = 'S-1'",
        mail="a-customer-with-a-rather-long@example.com",
    )
    pg_changed(bare_rig)
    done = reset(bare_rig, check=1)
    assert (states(bare_rig), done.counts["cancelled"]) == ({"S-1": "C", "S-2": "C"}, 2)
    assert matters(bare_rig) == [("bad_row", "S-1")]
    bare_rig.assert_invariants()
