"""Rule 14 at the charge: whatever stands in the shop's rows, the others are charged and it is told once."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.homes import Home
from tests.jobs.charging import NOTICE_AT, charge
from tests.jobs.notices import open_matters
from tests.jobs.street import neighbour, round_of, street
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop

pytestmark = pytest.mark.rule(14)

LENIENT = "SET STATEMENT sql_mode = '' FOR "
ITEM = "UPDATE subscription_item SET {} WHERE subscription_id = :name"
WHOLE = "UPDATE subscription SET {} WHERE subscription_id = :name"
CARD = "UPDATE card SET {} WHERE member_id = :name"
GOOD = "good"
STRANGE = "에티오피아\x00 🌿 \u200b예가체프\r\nBcc: a@example.com"


@dataclass(frozen=True)
class Case:
    """What is done to a row after the notice, how the round stands then, and what is told."""

    change: str
    state: str
    told: str = ""


CASES = {
    "start date of zeros": Case(LENIENT + ITEM.format("start_date = '0000-00-00'"), "due", "bad_row"),
    "delivery date of zeros": Case(
        LENIENT + ITEM.format("expected_delivery_date = '0000-00-00'"), "due", "bad_row"
    ),
    "application date of zeros": Case(
        LENIENT + WHOLE.format("created_date = '0000-00-00'"), "due", "bad_row"
    ),
    "card date of zeros": Case(LENIENT + CARD.format("registered_at = '0000-00-00'"), "due", "bad_row"),
    "unknown cycle": Case(ITEM.format("subscription_shipments_cycle = '9X'"), "paid", "bad_row"),
    "no cycle": Case(ITEM.format("subscription_shipments_cycle = ''"), "paid", "bad_row"),
    "no billing key": Case(CARD.format("billing_key = ' '"), "held", "held"),
    "no member": Case("DELETE FROM member WHERE member_id = :name", "due", "blocked"),
    "no card": Case("DELETE FROM card WHERE member_id = :name", "due", "blocked"),
    "no product": Case("DELETE FROM product WHERE :name <> ''", "paid"),
    "no pieces": Case(ITEM.format("quantity = 0"), "paid"),
    "a price below zero": Case(ITEM.format("product_price = -1"), "paid"),
    "round zero": Case(ITEM.format("subscription_shipments_sequence = 0"), "paid"),
    "a limit below zero": Case(ITEM.format("max_delivery_limit = -1"), "paid"),
    "a zip code of words": Case(WHOLE.format("receiver_zipcode = '우편번호 없음'"), "paid"),
    "strange names": Case(WHOLE.format(f"receiver_name = '{STRANGE}', buyer_name = '{STRANGE}'"), "paid"),
    "no names": Case(WHOLE.format("receiver_name = '', buyer_name = ''"), "paid"),
    "a start date at the end of time": Case(ITEM.format("start_date = '9999-12-31'"), "paid"),
    "a start date before all time": Case(ITEM.format("start_date = '1000-01-01'"), "paid"),
    "a delivery date at the end of time": Case(ITEM.format("expected_delivery_date = '9999-12-31'"), "paid"),
}


@dataclass(frozen=True)
class Told:
    """Exit codes of the runs, what is open after each, and how every round stands after the first."""

    codes: list[int]
    matters: list[list[tuple[str, str]]]
    states: dict[str, str]
    orders: int


@pytest.fixture(scope="module")
def story(shared_pair: Home, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Charge a shop full of bad rows, and run everything once more."""
    keys = {name: f"S-{number}" for number, name in enumerate(CASES)} | {GOOD: GOOD}
    with street(shared_pair, tmp_path_factory) as rig:
        for key in keys.values():
            neighbour(rig, key, items=(Item(name=STRANGE if key == "S-15" else "커피"),))
        rig.run("notify_d2", "--as-of", NOTICE_AT)
        for name, case in CASES.items():
            rig.shop(case.change, name=keys[name])
        ended = [charge(rig, check=None)]
        states = {name: round_of(rig, key)["state"] for name, key in keys.items()}
        open_matters = [_matters(rig)]
        for job, at in (("notify_d2", "10:30"), ("charge_d1", "11:00")):
            ended.append(rig.run(job, "--as-of", f"2026-12-02T{at}", check=None))
            open_matters.append(_matters(rig))
        orders = len(rig.shop("SELECT order_id FROM orders"))
        return Told([one.exit_code for one in ended], open_matters, states, orders)


def _matters(rig: Rig) -> list[tuple[str, str]]:
    """Return kind and subscription of every open matter."""
    rounds = rig.ours("SELECT round_id, subscription_id FROM billing_round")
    of_round: dict[str, str] = {f"round {row['round_id']}": row["subscription_id"] for row in rounds}
    found = open_matters(rig)
    return sorted((kind, of_round.get(subject, subject)) for kind, subject in found)


@pytest.mark.parametrize("name", [*CASES, GOOD])
def test_a_bad_row_stops_its_own_round_at_most(story: Told, name: str) -> None:
    expected = CASES[name].state if name in CASES else "paid"
    assert story.states[name] == expected


def test_each_bad_row_is_told_under_its_name(story: Told) -> None:
    expected = [(case.told, f"S-{number}") for number, case in enumerate(CASES.values()) if case.told]
    assert story.matters[0] == sorted(expected)


def test_a_bad_row_is_told_by_one_run_and_no_other_while_it_lasts(story: Told) -> None:
    assert story.codes == [1, 0, 0]
    assert story.matters == [story.matters[0]] * 3


def test_what_could_be_written_is_written(story: Told) -> None:
    unwritten = {"unknown cycle", "no cycle"}
    assert story.orders == sum(case.state == "paid" for case in CASES.values()) - len(unwritten) + 1


def test_a_corrected_row_is_charged_by_the_next_run_and_told_no_more(rig: Rig) -> None:
    open_shop(rig)
    neighbour(rig, "S-1")
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    rig.shop(LENIENT + ITEM.format("start_date = '0000-00-00'"), name="S-1")
    charge(rig, check=1)
    rig.shop(ITEM.format("start_date = '2026-12-03'"), name="S-1")
    charge(rig, "2026-12-02T10:05")
    assert (round_of(rig, "S-1")["state"], _matters(rig)) == ("paid", [])


def test_a_round_that_stayed_unreadable_to_its_end_is_over_once_it_can_be_read(rig: Rig) -> None:
    open_shop(rig)
    neighbour(rig, "S-1")
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    rig.shop(LENIENT + ITEM.format("start_date = '0000-00-00'"), name="S-1")
    charge(rig, check=1)
    charge(rig, "2026-12-06T10:00")
    rig.shop(ITEM.format("start_date = '2026-12-03'"), name="S-1")
    charge(rig, "2026-12-06T10:05", check=1)
    assert (round_of(rig, "S-1")["state"], _matters(rig)) == ("missed", [("missed", "S-1")])
