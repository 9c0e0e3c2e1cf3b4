"""However a command ends, no marked value is told: configuration, database, spool, templates, bugs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from tests.adapters.servers import closed_port
from tests.jobs.charging import CHARGE_AT, NOTICE_AT
from tests.jobs.resetting import BY_HAND, RESET_AT
from tests.rig import Rig
from tests.secrets import marked
from tests.secrets.watching import Watch, announce, configure, open_marked_shop, watched

NOTIFY = ("notify_d2", "--as-of", NOTICE_AT, "-v")
CHARGE = ("charge_d1", "--as-of", CHARGE_AT, "-v")
RESET = ("reset_pg", "--as-of", RESET_AT, "-v", *BY_HAND)
JOBS = (NOTIFY, CHARGE, RESET)
REHEARSALS = tuple((*job[:3], "--dry-run", *job[4:]) for job in JOBS)
SETUP, CHECK = ("ops", "setup"), ("ops", "check", "--invariants", "--fresh", "26h")
SHOW, REPORT = ("ops", "show", "S-1"), ("ops", "report")
DESK = (
    SETUP,
    CHECK,
    ("ops", "list"),
    ("ops", "list", "--rounds"),
    SHOW,
    ("ops", "service"),
    REPORT,
    ("ops", "report", "--doubts"),
    ("ops", "settle", "1", "--void", "--by", "김운영", "--evidence", "확인"),
    ("ops", "preview", "payment_notice"),
)


@pytest.fixture
def watch(sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch a shop in a SQLite file, from a folder of its own."""
    monkeypatch.chdir(sqlite_rig.folder)
    with watched(sqlite_rig) as made:
        yield made


