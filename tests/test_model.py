"""Lives computed by hand from the rules: the reference model meets them before it may judge the jobs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from tests.model import Model, Round
from tests.model.example import LONG_AGO, POLICY, TUESDAY, a_town, item
from tests.town import Consent, Contract, Item, Policy, Setting, Town

ANNOUNCED = "notify 12-06T09:00"
CHARGED = "charge 12-07T10:05"


def live(model: Model, *runs: str) -> None:
    """Start the jobs one after the other: `charge 12-07T10:05`, of 2026 unless a year is said."""
    for run in runs:
        job, when = run.split()
        at = datetime.fromisoformat(when if when.startswith("20") else f"2026-{when}")
        getattr(model, job)(at)


def lived(town: Town, *runs: str, policy: Policy = POLICY) -> Model:
    model = Model(town, policy)
    live(model, *runs)
    return model


def only(model: Model) -> Round:
    (round_,) = model.rounds.values()
    return round_


def states(model: Model) -> dict[str, str]:
    """Return the rounds' states by delivery date."""
    return {f"{day:%m-%d}": round_.state for (_, day), round_ in model.rounds.items()}


def sent(model: Model) -> dict[str, str]:
    """Return the messages' states by kind, recipient and channel."""
    return {f"{kind} {to} {by}": each.state for (kind, _, to, by), each in model.messages.items()}


def first_item(model: Model) -> Item:
    return model.town.subscriptions["S-1"].items[0]


@pytest.mark.rule(1, 6, 7, 11)
def test_a_usual_round_is_announced_charged_the_next_day_and_moves_a_week() -> None:
    model = lived(a_town(), ANNOUNCED, CHARGED)
    paid, order = only(model), model.town.orders[0]
    assert (paid.state, paid.announced_on, paid.charge_on) == ("paid", date(2026, 12, 6), date(2026, 12, 7))
    assert (paid.amount_krw, paid.attempts, order.amount) == (13_000, [(1, "approved")], 13_000)
    assert (first_item(model).round_no, first_item(model).delivery_on) == (2, date(2026, 12, 15))
    assert model.town.credits == {"bulk_mail": 8, "sms": 9}


@pytest.mark.rule(1)
def test_an_application_for_tomorrow_is_announced_today_and_charged_on_the_day() -> None:
    model = lived(a_town(), "notify 12-07T09:00", "charge 12-07T10:05")
    assert (only(model).state, only(model).charge_on) == ("due", TUESDAY)
    live(model, "charge 12-08T10:05")
    assert (only(model).state, only(model).charge_until) == ("paid", date(2026, 12, 10))


@pytest.mark.rule(2)
@pytest.mark.parametrize(
    ("woken", "delivered", "following"),
    [
        pytest.param("2027-02-26", date(2027, 2, 28), date(2027, 3, 31), id="in time: the month's last day"),
        pytest.param("2027-03-12", date(2027, 3, 14), date(2027, 3, 31), id="17 days before the next: kept"),
        pytest.param(
            "2027-03-14", date(2027, 3, 16), date(2027, 4, 30), id="15 days before the next: left out"
        ),
    ],
)
def test_a_month_end_late_or_not_goes_on_from_its_anchor(
    woken: str, delivered: date, following: date
) -> None:
    each = replace(item(cycle="1M", start=date(2026, 12, 31)), delivery_on=date(2027, 2, 28))
    model = lived(a_town(each), f"notify {woken}T09:00", f"charge {delivered - timedelta(1)}T10:05")
    assert (only(model).delivery_on, only(model).state) == (delivered, "paid")
    assert first_item(model).delivery_on == following


@pytest.mark.rule(2, 10)
def test_a_month_end_paid_days_late_is_still_followed_by_the_next_month_end() -> None:
    each = replace(item(cycle="1M", start=date(2026, 12, 31)), delivery_on=date(2027, 2, 28))
    town = a_town(each)
    town.cards[1].answer = "soft"
    model = lived(town, "notify 2027-02-26T09:00", "charge 2027-02-27T10:05")
    town.cards[1].answer = "approve"
    live(model, "charge 2027-03-01T17:05")
    assert (only(model).state, each.delivery_on, each.round_no) == ("paid", date(2027, 3, 31), 2)


