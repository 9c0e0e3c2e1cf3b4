"""Setting a database up, again, and elsewhere."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lib import installing
from lib.installing import InstalledElsewhereError, SchemaError, install, verify
from tests.rig import Rig
from tests.shopkeeper import open_shop

NICEPAY = {"client_key": "client-1", "secret_key": "simulated", "base_url": "http://127.0.0.1:1"}
ALLAT = {"shop_id": "moonlight", "cross_key": "simulated", "base_url": "http://127.0.0.1:1"}


def _install(rig: Rig, *, adopt: bool = False, **overrides: object) -> list[str]:
    rig.config(None, register=False, **overrides)
    return install(rig.store(), rig.settings(), adopt=adopt)


def _verify(rig: Rig, **overrides: object) -> str | None:
    rig.config(None, register=False, **overrides)
    return rig.store().transaction(lambda tx: verify(tx, rig.settings()))


def _copy_elsewhere(rig: Rig, column: str, value: object) -> None:
    """Make the row say what it would say had it been copied here from another server."""
    rig.ours(f"UPDATE installation SET {column} = :value", value=value)


def test_the_first_setup_makes_every_table_and_says_so(any_bare_rig: Rig) -> None:
    done = _install(any_bare_rig)
    assert [f"테이블 {name} 만듦" for name in installing.expected_columns()] == done[:-2]


def test_the_schema_script_names_all_columns_of_a_table() -> None:
    assert installing.expected_columns()["payment"] == (
        "pg_code",
        "tid",
        "kind",
        "seq",
        "order_no",
        "amount_krw",
        "approval_no",
        "source",
        "recorded_at",
    )


def test_a_second_setup_changes_no_row(any_bare_rig: Rig) -> None:
    _install(any_bare_rig)
    before = any_bare_rig.checksums(exclude=())
    assert _install(any_bare_rig) == ["쇼핑몰 어댑터 standard 의 뷰 16개 설정"]
    assert any_bare_rig.checksums(exclude=()) == before


def test_setup_keeps_what_is_in_the_tables(any_bare_rig: Rig) -> None:
    _install(any_bare_rig)
    open_shop(any_bare_rig)
    _install(any_bare_rig)
    assert any_bare_rig.ours("SELECT shop_name FROM v_shop") == [{"shop_name": "달빛커피"}]


def test_the_row_says_which_server_shop_and_merchants_this_is(bare_rig: Rig) -> None:
    _install(bare_rig, gateway={"nicepay": NICEPAY, "allat": ALLAT})
    (server,) = bare_rig.ours("SELECT @@hostname AS hostname, @@port AS port")
    found = bare_rig.store().transaction(installing.read)
    assert found is not None
    assert (found.hostname, found.port) == (server["hostname"], server["port"])
    assert found.shop_schema == bare_rig.home.shop_schema
    assert found.first_delivery == date(2026, 1, 1)
    assert found.merchant_ids["allat"] == "moonlight"
    assert found.merchant_ids["nicepay"] == "client-1"


def test_a_secret_key_is_kept_only_as_a_part_of_its_hash(any_bare_rig: Rig) -> None:
    _install(any_bare_rig, gateway={"tosspayments": {"secret_key": "test_sk_simulated"}})
    (row,) = any_bare_rig.ours("SELECT merchant_ids FROM installation")
    assert row["merchant_ids"] == '{"tosspayments": "sk:0c426bb91c58"}'


def test_a_database_that_was_set_up_here_is_verified(any_rig: Rig) -> None:
    any_rig.config()
    assert _verify(any_rig) is None


@pytest.mark.parametrize("made", [False, True])
def test_a_database_that_was_not_set_up_says_what_to_run(any_bare_rig: Rig, made: bool) -> None:
    if made:
        _install(any_bare_rig)
        any_bare_rig.ours("DELETE FROM installation")
    assert _verify(any_bare_rig) == "데이터베이스가 준비되지 않았습니다. `jeonggi setup` 을 실행하세요"


COPIES = [
    pytest.param("hostname", "production", "서버 production → ", id="another server"),
    pytest.param("port", 3307, "포트 3307 → ", id="another port"),
    pytest.param("shop_schema", "other_shop", "쇼핑몰 스키마 other_shop → ", id="another shop"),
    pytest.param(
        "merchant_ids", '{"tosspayments": "sk:000000000000"}', "tosspayments 상점이 다름", id="merchant"
    ),
]


@pytest.mark.parametrize(("column", "value", "said"), COPIES)
def test_a_copy_is_told_from_the_original(any_rig: Rig, column: str, value: object, said: str) -> None:
    any_rig.config()
    _copy_elsewhere(any_rig, column, value)
    fault = _verify(any_rig)
    assert fault is not None
    assert said in fault
    assert fault.endswith("`jeonggi setup --adopt` 를 실행하세요")


@pytest.mark.parametrize(("column", "value", "said"), COPIES)
def test_setting_up_a_copy_is_refused(any_rig: Rig, column: str, value: object, said: str) -> None:
    any_rig.config()
    _copy_elsewhere(any_rig, column, value)
    with pytest.raises(InstalledElsewhereError, match=said):
        _install(any_rig)


@pytest.mark.parametrize(("column", "value", "said"), COPIES)
def test_a_copy_may_be_adopted(any_rig: Rig, column: str, value: object, said: str) -> None:
    any_rig.config()
    _copy_elsewhere(any_rig, column, value)
    assert said in " ".join(_install(any_rig, adopt=True))
    assert _verify(any_rig) is None


def test_a_new_pg_is_added_without_adopting(any_rig: Rig) -> None:
    any_rig.config()
    added: dict[str, Any] = {"gateway": {"nicepay": NICEPAY}}
    assert "등록을 바꿈: nicepay 추가" in _install(any_rig, **added)
    assert _verify(any_rig, **added) is None


def test_a_pg_that_was_taken_out_cannot_come_back_as_another_merchant(any_rig: Rig) -> None:
    _install(any_rig, adopt=True, gateway={"nicepay": NICEPAY})
    _install(any_rig)
    with pytest.raises(InstalledElsewhereError, match="nicepay 상점이 다름"):
        _install(any_rig, gateway={"nicepay": NICEPAY | {"client_key": "client-2"}})


def test_an_earlier_first_delivery_needs_a_setup_and_no_adopting(any_rig: Rig) -> None:
    any_rig.config()
    earlier = {"first_delivery": date(2025, 12, 1)}
    assert "다시 결제될 수 있습니다" in str(_verify(any_rig, shop=earlier))
    _install(any_rig, shop=earlier)
    assert _verify(any_rig, shop=earlier) is None


def test_a_later_first_delivery_needs_nothing(any_rig: Rig) -> None:
    any_rig.config()
    assert _verify(any_rig, shop={"first_delivery": date(2027, 1, 1)}) is None


def test_a_table_of_another_version_is_refused_with_its_missing_column(any_bare_rig: Rig) -> None:
    any_bare_rig.ours("CREATE TABLE payment (pg_code VARCHAR(20), order_no VARCHAR(40))")
    with pytest.raises(SchemaError, match="테이블 payment 에 열이 없음: tid, kind, seq, amount_krw"):
        _install(any_bare_rig)


def test_a_table_that_cannot_roll_back_is_refused(bare_rig: Rig) -> None:
    _install(bare_rig)
    bare_rig.ours("ALTER TABLE credit_entry ENGINE=Aria")
    with pytest.raises(SchemaError, match="ALTER TABLE credit_entry ENGINE=InnoDB"):
        _install(bare_rig)