@pytest.fixture
def maria(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch a shop on MariaDB, from a folder of its own."""
    monkeypatch.chdir(rig.folder)
    with watched(rig) as made:
        yield made


def each(watch: Watch, *commands: tuple[str, ...]) -> set[int]:
    """Run commands, each for a program and for a person, and return how they ended at first."""
    codes = set()
    for command in commands:
        codes.add(watch.run(*command, check=None).exit_code)
        watch.tell(*command)
    return codes


PG, DATABASE, SMS, MAIL = marked.PG_SECRET, marked.DB_PASSWORD, marked.SMS_SECRET, marked.SMTP_PASSWORD
WRONG: dict[str, dict[str, Any]] = {
    "a secret after env:": {"gateway": {"tosspayments": {"secret_key": f"env:{PG}"}}},
    "a password after env:": {"database": {"password": f"env:{DATABASE}"}},
    "a secret in a list": {"gateway": {"tosspayments": {"secret_key": [PG]}}},
    "a secret under a wrong key": {"sms": {"secret": SMS, "api_secret": None}},
    "a secret in place of a table": {"mail": MAIL},
    "a secret in place of a class": {"gateway": {"tosspayments": {"codes": {"X": PG}}}},
    "a secret in place of a number": {"mail": {"connections": MAIL}},
    "another database": {"database": {"url": f"postgresql://jeonggi:{DATABASE}@127.0.0.1/jeonggi"}},
    "a database without a port": {"database": {"url": f"mysql+pymysql://a:{DATABASE}@127.0.0.1:port/b"}},
    "no schema": {"database": {"url": f"mysql+pymysql://a:{DATABASE}@127.0.0.1/b", "shop_schema": None}},
    "mail in the clear": {"mail": {"smtp_url": f"smtp://mailer:{MAIL}@mail.example.com"}},
    "no address of a server": {"mail": {"smtp_url": f"mailer:{MAIL}@[::1"}},
    "a PG in the clear": {"gateway": {"tosspayments": {"base_url": f"http://{PG}@pg.example.com"}}},
    "no address of a provider": {"sms": {"base_url": f"https://{SMS}@[::1"}},
    "time travel abroad": {"sms": {"base_url": f"https://x:{SMS}@sms.example.com"}},
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_configuration_is_told_without_its_secrets(watch: Watch, fault: str) -> None:
    watch.rig.config(register=False, **WRONG[fault])
    for command in (NOTIFY, SETUP, CHECK):
        assert "종료 78" in watch.tell(*command)
        assert watch.run(*command, check=78).summary["error"] == "ConfigurationError"
    watch.rig.config()


def test_a_file_that_others_can_read_or_nobody_understands_is_told_without_its_secrets(watch: Watch) -> None:
    configure(watch.rig)
    path = watch.rig.folder / "jeonggi.toml"
    path.chmod(0o644)
    assert "chmod 600" in watch.tell(*NOTIFY)
    path.chmod(0o600)
    path.write_text(f"[gateway.tosspayments]\nsecret_key = {PG}\n", encoding="utf-8")
    assert "TOML" in watch.tell(*NOTIFY)
    watch.rig.config()


@pytest.mark.parametrize(
    "given",
    [
        f"env:{DATABASE}",
        f"mysql+pymysql://root:{DATABASE}@127.0.0.1:port/x",
        f"mysql://root:{DATABASE}@127.0.0.1/x",
        f"root:{DATABASE}@127.0.0.1",
    ],
)
def test_a_wrong_address_at_the_set_up_is_wrong_usage_and_not_repeated(watch: Watch, given: str) -> None:
    configure(watch.rig)
    assert "종료 2" in watch.tell("ops", "setup", "--database-url", given)
    watch.run("ops", "setup", "--database-url", given, check=2)


def test_the_set_up_takes_its_address_from_the_environment(
    bare_sqlite_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_sqlite_rig.config(register=False, database={"url": "sqlite:////nowhere/at/all.db"})
    monkeypatch.setenv("SETUP_DATABASE_URL", bare_sqlite_rig.home.url)
    bare_sqlite_rig.run("ops", "setup", "--database-url", "env:SETUP_DATABASE_URL")


def database(rig: Rig, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any part of an address
    """Return the section of a configuration whose address has the marked password in it."""
    address = make_url(rig.home.url)
    password = address.password if changes.get("password", "") is None else DATABASE
    url = address.set(**changes | {"password": password})
    return {"url": url.render_as_string(hide_password=False)}


AWAY: dict[str, tuple[dict[str, Any], set[int]]] = {
    "nobody there": ({"port": closed_port()}, {75, 78}),
    "wrong password": ({}, {78}),
    "wrong user": ({"username": "nobody"}, {78}),
    "wrong schema": ({"database": "nothing", "password": None}, {78}),
}


@pytest.mark.parametrize("fault", AWAY)
def test_a_database_that_lets_nobody_in_is_told_without_its_password(maria: Watch, fault: str) -> None:
    changes, codes = AWAY[fault]
    maria.rig.config(register=False, database=database(maria.rig, **changes))
    assert each(maria, NOTIFY, CHECK) == codes
    if fault != "nobody there":
        assert each(maria, CHARGE, RESET, SETUP, SHOW) == {78}
    maria.rig.config()


def test_a_database_that_is_away_is_no_bug_of_the_set_up(maria: Watch) -> None:
    maria.rig.config(register=False, database=database(maria.rig, port=closed_port()))
    assert each(maria, SETUP) == {75}
    assert "응답하지 않습니다(오류 2003)" in maria.said[-1]
    maria.rig.config()


def says_in_a_trigger(rig: Rig, table: str, event: str) -> None:
    """Let the shop refuse every row of a table, with what is marked in its words."""
    said = f"{marked.BILLING_KEY} {marked.MAIL} {marked.PHONE} {marked.STREET}"
    rig.shop(
        f"CREATE TRIGGER refusing BEFORE {event} ON {table} FOR EACH ROW "
        f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{said}'"
    )


@pytest.mark.parametrize(
    ("table", "event"),
    [
        ("message_credit", "UPDATE"),
        ("orders", "INSERT"),
        ("subscription_log", "INSERT"),
        ("card", "DELETE"),
        ("subscription_item", "UPDATE"),
    ],
)
def test_what_the_database_says_of_a_row_is_never_told(maria: Watch, table: str, event: str) -> None:
    announce(maria)
    says_in_a_trigger(maria.rig, table, event)
    try:
        codes = each(maria, CHARGE, RESET, REPORT)
    finally:
        maria.rig.shop("DROP TRIGGER refusing")
    assert codes - {0}, codes
    maria.rig.run("charge_d1", "--as-of", CHARGE_AT, check=None)
    maria.rig.run("reset_pg", "--as-of", RESET_AT, check=None)


UNREADABLE = {
    "contract": ("pg_contract", "terminated_at", marked.STREET),
    "card": ("card", "registered_at", marked.BILLING_KEY),
    "application": ("subscription", "created_date", marked.MAIL),
    "item": ("subscription_item", "expected_delivery_date", marked.PHONE),
    "start": ("subscription_item", "start_date", marked.DOOR_CODE),
    "service": ("subscription_service", "in_use_at", marked.MEMBER_MAIL),
    "shop": ("shop", "shop_no", marked.STREET),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_value_that_cannot_be_read_is_never_told(watch: Watch, what: str) -> None:
    table, column, value = UNREADABLE[what]
    announce(watch)
    (before,) = watch.rig.shop(f"SELECT CAST({column} AS TEXT) AS value FROM {table}")
    watch.rig.shop(f"UPDATE {table} SET {column} = :value", value=value)
    each(watch, NOTIFY, CHARGE, *REHEARSALS, SHOW, REPORT)
    watch.rig.shop(f"UPDATE {table} SET {column} = :value", value=before["value"])


def test_a_spool_that_cannot_be_written_or_read_tells_none_of_it(watch: Watch) -> None:
    announce(watch)
    spool = watch.rig.folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    torn = f'{{"pg_code": "tosspayments", "tid": "{marked.BILLING_KEY}", "order_no": "{marked.PHONE}'
    (spool / "approvals-torn.jsonl").write_text(f"{torn}\n{marked.MAIL}\n", encoding="utf-8")
    assert "읽을 수 없는 2줄" in watch.tell(*CHARGE)
    (watch.rig.folder / "a-file").write_text("")
    configure(watch.rig, paths={"spool": str(watch.rig.folder / "a-file")})
    assert each(watch, CHARGE, CHECK) == {78}


@pytest.mark.parametrize(
    "words", ["{{ buyer_name.x }}", "{{ lines[0] + 1 }}", "{{ 1 / 0 }}", "{{ ''.__class__ }}"]
)
def test_a_template_that_fails_tells_none_of_its_values(watch: Watch, words: str) -> None:
    open_marked_shop(watch.rig)
    folder: Path = watch.rig.folder / "own"
    (folder / "payment_notice").mkdir(parents=True)
    (folder / "payment_notice" / "customer.txt").write_text(f"제목\n{words}", encoding="utf-8")
    configure(watch.rig, paths={"templates": str(folder)})
    each(watch, NOTIFY, REPORT, SHOW)
    assert watch.rig.ours("SELECT detail FROM matter WHERE kind = 'template'")


def test_no_command_of_a_quiet_day_tells_a_secret(watch: Watch) -> None:
    announce(watch)
    assert each(watch, *REHEARSALS, CHARGE, *DESK) <= {0, 2, 78}
