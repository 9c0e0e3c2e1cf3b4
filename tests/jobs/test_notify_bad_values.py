"""Rule 14 at the notice: whatever stands in the shop's rows, the others are announced and it is told once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.homes import Home, make_file
from tests.jobs.notices import D_MINUS_2, open_matters
from tests.jobs.street import neighbour, rounds_of, street
from tests.rig import Rig
from tests.shopkeeper import Item, open_shop, region_fee, setting

pytestmark = pytest.mark.rule(14)

ITEM = "UPDATE subscription_item SET {} WHERE subscription_id = :name"
WHOLE = "UPDATE subscription SET {} WHERE subscription_id = :name"
PRODUCT = "UPDATE product SET {} WHERE product_no = :product"
STEP = (
    "INSERT INTO subscription_setting_discount (subscription_no, delivery_cycle, discount_amount) "
    "VALUES (:product, {}, {})"
)
MOST = 2_147_483_647
GOOD = "good"
STRANGE = "에티오피아 \u200b🌿예가체프\t\x7f"

BAD = {
    "unknown cycle": ITEM.format("subscription_shipments_cycle = '7D'"),
    "no cycle": ITEM.format("subscription_shipments_cycle = ''"),
    "no pieces": ITEM.format("quantity = 0"),
    "pieces below zero": ITEM.format("quantity = -1"),
    "applied price below zero": ITEM.format("product_price = -1"),
    "price now below zero": PRODUCT.format("price = -1"),
    "option price far below zero": ITEM.format("option_price = -99999"),
    "round zero": ITEM.format("subscription_shipments_sequence = 0"),
    "round below zero": ITEM.format("subscription_shipments_sequence = -3"),
    "a huge sum": ITEM.format(f"quantity = {MOST}"),
    "a sum beyond every number": ITEM.format(f"quantity = {MOST}, product_price = {MOST}"),
    "discount below zero": STEP.format(1, -10),
    "discount of more than all": STEP.format(1, 120),
}
FINE = {
    "the whole price off": STEP.format(1, 100),
    "more than all, but not yet": STEP.format(2, 120),
    "product gone": "DELETE FROM product WHERE product_no = :product",
    "no name": ITEM.format("product_name = '', option_value = ''"),
    "strange names": ITEM.format(f"product_name = '{STRANGE}', option_value = '{STRANGE}'"),
    "strange buyer": WHOLE.format(f"buyer_name = '{STRANGE}', receiver_name = '{STRANGE}'"),
    "no buyer": WHOLE.format("buyer_name = ''"),
    "a zip code of words": WHOLE.format("receiver_zipcode = '모름'"),
    "no zip code": WHOLE.format("receiver_zipcode = ''"),
    "a zip code between a range turned round": WHOLE.format("receiver_zipcode = '50000'"),
    "a limit below zero": ITEM.format("max_delivery_limit = -1"),
    "unknown way to pay the shipping": ITEM.format("shipping_payment_option = 'X'"),
    "unknown kind of product": PRODUCT.format("product_type = '?'"),
    "unknown unit of the discount": "UPDATE subscription_setting SET discount_value_unit = '?' "
    "WHERE subscription_no = :product",
    "a start before all time": ITEM.format("start_date = '1000-01-01'"),
    "a start at the end of time": ITEM.format("start_date = '9999-12-31'"),
}
LEFT = {
    "member gone": ("DELETE FROM member WHERE member_id = :name", "blocked"),
    "card gone": ("DELETE FROM card WHERE member_id = :name", "blocked"),
    "unknown state of the item": (ITEM.format("subscription_state = 'Z'"), ""),
    "unknown state of the subscription": (WHOLE.format("subscription_state = 'Z'"), ""),
}
NAMES = [*BAD, *FINE, *LEFT, GOOD]


@dataclass(frozen=True)
class Told:
    """The state of every round, if there is one, the open matters, and the exit codes of two runs."""

    states: dict[str, str]
    matters: list[tuple[str, str]]
    codes: list[int]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Announce in a shop full of bad rows, twice."""
    keys = {name: f"S-{number}" for number, name in enumerate(NAMES, start=1)}
    with _home(request, tmp_path_factory) as home, street(home, tmp_path_factory) as rig:
        region_fee(rig, "99999", "00000", 5_000)
        region_fee(rig, "서울", "부산", 5_000)
        for number, (name, key) in enumerate(keys.items(), start=1):
            setting(rig, products=(number,), setting_no=number, use_discount="T")
            neighbour(rig, key, items=(Item(product_no=number, price=10_000),))
            change = BAD.get(name) or FINE.get(name) or LEFT.get(name, ("SELECT :name, :product",))[0]
            rig.shop(change, name=key, product=number)
        codes = [rig.run("notify_d2", "--as-of", D_MINUS_2, check=None).exit_code for _ in range(2)]
        states = {name: " ".join(row["state"] for row in rounds_of(rig, key)) for name, key in keys.items()}
        names = {key: name for name, key in keys.items()}
        return Told(states, sorted((names[key], kind) for kind, key in open_matters(rig)), codes)