@pytest.mark.rule(3, 4)
def test_two_cycles_that_meet_make_one_round_with_one_fee_and_each_its_own_step() -> None:
    town = a_town(item(), item(2, "2W", date(2026, 12, 15), 7_000))
    town.settings = [Setting(1, (1, 2), steps={2: 10})]
    model = lived(town, ANNOUNCED, CHARGED, "notify 12-13T09:00", "charge 12-14T10:05")
    assert [round_.amount_krw for round_ in model.rounds.values()] == [13_000, 19_000]
    assert [each.delivery_on for each in town.subscriptions["S-1"].items] == [
        date(2026, 12, 22),
        date(2026, 12, 29),
    ]


@pytest.mark.rule(2)
@pytest.mark.parametrize("runs_before", [(), (ANNOUNCED,)], ids=["unannounced", "announced"])
def test_after_twenty_days_of_silence_one_round_goes_on_at_a_cycle_date(runs_before: tuple[str, ...]) -> None:
    model = lived(a_town(), *runs_before, "charge 12-28T09:00", "notify 12-28T09:05")
    assert states(model) == dict.fromkeys(["12-08"] if runs_before else [], "missed")
    live(model, "notify 2027-01-03T09:00", "charge 2027-01-04T10:05")
    assert [day for (_, day), round_ in model.rounds.items() if round_.state == "paid"] == [date(2027, 1, 5)]
    assert (first_item(model).round_no, first_item(model).delivery_on) == (2, date(2027, 1, 12))


@pytest.mark.rule(2, 7)
def test_without_credit_two_rounds_are_missed_and_the_third_keeps_to_the_cycle() -> None:
    town = a_town()
    town.credits = {"bulk_mail": 0, "sms": 0}
    days = [f"notify 12-{day:02}T09:00" for day in range(6, 14)]
    assert states(lived(town, *days)) == {"12-08": "missed", "12-10": "missed", "12-15": "sealed"}


@pytest.mark.rule(1, 6, 7)
def test_one_sms_credit_a_day_later_announces_and_charges_a_day_later() -> None:
    town = a_town()
    town.credits = {"bulk_mail": 0, "sms": 0}
    model = lived(town, ANNOUNCED)
    town.credits["sms"] = 1
    live(model, CHARGED, "charge 12-08T10:05")
    assert (only(model).state, only(model).announced_on) == ("paid", date(2026, 12, 7))
    assert sent(model) == {
        "payment_notice customer mail": "expired",
        "payment_notice customer sms": "accepted",
        "payment_notice operator mail": "expired",
    }


@pytest.mark.rule(7)
def test_at_night_a_round_is_sealed_but_nothing_is_sent_or_charged_before_eight() -> None:
    model = lived(a_town(), "notify 12-06T21:00")
    assert (only(model).state, set(sent(model).values())) == ("sealed", {"queued"})
    live(model, "charge 12-07T08:00", "charge 12-08T07:59")
    assert (only(model).state, only(model).charge_on) == ("due", TUESDAY)
    live(model, "charge 12-08T08:00")
    assert only(model).state == "paid"


@pytest.mark.rule(10)
def test_a_card_that_declines_six_times_in_three_days_fails_the_round_and_keeps_its_number() -> None:
    town = a_town()
    town.cards[1].answer = "soft"
    slots = [f"charge 12-{day:02}T{hour}:05" for day in (7, 8, 9) for hour in (10, 17)]
    model = lived(town, ANNOUNCED, *slots)
    assert (only(model).state, only(model).attempts) == ("failed", [(1, "soft")] * 6)
    assert (first_item(model).round_no, first_item(model).delivery_on) == (1, date(2026, 12, 15))
    kinds = sorted(kind for kind, *_ in model.messages)
    assert kinds == ["payment_declined"] + ["payment_failed"] * 2 + ["payment_notice"] * 3


@pytest.mark.rule(10)
def test_a_stopped_card_is_not_tried_again_and_the_round_waits_for_a_new_one() -> None:
    town = a_town()
    town.cards[1].answer = "hard"
    model = lived(town, ANNOUNCED, CHARGED, "charge 12-07T17:05")
    town.subscriptions["S-1"].card_id = 2
    live(model, "charge 12-08T10:05")
    assert only(model).attempts == [(1, "hard"), (2, "approved")]


@pytest.mark.rule(9, 10)
def test_the_backup_card_pays_in_the_same_run_and_nobody_hears_of_the_decline() -> None:
    town = a_town()
    town.cards[1].answer, town.subscriptions["S-1"].backup_card_id = "soft", 2
    model = lived(town, ANNOUNCED, CHARGED)
    assert only(model).attempts == [(1, "soft"), (2, "approved")]
    assert {kind for kind, *_ in model.messages} == {"payment_notice"}


