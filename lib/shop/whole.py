"""What holds for the whole shop while a batch is decided: switches, fees, PGs, credits."""

from __future__ import annotations

from dataclasses import dataclass

from lib.billing import texts
from lib.billing.invoice import ShippingPolicy, region_fee
from lib.billing.rounds import PgStanding
from lib.clock import Clock
from lib.dialect import as_datetime
from lib.settings import ConfigurationError, Settings
from lib.shop.rows import Channel, Recipient
from lib.store import Transaction, utc


@dataclass(frozen=True)
class ShopState:
    """What holds for the whole shop while a batch is decided."""

    shop_no: int
    name: str
    operator_mail: str | None
    sender_mail: str
    sender_phone: str
    homepage_url: str
    is_ready: bool
    switches: dict[tuple[str, str, str], bool]
    has_sms: bool
    """Whether an SMS provider is configured; without one the channel is as good as off."""
    shipping: ShippingPolicy
    region_fees: tuple[tuple[str, str, int], ...]
    pgs: dict[str, PgStanding]

    def is_on(self, kind: str, recipient: Recipient, channel: Channel) -> bool:
        """Tell whether a message is switched on; SMS exists for the customer's payment notice only."""
        if channel == "sms" and not (self.has_sms and (kind, recipient) == ("payment_notice", "customer")):
            return False
        return self.switches.get((kind, recipient, channel), True)

    def pg(self, pg_code: str) -> PgStanding:
        """Return how a PG stands; one the shop never had is not in use."""
        return self.pgs.get(pg_code, PgStanding())

    def region_fee(self, zipcode: str) -> int:
        """Return the extra fee for an address, in won."""
        return region_fee(zipcode, self.region_fees)


def read_shop(tx: Transaction, settings: Settings, clock: Clock) -> ShopState:
    """Read what holds for the whole shop; raises ConfigurationError without the shop's row."""
    row = tx.row("shop_row")
    if row is None:
        raise ConfigurationError(
            "v_shop 에 쇼핑몰 행이 없습니다. 쇼핑몰 기본정보를 넣거나 어댑터의 v_shop 뷰를 고치세요"
        )
    shipping = tx.row("shop_shipping")
    return ShopState(
        shop_no=row["shop_no"],
        name=texts.clean(row["shop_name"]),
        operator_mail=texts.mail_address(row["operator_email"]),
        sender_mail=row["sender_email"],
        sender_phone=row["sender_phone"],
        homepage_url=row["homepage_url"],
        is_ready=bool(row["is_ready"]),
        switches=_read_switches(tx),
        has_sms=settings.sms is not None,
        shipping=ShippingPolicy(shipping["base_fee"], shipping["free_over"])
        if shipping
        else ShippingPolicy(0, None),
        region_fees=tuple(
            (each["zipcode_from"], each["zipcode_to"], each["extra_fee"])
            for each in tx.rows("shop_region_fees")
        ),
        pgs=read_pgs(tx, clock),
    )


def _read_switches(tx: Transaction) -> dict[tuple[str, str, str], bool]:
    rows = tx.rows("shop_switches")
    return {(row["kind"], row["recipient"], row["channel"]): bool(row["is_on"]) for row in rows}


def read_pgs(tx: Transaction, clock: Clock) -> dict[str, PgStanding]:
    """Read how each PG stands that the shop ever had a contract, a service or a reset of."""
    in_use = {row["pg_code"] for row in tx.rows("pgs_in_use")}
    services = {row["pg_code"] for row in tx.rows("services_in_use")}
    ended = {row["pg_code"]: as_datetime(row["ended_at"]) for row in tx.rows("contracts_ended")}
    resetting = set()
    for row in tx.rows("resets_by_pg"):
        event_at = clock.to_local(utc(row["event_at"]))
        ended[row["pg_code"]] = max(event_at, ended.get(row["pg_code"], event_at))
        if row["is_open"]:
            resetting.add(row["pg_code"])
    return {
        code: PgStanding(code in in_use, code in services, ended.get(code), code in resetting)
        for code in in_use | services | ended.keys()
    }


def read_credits(tx: Transaction) -> dict[str, int]:
    """Read the prepaid credits that are left, by channel (bulk_mail, sms)."""
    return {row["channel"]: row["balance"] for row in tx.rows("shop_credits")}