@contextmanager
def _home(request: pytest.FixtureRequest, factory: pytest.TempPathFactory) -> Iterator[Home]:
    if request.param == "mariadb":
        yield request.getfixturevalue("shared_pair")
        return
    template: Path = request.getfixturevalue("sqlite_template")
    home = make_file(factory.mktemp("home") / "shop.db", template)
    yield home
    home.close()


@pytest.mark.parametrize("name", BAD)
def test_a_round_that_means_nothing_is_not_sealed_but_told(story: Told, name: str) -> None:
    assert story.states[name] == ""
    assert (name, "bad_row") in story.matters


@pytest.mark.parametrize("name", [*FINE, GOOD])
def test_a_row_that_is_only_odd_is_announced_like_any_other(story: Told, name: str) -> None:
    assert story.states[name] == "due"


@pytest.mark.parametrize("name", LEFT)
def test_what_is_in_no_use_or_has_no_payer_is_left_alone(story: Told, name: str) -> None:
    assert story.states[name] == ""
    assert [kind for each, kind in story.matters if each == name] == [
        kind for _, kind in [LEFT[name]] if kind
    ]


def test_all_of_it_is_told_by_the_first_run_and_nothing_by_the_second(story: Told) -> None:
    assert story.codes == [1, 0]
    assert len(story.matters) == len(BAD) + 2


NULLABLE = {
    "subscription": {
        "buyer_name": "VARCHAR(100)",
        "buyer_email": "VARCHAR(254)",
        "receiver_zipcode": "CHAR(9)",
    },
    "subscription_item": {
        "product_name": "VARCHAR(250)",
        "quantity": "INT",
        "product_price": "INT",
        "start_date": "DATE",
        "subscription_shipments_cycle": "VARCHAR(3)",
        "subscription_shipments_sequence": "INT",
        "max_delivery_limit": "INT",
    },
}


def test_a_value_that_is_missing_stops_no_other_round(bare_rig: Rig) -> None:
    bare_rig.home.install()
    open_shop(bare_rig)
    neighbour(bare_rig, GOOD)
    missing = [(table, *column) for table, columns in NULLABLE.items() for column in columns.items()]
    for number, (table, name, kind) in enumerate(missing):
        bare_rig.shop(f"ALTER TABLE {table} MODIFY {name} {kind} NULL")
        neighbour(bare_rig, f"S-{number}")
        bare_rig.shop(f"UPDATE {table} SET {name} = NULL WHERE subscription_id = 'S-{number}'")
    bare_rig.run("notify_d2", "--as-of", D_MINUS_2, check=1)
    assert [row["state"] for row in rounds_of(bare_rig, GOOD)] == ["due"]
    assert {kind for kind, _ in open_matters(bare_rig)} == {"bad_row"}
    bare_rig.run("notify_d2", "--as-of", D_MINUS_2)
