"""The tables of the configuration file, each key with its bounds and its default."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

from lib.settings.values import (
    Adapter,
    ClockTimes,
    CodeClass,
    DatabaseUrl,
    QuietHours,
    Secret,
    SmtpUrl,
    WebUrl,
    Zone,
    is_loopback,
)


class Section(BaseModel):
    """A table of the file: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Shop(Section):
    """Which shop, and from which delivery day on it is ours."""

    adapter: Adapter = "standard"
    timezone: Zone = ZoneInfo("Asia/Seoul")
    first_delivery: date


class Database(Section):
    """Where our schema is, and how the shop's schema on the same server is called."""

    url: DatabaseUrl
    password: Secret | None = None
    shop_schema: Annotated[str, Field(pattern=r"^[A-Za-z0-9_$]+$")] | None = None

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is the embedded shop of the demo."""
        return self.url.startswith("sqlite")

    @model_validator(mode="after")
    def _schema_fits(self) -> Database:
        if not self.is_sqlite and not self.shop_schema:
            raise ValueError("shop_schema 가 없습니다. 같은 서버에 있는 쇼핑몰 스키마의 이름을 적으세요")
        return self


class Gateway(Section):
    """What every PG takes. Times in seconds."""

    enabled: bool = True
    workers: Annotated[int, Field(ge=1, le=256)] = 8
    max_tps: Annotated[float, Field(gt=0)] | None = None
    connect_timeout: Annotated[float, Field(gt=0)] = 5
    read_timeout: Annotated[float, Field(gt=0)] = 60
    lease: Annotated[float, Field(gt=0)] = 180
    quarantine: Annotated[float, Field(ge=0)] = 900
    codes: dict[str, CodeClass] = {}
    """Classes of codes that the PG does not publish."""


class TossPayments(Gateway):
    """TossPayments billing, API v1."""

    secret_key: Secret
    base_url: WebUrl = "https://api.tosspayments.com"


class Allat(Gateway):
    """KG Allat (올앳), FIX."""

    shop_id: str
    cross_key: Secret
    base_url: WebUrl = "https://tx.allatpay.com"
    test: bool = False


class Nicepay(Gateway):
    """NICEPAY, Start API."""

    client_key: str
    secret_key: Secret
    base_url: WebUrl = "https://api.nicepay.co.kr"


class Gateways(Section):
    """The PGs by code. A PG without a table here cannot be charged."""

    tosspayments: TossPayments | None = None
    allat: Allat | None = None
    nicepay: Nicepay | None = None


class Mail(Section):
    """Where mails are handed over."""

    smtp_url: SmtpUrl = "smtp://127.0.0.1:25"
    password: Secret | None = None
    connections: Annotated[int, Field(ge=1, le=64)] = 2
    connect_timeout: Annotated[float, Field(gt=0)] = 10
    timeout: Annotated[float, Field(gt=0)] = 60
    """Waiting for any reply but the one to the final dot."""
    final_dot_timeout: Annotated[float, Field(gt=0)] = 600
    """RFC 5321 4.5.3.2.6; a shorter wait makes duplicates (RFC 1047)."""
    lease: Annotated[float, Field(gt=0)] = 900


class Sms(Section):
    """Which SMS provider, and its account."""

    provider: Literal["solapi", "cafe24"] = "solapi"
    base_url: WebUrl = "https://api.solapi.com"
    api_key: str = ""
    api_secret: Secret = SecretStr("")
    connect_timeout: Annotated[float, Field(gt=0)] = 5
    read_timeout: Annotated[float, Field(gt=0)] = 30
    lease: Annotated[float, Field(gt=0)] = 180


class Policy(Section):
    """The rules' options; docs/operations.ko.md, chapter 4, says what each does."""

    time_travel: bool = False
    notice_days_before: Annotated[int, Field(ge=1, le=30)] = 2
    charge_days_before: Annotated[int, Field(ge=0, le=29)] = 1
    retry_days: Annotated[int, Field(ge=1, le=14)] = 3
    retry_times: Annotated[ClockTimes, Field(min_length=1)] = (
        time(10),
        time(17),
    )
    backup_card: bool = True
    on_missed: Literal["deliver_late", "skip"] = "deliver_late"
    max_late_days: Annotated[int, Field(ge=0)] = 14
    on_sold_out: Literal["drop", "charge"] = "drop"
    on_price_rise: Literal["keep_old_price", "hold", "charge_new"] = "keep_old_price"
    require_notice: Literal["any", "none"] = "any"
    debit_notice_mail: bool = True
    sms_units: Annotated[int, Field(ge=0)] = 1
    lms_units: Annotated[int, Field(ge=0)] = 3
    operator_mail: Literal["each", "digest"] = "each"
    quiet_hours: QuietHours = (time(21), time(8))
    resend_unknown_mail: bool = True
    doubt_after: Annotated[float, Field(gt=0)] = 24
    """Hours."""
    reset_max_age_days: Annotated[int, Field(ge=0)] = 7

    @model_validator(mode="after")
    def _notice_before_charge(self) -> Policy:
        if self.charge_days_before >= self.notice_days_before:
            raise ValueError(
                "charge_days_before 는 notice_days_before 보다 작아야 합니다. 결제는 안내 다음 날부터입니다"
            )
        return self

    @property
    def doubt_horizon(self) -> timedelta:
        """How long an unknown attempt is asked after before a person decides."""
        return timedelta(hours=self.doubt_after)


class Paths(Section):
    """Folders on this host."""

    spool: Path = Path("/var/lib/jeonggi/spool")
    templates: Annotated[Path | None, BeforeValidator(lambda value: value or None)] = None


class Settings(Section):
    """The whole file."""

    shop: Shop
    database: Database
    gateway: Gateways = Gateways()
    mail: Mail = Mail()
    sms: Sms | None = None
    policy: Policy = Policy()
    paths: Paths = Paths()

    @model_validator(mode="after")
    def _time_travels_on_loopback_only(self) -> Settings:
        if self.policy.time_travel:
            far = [
                name
                for name, url in self._remote_addresses()
                if not is_loopback(urlsplit(url).hostname or "")
            ]
            if far:
                raise ValueError(
                    f"policy.time_travel = true 는 모든 주소가 이 컴퓨터(127.0.0.1)일 때만 허용됩니다. "
                    f"{', '.join(far)} 을(를) 시뮬레이터로 바꾸거나 time_travel 을 지우세요"
                )
        return self

    def _remote_addresses(self) -> list[tuple[str, str]]:
        found = [(f"gateway.{code}.base_url", one.base_url) for code, one in self.gateways().items()]
        found.append(("mail.smtp_url", self.mail.smtp_url))
        if self.sms:
            found.append(("sms.base_url", self.sms.base_url))
        return found

    def gateways(self) -> dict[str, TossPayments | Allat | Nicepay]:
        """Return the configured PGs by their code."""
        return {code: one for code, one in self.gateway if one is not None}
