"""reset_pg deletes the cards, at the PG and in the shop, whatever the PG answers."""

from __future__ import annotations

import pytest

from lib.sandbox import Fault
from tests.jobs.resetting import (
    EVENT,
    OTHER_PG,
    PG,
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
from tests.shopkeeper import card, terminate_contract

pytestmark = pytest.mark.rule(12)

KEY = "bk-never-to-be-told="


def pg_states(rig: Rig) -> list[str]:
    return [row["pg_state"] for row in rig.ours("SELECT pg_state FROM pg_reset_card ORDER BY card_id")]


def times_asked(rig: Rig) -> int:
    return sum(call.endpoint == "forget" for call in rig.sandbox.toss.calls())


def test_every_key_is_deleted_at_the_pg_and_every_row_in_the_shop(any_rig: Rig) -> None:
    subscribed(any_rig, 3)
    pg_changed(any_rig)
    done = reset(any_rig)
    deleted = [call.outcome for call in any_rig.sandbox.toss.calls() if call.endpoint == "forget"]
    assert (done.counts["cards_deleted"], done.counts["pg_keys_deleted"]) == (3, 3)
    assert deleted == ["deleted"] * 3
    assert card_ids(any_rig) == []
    assert any_rig.shop("SELECT card_id FROM subscription WHERE card_id IS NOT NULL") == []


def test_a_card_that_no_subscription_uses_goes_too(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    card(sqlite_rig, "nobody")
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["cards_deleted"] == 2


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault("error", endpoint="forget", status=500), "failed"),
        (Fault("drop", endpoint="forget"), "unknown"),
        (Fault("html", endpoint="forget", status=502), "failed"),
    ],
)
def test_the_rows_go_even_if_the_pg_does_not_confirm(sqlite_rig: Rig, fault: Fault, state: str) -> None:
    subscribed(sqlite_rig, card_id=None)
    card_id = card(sqlite_rig, "haneul", billing_key=KEY)
    sqlite_rig.sandbox.toss.faults.add(fault)
    pg_changed(sqlite_rig)
    done = reset(sqlite_rig, check=1)
    assert done.counts["pg_keys_failed"] == 1
    assert (card_ids(sqlite_rig), pg_states(sqlite_rig), reset_states(sqlite_rig)) == ([], [state], ["done"])
    assert matters(sqlite_rig) == [("key_left", f"card {card_id}")]


def test_the_report_names_member_and_mask_and_never_the_key(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, card_id=None)
    card(sqlite_rig, "haneul", billing_key=KEY, masked_number="4330-12**-****-7777")
    sqlite_rig.sandbox.toss.faults.add(Fault("error", endpoint="forget"))
    pg_changed(sqlite_rig)
    done = reset(sqlite_rig, check=1)
    assert "haneul" in done.stderr
    assert "4330-12**-****-7777" in done.stderr
    everything = done.stdout + done.stderr + repr(sqlite_rig.ours("SELECT * FROM matter"))
    everything += repr(sqlite_rig.ours("SELECT * FROM pg_reset_card"))
    assert "never-to-be-told" not in everything


def test_a_key_that_was_deleted_before_counts_as_deleted(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.sandbox.toss.switches = type(sqlite_rig.sandbox.toss.switches)(accept_unknown_keys=False)
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig).counts["pg_keys_deleted"] == 1
    assert pg_states(sqlite_rig) == ["already_gone"]


def test_a_pg_that_stays_silent_is_not_asked_for_every_key(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, card_id=None)
    for number in range(40):
        card(sqlite_rig, f"member{number}")
    sqlite_rig.sandbox.toss.faults.add(Fault("drop", endpoint="forget"))
    pg_changed(sqlite_rig)
    assert reset(sqlite_rig, check=1).counts["pg_keys_failed"] == 40
    assert (card_ids(sqlite_rig), pg_states(sqlite_rig)) == ([], ["unknown"] * 40)
    assert times_asked(sqlite_rig) < 3 * 40, "each silent key is asked for three times"


@pytest.mark.parametrize(
    "gateway",
    [None, {"enabled": False}, {"secret_key": "test_sk_of_somebody_else"}],
    ids=["not configured", "switched off", "wrong key"],
)
def test_without_its_gateway_the_rows_go_and_the_keys_are_a_persons(
    sqlite_rig: Rig, gateway: dict[str, object] | None
) -> None:
    subscribed(sqlite_rig, 2)
    sqlite_rig.config(gateway={PG: gateway})
    pg_changed(sqlite_rig)
    done = reset(sqlite_rig, check=1)
    assert (done.counts["pg_keys_failed"], done.counts["pg_keys_deleted"]) == (2, 0)
    assert (card_ids(sqlite_rig), set(states(sqlite_rig).values()), reset_states(sqlite_rig)) == (
        [],
        {"C"},
        ["done"],
    )
    assert [kind for kind, _ in matters(sqlite_rig)] == ["key_left", "key_left"]


def test_the_cards_of_a_pg_that_no_configuration_names_go_and_their_keys_are_a_persons(
    sqlite_rig: Rig,
) -> None:
    two_pgs(sqlite_rig)
    left = sqlite_rig.shop("SELECT card_id, masked_number FROM card WHERE pg_code = :pg", pg=OTHER_PG)
    terminate_contract(sqlite_rig, at=EVENT, pg_code=OTHER_PG)
    done = reset(sqlite_rig, check=1)
    assert (done.counts["cards_deleted"], done.counts["pg_keys_failed"]) == (1, 1)
    assert sqlite_rig.shop("SELECT card_id FROM card WHERE pg_code = :pg", pg=OTHER_PG) == []
    assert (states(sqlite_rig), reset_states(sqlite_rig)) == ({"S-1": "U", "S-other": "C"}, ["done"])
    assert matters(sqlite_rig) == [("key_left", f"card {left[0]['card_id']}")]
    assert left[0]["masked_number"] in done.stderr
    assert times_asked(sqlite_rig) == 0


def test_a_matter_about_a_key_is_a_persons_to_close_and_is_not_opened_again(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig)
    sqlite_rig.sandbox.toss.faults.add(Fault("error", endpoint="forget"))
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=1)
    (matter,) = sqlite_rig.ours("SELECT matter_id FROM matter")
    sqlite_rig.run("ops", "report", "--close", str(matter["matter_id"]))
    reset(sqlite_rig, at="2026-12-03T09:00")
    assert (matters(sqlite_rig), times_asked(sqlite_rig)) == ([], 3)


def test_each_card_stays_in_the_proof_with_what_the_pg_said_and_without_its_key(sqlite_rig: Rig) -> None:
    subscribed(sqlite_rig, card_id=None)
    good = card(sqlite_rig, "haneul", billing_key=KEY)
    bad = card(sqlite_rig, "bada", billing_key="bk-bad=")
    sqlite_rig.sandbox.toss.faults.add(Fault("error", endpoint="forget", subject="bk-bad"))
    pg_changed(sqlite_rig)
    reset(sqlite_rig, check=1)
    proof = sqlite_rig.ours("SELECT * FROM pg_reset_card ORDER BY card_id")
    assert [(row["card_id"], row["member_id"], row["pg_state"]) for row in proof] == [
        (good, "haneul", "done"),
        (bad, "bada", "failed"),
    ]
    assert all(row["row_deleted_at"] for row in proof)
    assert sqlite_rig.ours("SELECT counts FROM pg_reset") == [
        {"counts": '{"cards": {"done": 1, "failed": 1}}'}
    ]


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
