"""A generated shop fits the standard shop's tables, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from lib.sandbox.shops import CHUNK, Recipe, load, shop
from tests.homes import Home
from tests.sandbox.generated import COLUMNS, FIRST_DAY, RECIPE, Tables, empty_file, tables_of


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(RECIPE)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with empty_file(tmp_path_factory.mktemp("shop")) as connection:
        load(connection, RECIPE)
        yield connection


def test_the_same_recipe_makes_the_same_shop() -> None:
    assert list(shop(RECIPE)) == list(shop(RECIPE))


def test_another_seed_makes_another_shop(tables: Tables) -> None:
    assert tables_of(Recipe(first_day=FIRST_DAY, seed=2))["member"] != tables["member"][:300]


def test_a_shop_has_as_many_subscriptions_as_asked_for(tables: Tables) -> None:
    assert len(tables["subscription"]) == RECIPE.subscriptions


def test_an_empty_shop_still_sells() -> None:
    tables = tables_of(Recipe(first_day=FIRST_DAY, subscriptions=0))
    assert tables["product"]
    assert not tables["member"]


def test_no_chunk_is_empty_or_above_a_thousand_rows() -> None:
    sizes = [len(rows) for _, rows in shop(RECIPE)]
    assert min(sizes) > 0
    assert max(sizes) == CHUNK == 1000


def test_the_first_chunks_of_a_vast_shop_come_before_its_last_member_is_made() -> None:
    vast = Recipe(first_day=FIRST_DAY, subscriptions=10**12)
    assert len(list(islice(shop(vast), 30))) == 30


@pytest.mark.parametrize("name", COLUMNS)
def test_every_row_fits_its_table(tables: Tables, name: str) -> None:
    columns = COLUMNS[name]
    required = {column for column, one in columns.items() if one.is_required}
    for row in tables[name]:
        assert required <= row.keys() <= columns.keys()
        assert [column for column, value in row.items() if not columns[column].holds(value)] == []


@pytest.mark.parametrize(
    ("name", "column", "target", "key"),
    [
        ("subscription_service", "pg_code", "pg_contract", "pg_code"),
        ("subscription_setting_product", "product_no", "product", "product_no"),
        ("subscription_setting_product", "subscription_no", "subscription_setting", "subscription_no"),
        ("subscription_setting_discount", "subscription_no", "subscription_setting", "subscription_no"),
        ("shipping_policy", "shop_no", "shop", "shop_no"),
        ("card", "member_id", "member", "member_id"),
        ("card", "pg_code", "pg_contract", "pg_code"),
        ("subscription", "member_id", "member", "member_id"),
        ("subscription", "pg_code", "pg_contract", "pg_code"),
        ("subscription", "card_id", "card", "card_id"),
        ("subscription", "backup_card_id", "card", "card_id"),
        ("subscription_item", "subscription_id", "subscription", "subscription_id"),
        ("subscription_item", "product_no", "product", "product_no"),
        ("price_consent", "subscription_item_id", "subscription_item", "subscription_item_id"),
        ("orders", "member_id", "member", "member_id"),
        ("orders", "subscription_id", "subscription", "subscription_id"),
        ("orders", "pg_code", "pg_contract", "pg_code"),
        ("order_item", "order_id", "orders", "order_id"),
        ("order_item", "product_no", "product", "product_no"),
        ("order_item", "subscription_item_id", "subscription_item", "subscription_item_id"),
    ],
)
def test_what_a_row_refers_to_comes_before_it(name: str, column: str, target: str, key: str) -> None:
    known: set[object] = {None}
    for table, rows in shop(RECIPE):
        if table == target:
            known |= {row[key] for row in rows}
        if table == name:
            assert {row[column] for row in rows} <= known


def test_all_rows_are_loaded_and_counted(database: Connection, tables: Tables) -> None:
    loaded = {name: database.scalar(text(f"SELECT COUNT(*) FROM {name}")) for name in COLUMNS}
    assert loaded == {name: len(rows) for name, rows in tables.items()}


def test_load_tells_how_many_rows_each_table_got(tmp_path: Path, tables: Tables) -> None:
    with empty_file(tmp_path) as connection:
        assert load(connection, RECIPE) == {name: len(rows) for name, rows in tables.items() if rows}


def test_a_shop_is_loaded_into_its_own_schema_on_mariadb(bare_pair: Home) -> None:
    with bare_pair.ours.begin() as connection:
        counts = load(connection, RECIPE, schema=str(bare_pair.shop_schema))
    with bare_pair.shop.connect() as connection:
        loaded = {name: connection.scalar(text(f"SELECT COUNT(*) FROM {name}")) for name in counts}
        strange = connection.scalar(text("SELECT COUNT(*) FROM member WHERE name = BINARY '이나은🐶🌸'"))
    assert loaded == counts
    assert strange > 0


@pytest.mark.parametrize(
    "contradiction",
    [{"days": 0}, {"subscriptions": -1}, {"second_pg_code": "tosspayments"}],
    ids=str,
)
def test_a_recipe_that_contradicts_itself_is_refused(contradiction: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"a shop needs|the second PG"):
        Recipe(first_day=FIRST_DAY, **contradiction)  # type: ignore[arg-type]