@pytest.mark.rule(12)
def test_a_reset_between_notice_and_charge_voids_the_round_and_leaves_no_card() -> None:
    town = a_town()
    model = lived(town, ANNOUNCED)
    town.contracts[0] = Contract(
        1, LONG_AGO, "tosspayments", "terminated", datetime(2026, 12, 6, 15), "changed"
    )
    live(model, "reset 12-07T09:00", CHARGED)
    subscription = town.subscriptions["S-1"]
    assert (only(model).state, only(model).attempts, town.cards) == ("void", [], {})
    assert (subscription.state, subscription.terminated_reason, subscription.card_id) == (
        "C",
        "pg_reset",
        None,
    )
    assert (subscription.items[0].state, town.service_in_use) == ("A", False)
    assert town.credits == {"bulk_mail": 6, "sms": 9}


@pytest.mark.rule(12)
def test_an_old_event_waits_for_its_confirmation_and_spares_what_came_after_it() -> None:
    town = a_town()
    ended = datetime(2026, 11, 20, 15)
    town.contracts = [Contract(1, LONG_AGO, "tosspayments", "terminated", ended, "reset"), Contract(2, ended)]
    town.cards[2].registered_at = datetime(2026, 11, 21, 9)
    model = lived(town, "reset 12-01T09:00")
    assert set(town.cards) == {1, 2}
    model.reset(datetime(2026, 12, 1, 10), confirmed=True)
    assert (set(town.cards), town.subscriptions["S-1"].state) == ({2}, "C")


@pytest.mark.rule(3, 8)
def test_a_round_paused_after_its_notice_is_void_and_taken_up_again_the_day_after() -> None:
    model = lived(a_town(), ANNOUNCED)
    first_item(model).state = "B"
    live(model, CHARGED)
    first_item(model).state = "U"
    live(model, "notify 12-07T13:00")
    assert states(model) == {"12-08": "void", "12-09": "due"}


@pytest.mark.rule(8)
def test_a_partial_cancellation_after_the_notice_is_charged_and_delivered_as_announced() -> None:
    model = lived(a_town(item(), item(2, price=7_000)), ANNOUNCED)
    first_item(model).state = "M"
    live(model, CHARGED)
    assert [line.item_id for line in model.town.orders[0].lines] == [1, 2]
    assert (only(model).amount_krw, first_item(model).delivery_on) == (20_000, TUESDAY)


@pytest.mark.rule(5)
@pytest.mark.parametrize(
    ("agreed_on", "charged"),
    [
        pytest.param(None, 10_000, id="never consented"),
        pytest.param(date(2026, 11, 10), 12_000, id="30 days before the last charge"),
        pytest.param(date(2026, 11, 9), 10_000, id="31 days before the last charge"),
    ],
)
def test_a_higher_price_is_charged_only_with_a_consent_of_thirty_days(
    agreed_on: date | None, charged: int
) -> None:
    each = item()
    town = a_town(each)
    town.products[1].price = 12_000
    if agreed_on:
        each.consents = [Consent(12_000, datetime.combine(agreed_on, datetime.min.time()))]
    assert only(lived(town, ANNOUNCED)).items_amount == charged


@pytest.mark.rule(3)
def test_a_round_with_nothing_left_is_skipped_without_a_word_and_moves_on() -> None:
    town = a_town()
    town.products[1].sold_out = True
    model = lived(town, ANNOUNCED)
    assert (only(model).state, only(model).amount_krw, model.messages) == ("skipped", 0, {})
    assert (first_item(model).round_no, first_item(model).delivery_on) == (1, date(2026, 12, 15))


@pytest.mark.rule(11)
def test_the_last_round_of_a_count_ends_the_application_with_a_mail_to_both() -> None:
    model = lived(a_town(replace(item(), round_no=3, max_rounds=3)), ANNOUNCED, CHARGED)
    subscription = model.town.subscriptions["S-1"]
    assert (first_item(model).state, subscription.state) == ("A", "C")
    assert [key[2] for key in model.messages if key[0] == "auto_cancel"] == ["customer", "operator"]


@pytest.mark.rule(6, 7)
def test_a_notice_refused_everywhere_holds_the_round_and_costs_the_customer_s_credits_nothing() -> None:
    town = a_town()
    town.members["sea"].email, town.refused_numbers = "sea+refuse@example.com", {"01020005678"}
    model = lived(town, ANNOUNCED, CHARGED)
    assert (only(model).state, town.credits) == ("held", {"bulk_mail": 9, "sms": 10})
