"""The people of a generated shop look real, and nobody's mailbox, number or card is among them."""

from __future__ import annotations

import re
from datetime import datetime, time
from random import Random

import phonenumbers
import pytest

from lib.sandbox.people import Townsfolk, stored_card
from lib.sandbox.shops import Recipe
from tests.sandbox.generated import FIRST_DAY, RECIPE, Tables, tables_of


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(RECIPE)


def test_no_two_members_share_an_address_or_a_number(tables: Tables) -> None:
    for column in ("member_id", "email", "cellphone"):
        given = [re.sub(r"^\+82 |\D(?=\d)", "", str(row[column])) for row in tables["member"] if row[column]]
        assert len(set(given)) == len(given)


def test_mobile_numbers_are_well_formed_and_no_subscriber_has_them(tables: Tables) -> None:
    for row in tables["member"]:
        number = phonenumbers.parse(str(row["cellphone"]), "KR")
        assert phonenumbers.is_valid_number(number)
        assert re.match(r"10[01]|21000", str(number.national_number))


def test_mail_goes_to_nobody(tables: Tables) -> None:
    domains = {str(row["email"]).rpartition("@")[2] for row in tables["member"] if "@" in str(row["email"])}
    assert domains == {"example.com", "example.net", "example.org"}


@pytest.mark.parametrize(
    ("region", "first", "last"),
    [
        ("서울특별시", "01000", "08866"),
        ("경기도", "10000", "18633"),
        ("인천광역시", "21000", "23136"),
        ("세종특별자치시", "30000", "30151"),
        ("대전광역시", "34000", "35421"),
        ("대구광역시", "41000", "43024"),
        ("부산광역시", "46000", "49527"),
        ("광주광역시", "61000", "62471"),
        ("제주특별자치도", "63000", "63644"),
    ],
)
def test_zip_codes_are_those_of_the_region(tables: Tables, region: str, first: str, last: str) -> None:
    zipcodes = [
        str(row["receiver_zipcode"]).strip("()")
        for row in tables["subscription"]
        if str(row["receiver_address1"]).startswith(region)
    ]
    assert zipcodes
    assert first <= min(zipcodes) <= max(zipcodes) <= last


@pytest.mark.parametrize(
    ("pg_code", "form"),
    [
        ("tosspayments", r"[\w-]{43}="),
        ("nicepay", r"BIKY[a-z0-9]{26}"),
        ("allat", r"[0-9a-f]{12}\d{12}"),
    ],
)
def test_billing_keys_have_the_form_of_their_pg(pg_code: str, form: str) -> None:
    tables = tables_of(Recipe(first_day=FIRST_DAY, pg_code=pg_code))
    assert all(re.fullmatch(form, str(row["billing_key"])) for row in tables["card"])


def test_customer_keys_are_valid_at_tosspayments(tables: Tables) -> None:
    keys = [str(row["customer_key"]) for row in tables["card"] if row["pg_code"] == "tosspayments"]
    assert all(re.fullmatch(r"[\w\-=.@]{2,300}", key, re.ASCII) for key in keys)


def test_a_card_shows_a_mask_and_no_number(tables: Tables) -> None:
    assert all(
        re.fullmatch(r"\d{4}-\d\d\*\*-\*{4}-\d{4}", str(row["masked_number"])) for row in tables["card"]
    )


def test_no_key_is_in_the_text_of_a_card() -> None:
    rng = Random(1)  # noqa: S311 a seed, no secret
    member = Townsfolk(RECIPE, rng).member(1)
    card = stored_card(1, member, "tosspayments", datetime.combine(FIRST_DAY, time(9)), rng)
    assert repr(card) == "StoredCard(1, tosspayments)"


def test_credits_are_enough_unless_the_recipe_says_how_many() -> None:
    recipe = Recipe(first_day=FIRST_DAY, subscriptions=50, sms_credits=7)
    balances = {row["channel"]: row["balance"] for row in tables_of(recipe)["message_credit"]}
    assert balances == {"bulk_mail": 1500, "sms": 7}


@pytest.mark.parametrize("pg_codes", [("tosspayments",), ("tosspayments", "nicepay")])
def test_each_pg_has_one_contract_and_one_service_in_use(pg_codes: tuple[str, ...]) -> None:
    tables = tables_of(
        Recipe(first_day=FIRST_DAY, second_pg_code=pg_codes[-1] if len(pg_codes) > 1 else None)
    )
    for name in ("pg_contract", "subscription_service"):
        assert [(row["pg_code"], row["state"]) for row in tables[name]] == [
            (code, "in_use") for code in pg_codes
        ]
