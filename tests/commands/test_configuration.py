"""A configuration that cannot be used ends with 78 and one clear line a finding, and never with a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib import settings
from lib.settings import ConfigurationError
from tests.rig import Rig

SECRET = "hunter2-never-told"
BASE = """
[shop]
first_delivery = 2026-12-01
[database]
url = "mysql+pymysql://jeonggi@127.0.0.1:3306/jeonggi"
password = "hunter2-never-told"
shop_schema = "shop"
[gateway.tosspayments]
secret_key = "hunter2-never-told"
"""

FINDINGS = [
    ("", "[shpo]\nx = 1", "shpo: 알 수 없는 항목입니다"),
    ("", "[policy]\nretry_dais = 3", "policy.retry_dais: 알 수 없는 항목입니다"),
    ("", '[policy]\nretry_days = "many"', "policy.retry_days: 정수를 적으세요"),
    ("", "[policy]\nretry_days = 99", "policy.retry_days: 14 이하의 수를 적으세요"),
    ("", '[policy]\non_missed = "never"', "policy.on_missed: 'deliver_late', 'skip' 중 하나를 적으세요"),
    ("", '[policy]\nretry_times = "10:00"', "policy.retry_times: "),
    ("", '[policy]\nretry_times = ["25:00"]', "policy.retry_times: '25:00' 은(는) 시각이 아닙니다"),
    ("", '[policy]\nquiet_hours = "9 to 5"', "policy.quiet_hours: "),
    ("", "[policy]\ncharge_days_before = 2", "policy: charge_days_before 는"),
    ("", '[mail]\nsmtp_url = "smtp://mail.example.com"', "mail.smtp_url: smtp:// 는 이 컴퓨터"),
    ("", '[mail]\nsmtp_url = "mail.example.com"', "mail.smtp_url: 주소가 아닙니다"),
    ("", '[sms]\nbase_url = "http://sms.example.com"', "sms.base_url: http:// 는 이 컴퓨터"),
    ("", '[sms]\nbase_url = "https://[::1"', "sms.base_url: 주소가 아닙니다"),
    (
        "",
        '[sms]\napi_secret = "env:JEONGGI_NO_SUCH_NAME"',
        "환경 변수 JEONGGI_NO_SUCH_NAME 이(가) 없거나 비어",
    ),
    ("", "[policy]\ntime_travel = true", "gateway.tosspayments.base_url"),
    ("[gateway.tosspayments]", "[gateway.paypal]", "gateway.paypal: 알 수 없는 항목입니다"),
    ("2026-12-01", '"soon"', "shop.first_delivery: 2026-12-01 처럼 날짜를"),
    ("first_delivery = 2026-12-01", "", "shop.first_delivery: 필요한 항목이 없습니다"),
    ("first_delivery", 'timezone = "Asia/Soul"\nfirst_delivery', "shop.timezone: 'Asia/Soul' 은(는) 시간대"),
    (
        "first_delivery",
        'adapter = "magento"\nfirst_delivery',
        "shop.adapter: 'magento' 이라는 어댑터가 없습니다",
    ),
    ('shop_schema = "shop"', "", "database: shop_schema 가 없습니다"),
    (":3306", ":port", "database.url: 데이터베이스 주소가 아닙니다"),
    ("mysql+pymysql", "postgresql", "database.url: 데이터베이스 주소가 아닙니다"),
    ('secret_key = "hunter2-never-told"', "secret_key = 5", "gateway.tosspayments.secret_key: 따옴표로 묶은"),
    ("[shop]", "[shop", "TOML 형식이 아닙니다"),
]


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "jeonggi.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def said(path: Path) -> str:
    with pytest.raises(ConfigurationError) as refused:
        settings.load(path)
    return str(refused.value)


def test_the_base_of_these_tests_is_accepted(tmp_path: Path) -> None:
    assert settings.load(written(tmp_path, BASE)).policy.retry_days == 3


@pytest.mark.parametrize(("old", "new", "finding"), FINDINGS)
def test_every_finding_names_key_and_remedy_and_no_secret(
    tmp_path: Path, old: str, new: str, finding: str
) -> None:
    text = BASE.replace(old, new) if old else f"{BASE}\n{new}\n"
    found = said(written(tmp_path, text))
    assert finding in found
    assert str(tmp_path) in found
    assert SECRET not in found


def test_all_findings_are_told_at_once(tmp_path: Path) -> None:
    found = said(
        written(tmp_path, f"{BASE}\n[policy]\nretry_days = 0\nlms_units = -1\n[paths]\nspoool = 1\n")
    )
    assert len(found.splitlines()) == 3


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    assert "--config 또는 $JEONGGI_CONFIG" in said(tmp_path / "none.toml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert "설정 파일을 읽을 수 없습니다" in said(tmp_path)


def test_a_file_in_another_encoding_says_so(tmp_path: Path) -> None:
    path = tmp_path / "jeonggi.toml"
    path.write_bytes("[shop] # 달빛".encode("euc-kr"))
    assert "UTF-8" in said(path)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o640])
def test_secrets_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    found = said(written(tmp_path, BASE, mode))
    assert f"chmod 600 {tmp_path}" in found
    assert SECRET not in found


def test_a_password_inside_an_address_is_a_secret_too(tmp_path: Path) -> None:
    text = BASE.replace('password = "hunter2-never-told"', "").replace(
        'secret_key = "hunter2-never-told"', ""
    )
    text = text.replace("[gateway.tosspayments]", "").replace("jeonggi@", f"jeonggi:{SECRET}@")
    assert "chmod 600" in said(written(tmp_path, text, 0o644))


def test_without_secrets_anybody_may_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEONGGI_TEST_SECRET", SECRET)
    path = written(tmp_path, BASE.replace(SECRET, "env:JEONGGI_TEST_SECRET"), 0o644)
    read = settings.load(path)
    assert read.gateway.tosspayments
    assert read.gateway.tosspayments.secret_key.get_secret_value() == SECRET
    assert SECRET not in repr(read)


def test_an_empty_variable_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEONGGI_TEST_SECRET", "")
    assert "비어 있습니다" in said(written(tmp_path, BASE.replace(SECRET, "env:JEONGGI_TEST_SECRET")))


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JEONGGI_CONFIG", str(written(tmp_path, BASE)))
    assert settings.load(None).database.shop_schema == "shop"


def test_a_job_with_a_wrong_file_ends_with_78(sqlite_rig: Rig) -> None:
    path = sqlite_rig.config(policy={"retry_days": "many"}, register=False)
    assert path.is_file()
    told = sqlite_rig.run("notify_d2", check=78)
    assert "policy.retry_days: 정수를 적으세요" in told.stderr
    assert told.summary == {"exit_code": 78, "error": "ConfigurationError"}
    sqlite_rig.config()
