"""The jobs' own user: may run every statement, and nothing besides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lib.checking import Finding, check, grants, structure
from lib.store import Store, error_code
from tests.rig import Rig
from tests.shopkeeper import open_shop

REFUSED = {1142, 1143}
"""ER_TABLEACCESS_DENIED_ERROR, ER_COLUMNACCESS_DENIED_ERROR."""


@pytest.fixture
def user(rig: Rig) -> Iterator[str]:
    """Make a user with nothing but the rights of the grants."""
    open_shop(rig)
    rig.config()
    name = f"'least_{rig.home.shop_schema}'@'127.0.0.1'"
    rig.ours(f"CREATE USER {name} IDENTIFIED BY 'least'")
    for grant in grants(rig.store(), name):
        rig.ours(grant)
    yield name
    rig.ours(f"DROP USER {name}")


@pytest.fixture
def least(rig: Rig, user: str) -> Iterator[Store]:
    """Open the database as that user."""
    url = rig.home.ours.url.set(username=user.split("'")[1], password="least")
    store = Store(rig.settings(), url=url.render_as_string(hide_password=False))
    yield store
    store.close()


def _faults(findings: list[Finding]) -> list[str]:
    return [f"{one.what}; {one.remedy}" for one in findings if not one.ok]


def test_the_grants_are_enough_for_every_statement(least: Store) -> None:
    assert _faults(structure.statements(least)) == []


def test_the_grants_are_enough_for_the_whole_check(rig: Rig, least: Store) -> None:
    assert [one for one in _faults(check(rig.settings(), least)) if "발신번호" not in one] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE payment SET amount_krw = 1",
        "DELETE FROM payment",
        "DELETE FROM credit_entry",
        "UPDATE credit_entry SET units = 1",
        "UPDATE billing_round SET amount_krw = 1",
        "UPDATE billing_round_item SET amount = 1",
        "UPDATE payment_attempt SET order_no = 'J2'",
        "DELETE FROM payment_attempt",
        "DELETE FROM message",
        "UPDATE installation SET merchant_ids = '{{}}'",
        "DELETE FROM {shop}orders",
        "UPDATE {shop}orders SET payment_amount = 1",
        "UPDATE {shop}product SET price = 1",
        "UPDATE {shop}card SET billing_key = 'other'",
        "DELETE FROM {shop}subscription",
        "UPDATE {shop}member SET email = 'other@example.com'",
        "DROP TABLE payment",
    ],
)
def test_the_jobs_user_may_not(least: Store, statement: str) -> None:
    with least.engine.connect() as connection, pytest.raises(DBAPIError) as refused:
        connection.execute(text(least.fit(statement)))
    assert error_code(refused.value) in REFUSED


def test_a_missing_right_is_found_with_the_grant_to_run(rig: Rig, user: str, least: Store) -> None:
    rig.shop(f"REVOKE DELETE ON card FROM {user}")
    (fault,) = _faults(structure.statements(least))
    assert fault.startswith("SQL 문 delete_card 을(를) 실행할 권한이 없음")
    assert fault.endswith(f"GRANT SELECT, DELETE ON `{rig.home.shop_schema}`.card TO {user}")


def test_a_missing_right_on_a_column_is_found_with_the_grant_to_run(
    rig: Rig, user: str, least: Store
) -> None:
    rig.shop(f"REVOKE UPDATE (stock_quantity) ON product FROM {user}")
    (fault,) = _faults(structure.statements(least))
    assert fault.startswith("SQL 문 take_stock 을(를) 실행할 권한이 없음")
    assert f"UPDATE (stock_quantity) ON `{rig.home.shop_schema}`.product TO {user}" in fault


def test_a_view_over_a_table_that_may_not_be_read_is_found(rig: Rig, user: str, least: Store) -> None:
    rig.shop(f"REVOKE SELECT ON price_consent FROM {user}")
    assert any("v_consent" in fault for fault in _faults(structure.views(least)))
