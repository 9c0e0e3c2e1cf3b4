"""The configuration: one TOML file, validated as a whole before anything else is done."""

from __future__ import annotations

import ipaddress
import os
import stat
import tomllib
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

DEFAULT_PATH = Path("/etc/jeonggi.toml")
READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


class ConfigurationError(Exception):
    """The configuration cannot be used; the text names the key and the remedy, and never a secret."""


def _secret(value: object) -> object:
    """Resolve `env:NAME`; anything else stands for itself."""
    if not isinstance(value, str) or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    if name not in os.environ:
        raise ValueError(f"the environment variable {name} is not set; set it or write the value here")
    return os.environ[name]


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _safe_url(url: str, plain: str, safe: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in (plain, *safe) or not parts.hostname:
        raise ValueError(f"not a {' or '.join((*safe, plain))} address")
    if parts.scheme == plain and not is_loopback(parts.hostname):
        raise ValueError(f"{plain}:// is allowed to loopback only; write {safe[0]}://")
    return url


def _web_url(url: str) -> str:
    return _safe_url(url.rstrip("/"), "http", ("https",))


def _smtp_url(url: str) -> str:
    return _safe_url(url, "smtp", ("smtps", "smtp+starttls"))


def _zone(name: object) -> object:
    try:
        return ZoneInfo(name) if isinstance(name, str) else name
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"no time zone is called {name!r}; Asia/Seoul, for instance") from None


def _clock_times(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise ValueError('write a list of times such as ["10:00", "17:00"]')  # noqa: TRY004 pydantic wants it
    return tuple(sorted(_clock_time(item) for item in value))


def _clock_time(value: object) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f'{value!r} is no time of day such as "10:00"') from None


def _quiet_hours(value: object) -> object:
    """Read "21:00-08:00"; an empty string means none."""
    if value == "" or value is None:
        return None
    start, dash, end = str(value).partition("-")
    if not dash:
        raise ValueError('write "21:00-08:00", or "" for none')
    return (_clock_time(start.strip()), _clock_time(end.strip()))


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
WebUrl = Annotated[str, AfterValidator(_web_url)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]


class Section(BaseModel):
    """A table of the file: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Shop(Section):
    """Which shop, and from which delivery day on it is ours."""

    adapter: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] = "standard"
    timezone: Annotated[ZoneInfo, BeforeValidator(_zone)] = ZoneInfo("Asia/Seoul")
    first_delivery: date


class Database(Section):
    """Where our schema is, and how the shop's schema on the same server is called."""

    url: Annotated[str, Field(pattern=r"^(mysql\+pymysql|mariadb\+pymysql|sqlite)://")]
    password: Secret | None = None
    shop_schema: Annotated[str, Field(pattern=r"^[A-Za-z0-9_$]+$")] | None = None

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is the embedded shop of the demo."""
        return self.url.startswith("sqlite")

    @model_validator(mode="after")
    def _schema_fits(self) -> Database:
        if not self.is_sqlite and not self.shop_schema:
            raise ValueError("shop_schema is missing: the name of the shop's schema on this server")
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
    codes: dict[str, Literal["declined-hard", "declined-soft", "refused", "misconfigured", "unknown"]] = {}
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
    """The rules' options; docs/rules.ko.md says what each does."""

    time_travel: bool = False
    notice_days_before: Annotated[int, Field(ge=1, le=30)] = 2
    charge_days_before: Annotated[int, Field(ge=0, le=29)] = 1
    retry_days: Annotated[int, Field(ge=1, le=14)] = 3
    retry_times: Annotated[tuple[time, ...], BeforeValidator(_clock_times), Field(min_length=1)] = (
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
    quiet_hours: Annotated[tuple[time, time] | None, BeforeValidator(_quiet_hours)] = (time(21), time(8))
    resend_unknown_mail: bool = True
    doubt_after: Annotated[float, Field(gt=0)] = 24
    """Hours."""
    reset_max_age_days: Annotated[int, Field(ge=0)] = 7

    @model_validator(mode="after")
    def _notice_before_charge(self) -> Policy:
        if self.charge_days_before >= self.notice_days_before:
            raise ValueError("charge_days_before must be less than notice_days_before")
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
    _path: Path = PrivateAttr(default=DEFAULT_PATH)

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
                    f"policy.time_travel needs every address on loopback; {', '.join(far)} is not"
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


def load(path: Path | None) -> Settings:
    """Read and validate the file; raise ConfigurationError with one line a finding."""
    chosen = path or Path(os.environ.get("JEONGGI_CONFIG") or DEFAULT_PATH)
    content = _read(chosen)
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_lines(chosen, error))) from None
    if _holds_secrets(content) and chosen.stat().st_mode & READABLE_BY_OTHERS:
        raise ConfigurationError(
            f"{chosen}: it holds secrets and others can read it; run: chmod 600 {chosen}"
        )
    settings._path = chosen  # noqa: SLF001 the file's own place is no key of the file
    return settings


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{path}: no such file; name one with --config or $JEONGGI_CONFIG (see docs/operations.ko.md)"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None


def _lines(path: Path, error: ValidationError) -> list[str]:
    """Say each finding without its value: the value may be a secret."""
    found = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        key = ".".join(str(part) for part in item["loc"]) or "file"
        said = (
            "unknown key; remove it or correct its spelling"
            if item["type"] == "extra_forbidden"
            else item["msg"]
        )
        found.append(f"{path}: {key}: {said.removeprefix('Value error, ')}")
    return found


SECRET_KEYS = frozenset({"password", "secret_key", "cross_key", "api_secret"})


def _holds_secrets(table: dict[str, Any]) -> bool:
    """Tell whether a secret is written out in the file, also as the password inside a URL."""
    for key, value in table.items():
        if isinstance(value, dict):
            if _holds_secrets(value):
                return True
        elif isinstance(value, str) and not value.startswith("env:"):
            if key in SECRET_KEYS and value:
                return True
            if key in {"url", "smtp_url"} and urlsplit(value).password:
                return True
    return False
