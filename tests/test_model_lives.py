"""Random lives of one small shop: what no order of events may do to a round of the reference model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model import Model
from tests.model.example import POLICY, a_town, item
from tests.town import Answer, Item, Town

Event = Callable[[Town], None]
Sealed = dict[tuple[str, date], tuple[int, int]]


def _first(town: Town) -> Item:
    return town.subscriptions["S-1"].items[0]


def _answer(answer: Answer) -> Event:
    return lambda town: setattr(town.cards[1], "answer", answer)


def _state(state: str) -> Event:
    return lambda town: setattr(_first(town), "state", state)


def _later(days: int) -> Event:
    return lambda town: setattr(_first(town), "delivery_on", _first(town).delivery_on + timedelta(days))


def _top_up(town: Town) -> None:
    town.credits["sms"] += 1


def _nothing(_: Town) -> None: ...


EVENTS = (
    *(_nothing, _nothing, _nothing, _top_up),
    *(_answer("approve"), _answer("soft"), _answer("hard")),
    *(_state("B"), _state("U"), _later(1), _later(9)),
)
RUNS = ((), ("notify",), ("charge",), ("notify", "charge"))
days = st.tuples(st.sampled_from(EVENTS), st.sampled_from(RUNS), st.integers(6, 22))


def _sealed(model: Model) -> Sealed:
    return {key: (id(round_), round_.amount_krw) for key, round_ in model.rounds.items()}


def _most_open_rounds_of_an_item(model: Model) -> int:
    is_open = [each for each in model.rounds.values() if each.state in {"sealed", "due", "held"}]
    return max(Counter(line.item_id for each in is_open for line in each.lines).values(), default=0)


@pytest.mark.rule(2, 3, 6, 7, 9)
@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(days, min_size=20, max_size=60))
def test_whatever_happens_a_sealed_round_stays_and_is_charged_once_after_its_notice(
    life: list[tuple[Event, tuple[str, ...], int]],
) -> None:
    town = a_town(item(), item(2, "2W"))
    model, before = Model(town, POLICY), Sealed()
    for number, (event, runs, hour) in enumerate(life):
        event(town)
        for job in runs:
            getattr(model, job)(datetime(2026, 12, 1, hour) + timedelta(number))
        assert before.items() <= _sealed(model).items()
        assert _most_open_rounds_of_an_item(model) <= 1
        assert min(town.credits.values()) >= 0
        before = _sealed(model)
    paid = {key for key, each in model.rounds.items() if each.state == "paid"}
    assert sorted((order.subscription_id, order.delivery_on) for order in town.orders) == sorted(paid)
    for key, each in model.rounds.items():
        assert [answer for _, answer in each.attempts].count("approved") == (key in paid)
        assert not each.attempts or each.announced_on is not None
