"""`ops check`: each finding is made by breaking exactly that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from lib.checking import CONTRACT, Finding, check
from lib.settings import Settings
from lib.store import Store
from tests.rig import Rig
from tests.shopkeeper import contract, open_shop, shop_row, subscription

SENDER = "0215440000"


@pytest.fixture
def shop(rig: Rig) -> Rig:
    """Give a shop in which a check finds nothing."""
    return _healthy(rig)


@pytest.fixture
def bare_shop(bare_rig: Rig) -> Rig:
    """Give the same in schemas of its own, whose tables may be broken."""
    bare_rig.home.install()
    return _healthy(bare_rig)


def _healthy(rig: Rig) -> Rig:
    open_shop(rig)
    rig.sandbox.solapi.switches = replace(rig.sandbox.solapi.switches, senders=(SENDER,))
    rig.config()
    return rig


def _check(rig: Rig) -> list[Finding]:
    return check(rig.settings(), rig.store())


def _faults(rig: Rig) -> list[str]:
    return [f"{one.what}; {one.remedy}" for one in _check(rig) if not one.ok]


def _warnings(rig: Rig) -> list[str]:
    return [f"{one.what}; {one.remedy}" for one in _check(rig) if one.ok and one.remedy]


def test_a_healthy_shop_has_no_finding(shop: Rig) -> None:
    assert _faults(shop) + _warnings(shop) == []


def test_sqlite_is_for_the_demo_only(sqlite_rig: Rig) -> None:
    _healthy(sqlite_rig)
    assert _faults(sqlite_rig) == []
    assert _warnings(sqlite_rig) == ["SQLite 는 시연용임; 실제 결제에는 MySQL 이나 MariaDB 를 쓰세요"]


# The server.


@pytest.mark.parametrize(
    ("database", "user", "said"),
    [
        ("no_such_schema", None, "오류 1049); database.url 의 스키마를 만들고"),
        (None, "nobody", "오류 1045); database.url 의 사용자"),
    ],
)
def test_a_database_that_lets_nobody_in_says_why(
    shop: Rig, database: str | None, user: str | None, said: str
) -> None:
    url = shop.home.ours.url
    url = url.set(database=database or url.database, username=user or url.username)
    assert any(said in fault for fault in _faults_at(shop, url.render_as_string(hide_password=False)))


def test_a_server_that_is_away_is_found_and_nothing_else_is_asked_of_it(shop: Rig) -> None:
    assert _faults_at(shop, "mysql+pymysql://jeonggi@127.0.0.1:1/jeonggi") == [
        "데이터베이스에 연결할 수 없음(오류 2003); 서버를 켜거나 database.url 을 고치세요"
    ]


def _faults_at(rig: Rig, url: str) -> list[str]:
    store = Store(rig.settings(), url=url)
    found = check(rig.settings(), store)
    store.close()
    return [f"{one.what}; {one.remedy}" for one in found if not one.ok]


# Tables, views and statements.


def test_a_missing_table_of_ours_is_found(bare_shop: Rig) -> None:
    bare_shop.ours("DROP TABLE matter")
    assert any("테이블 matter 이(가) 없거나" in fault for fault in _faults(bare_shop))


def test_a_missing_column_of_ours_is_found(bare_shop: Rig) -> None:
    bare_shop.ours("ALTER TABLE payment DROP COLUMN approval_no")
    assert any("테이블 payment 에 열이 없음: approval_no" in fault for fault in _faults(bare_shop))


def test_a_table_of_ours_that_cannot_roll_back_is_found(bare_shop: Rig) -> None:
    bare_shop.ours("ALTER TABLE payment ENGINE=MyISAM")
    assert any("ALTER TABLE payment ENGINE=InnoDB" in fault for fault in _faults(bare_shop))


def test_a_shop_table_that_cannot_roll_back_is_found_with_the_statement_to_run(bare_shop: Rig) -> None:
    bare_shop.shop("ALTER TABLE orders ENGINE=MyISAM")
    (fault,) = _faults(bare_shop)
    assert fault.startswith("쇼핑몰 테이블 orders 이(가) MyISAM 임")
    assert fault.endswith(f"; ALTER TABLE `{bare_shop.home.shop_schema}`.`orders` ENGINE=InnoDB")


def test_a_shop_table_that_is_only_read_may_be_of_any_engine(bare_shop: Rig) -> None:
    bare_shop.shop("ALTER TABLE member ENGINE=MyISAM")
    assert _faults(bare_shop) == []


def test_a_shop_table_that_is_not_there_is_found(bare_shop: Rig) -> None:
    bare_shop.shop("DROP TABLE subscription_log")
    assert any("쇼핑몰 테이블 subscription_log 이(가)" in one for one in _faults(bare_shop))


def test_a_missing_view_is_found(bare_shop: Rig) -> None:
    bare_shop.ours("DROP VIEW v_consent")
    assert any("뷰 v_consent 이(가) 없거나" in fault for fault in _faults(bare_shop))


def test_a_view_over_a_table_that_has_changed_is_found(bare_shop: Rig) -> None:
    bare_shop.shop("ALTER TABLE card DROP COLUMN customer_key")
    assert any("뷰 v_card 이(가) 없거나" in fault for fault in _faults(bare_shop))


def test_a_view_without_a_column_of_the_contract_is_found(bare_shop: Rig) -> None:
    bare_shop.ours(
        "CREATE OR REPLACE SQL SECURITY INVOKER VIEW v_credit AS SELECT 'sms' AS channel, 1 AS sum"
    )
    assert _faults(bare_shop) == [
        "뷰 v_credit: balance 없음, 모르는 열 sum; `jeonggi setup` 을 실행하거나 쇼핑몰 어댑터를 고치세요"
    ]


@pytest.mark.parametrize("view", CONTRACT)
def test_the_contract_is_what_the_standard_shop_offers(any_rig: Rig, view: str) -> None:
    any_rig.config()
    with any_rig.store().engine.connect() as connection:
        assert tuple(connection.exec_driver_sql(f"SELECT * FROM {view}").keys()) == CONTRACT[view]


def test_a_statement_that_no_longer_fits_the_shop_is_found(bare_shop: Rig) -> None:
    bare_shop.shop("ALTER TABLE subscription_log DROP COLUMN detail")
    (fault,) = _faults(bare_shop)
    assert fault.startswith("SQL 문 log 을(를) 실행할 수 없음: Unknown column 'detail'")


# What is around the database.


def test_a_spool_that_cannot_be_made_is_found(shop: Rig) -> None:
    (shop.folder / "file").touch()
    shop.config(paths={"spool": str(shop.folder / "file" / "spool")})
    (fault,) = _faults(shop)
    assert "에 쓸 수 없습니다" in fault
    assert "mkdir -p -m 700" in fault


def test_a_spool_that_others_may_look_into_is_found(shop: Rig) -> None:
    folder = shop.folder / "spool"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o750)
    assert _faults(shop) == [
        f"paths.spool: 다른 사용자가 {folder} 을(를) 볼 수 있음; 실행하세요: chmod 700 {folder}"
    ]


def test_a_check_leaves_no_file_in_the_spool(shop: Rig) -> None:
    _check(shop)
    assert list((shop.folder / "spool").iterdir()) == []


def test_a_template_that_does_not_compile_is_found(shop: Rig) -> None:
    own = shop.folder / "templates" / "payment_notice"
    own.mkdir(parents=True)
    (own / "customer.txt").write_text("{{ amount", encoding="utf-8")
    shop.config(paths={"templates": str(own.parent)})
    (fault,) = _faults(shop)
    assert "payment_notice/customer.txt" in fault


def test_a_copy_of_another_database_is_found(shop: Rig) -> None:
    shop.ours("UPDATE installation SET hostname = 'production'")
    (fault,) = _faults(shop)
    assert fault.endswith("; 이곳의 것이 맞으면 `jeonggi setup --adopt` 를 실행하세요")


def test_a_pg_in_use_without_a_gateway_is_found(shop: Rig) -> None:
    contract(shop, "allat")
    assert _faults(shop) == ["이용중인 PG allat 의 설정이 없음; 설정에 [gateway.allat] 를 적으세요"]


def test_a_gateway_that_is_switched_off_is_a_warning(shop: Rig) -> None:
    shop.config(gateway={"tosspayments": {"enabled": False}})
    assert _warnings(shop) == [
        "PG tosspayments 이(가) 꺼져 있음; gateway.tosspayments.enabled = true 로 켜세요"
    ]


def test_a_shop_without_any_pg_in_use_is_a_warning(shop: Rig) -> None:
    shop.shop("DELETE FROM pg_contract")
    assert any("이용중인 PG 가 없어" in one for one in _warnings(shop))


def test_a_shop_without_its_row_is_found(shop: Rig) -> None:
    shop.shop("DELETE FROM shop")
    assert any("v_shop 에 쇼핑몰 행이 없음" in fault for fault in _faults(shop))


@pytest.mark.parametrize(
    ("number", "said"),
    [("not a number", "국내 번호가 아님"), ("0215449999", "발송사에 등록되지 않음")],
)
def test_a_sender_number_that_no_sms_can_have_is_found(shop: Rig, number: str, said: str) -> None:
    shop.shop("DELETE FROM shop")
    shop_row(shop, sender_phone=number)
    (fault,) = _faults(shop)
    assert said in fault


def test_a_provider_that_does_not_tell_the_sender_numbers_is_a_warning(shop: Rig) -> None:
    shop.config(sms={"base_url": "http://127.0.0.1:1"})
    (warned,) = _warnings(shop)
    assert "답하지 않음" in warned


def test_a_shop_without_sms_provider_is_a_warning(shop: Rig) -> None:
    shop.config(sms=None)
    (warned,) = _warnings(shop)
    assert "문자 발송사 설정이 없어" in warned


def _foreign_order(rig: Rig, delivery_on: date, paid_at: datetime) -> None:
    given = subscription(rig, "S-1", delivery_on=delivery_on)
    rig.put(
        "orders",
        order_id="20261201-0001",
        subscription_id=given.subscription_id,
        delivery_date=delivery_on,
        sequence=1,
        member_id="haneul",
        buyer_name="김하늘",
        receiver_name="박바다",
        receiver_zipcode="06236",
        receiver_address1="서울특별시 강남구 테헤란로 152",
        receiver_cellphone="010-2000-5678",
        items_amount=12_900,
        discount_amount=0,
        shipping_fee=0,
        payment_amount=12_900,
        pg_code="tosspayments",
        paid_at=paid_at,
    )


def _today() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def test_a_second_charger_on_the_shop_is_found(shop: Rig) -> None:
    _foreign_order(shop, _today().date(), _today())
    assert any("다른 프로그램이 만듦" in fault and "20261201-0001" in fault for fault in _faults(shop))


def test_the_orders_of_the_system_before_us_are_none_of_a_second_charger(shop: Rig) -> None:
    _foreign_order(shop, date(2025, 12, 31), _today())
    assert _faults(shop) == []


def test_no_finding_shows_a_secret(shop: Rig) -> None:
    said = repr(_check(shop))
    settings: Settings = shop.settings()
    assert settings.gateway.tosspayments is not None
    assert settings.gateway.tosspayments.secret_key.get_secret_value() not in said
    assert str(shop.home.ours.url.password) not in said
