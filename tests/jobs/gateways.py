"""The same shop on any PG, its contract, its cards and how they answer: one test can go round them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lib.sandbox import AllatCard, Card, NicepayCard, Sandbox
from lib.sandbox.allat_rules import EXPIRED, LIMIT
from tests.jobs.charging import BACKUP, CHARGE_AT, DELIVERY, HARD, MAIN, NOTICE_AT, SOFT, charge
from tests.rig import Rig, Run
from tests.shopkeeper import Subscribed, card, open_shop, subscription


@dataclass(frozen=True)
class Pg:
    """A PG that a shop may have: how it refuses a card, and how its simulator learns of one."""

    code: str
    soft: str
    hard: str
    register: Callable[[Sandbox, str, tuple[str, ...]], None]

    def __str__(self) -> str:
        return self.code


TOSS = Pg(
    "tosspayments", SOFT, HARD, lambda sandbox, key, script: sandbox.toss.register(Card(key, script=script))
)
NICEPAY = Pg(
    "nicepay", "3095", "3021", lambda sandbox, key, script: sandbox.nicepay.register(NicepayCard(key, script))
)
ALLAT = Pg(
    "allat", LIMIT, EXPIRED, lambda sandbox, key, script: sandbox.allat.register(AllatCard(key, script))
)


def announced_at(
    rig: Rig,
    pg: Pg,
    *script: str,
    gateway: Mapping[str, object] | None = None,
    policy: Mapping[str, object] | None = None,
    **columns: Any,  # noqa: ANN401 any column
) -> Subscribed:
    """Put in a shop whose contract and card are the PG's, with one announced round.

    `script` is how the card answers; `gateway` and `policy` are keys of the configuration.
    """
    rig.config(gateway={pg.code: gateway or {}}, policy=policy or {})
    open_shop(rig, pg.code)
    main = stored_card(rig, pg, MAIN, *script)
    given = subscription(rig, "S-1", delivery_on=DELIVERY, card_id=main, pg_code=pg.code, **columns)
    rig.run("notify_d2", "--as-of", NOTICE_AT)
    return given


def stored_card(rig: Rig, pg: Pg, billing_key: str, *script: str) -> int:
    """Store a card of the PG; returns its id."""
    pg.register(rig.sandbox, billing_key, script or ("approve",))
    return card(rig, billing_key=billing_key, pg_code=pg.code)


def give_backup_at(rig: Rig, pg: Pg, *script: str) -> int:
    """Store a backup card for the subscription; returns its id."""
    made = stored_card(rig, pg, BACKUP, *script)
    rig.shop("UPDATE subscription SET backup_card_id = :card_id", card_id=made)
    return made


def charge_at(rig: Rig, at: str = CHARGE_AT, *arguments: str, check: int | None = 0) -> Run:
    """Run charge_d1 at a moment of the shop's time, which is the simulators' time too."""
    set_clock(rig, at)
    return charge(rig, at, *arguments, check=check)


def set_clock(rig: Rig, at: str) -> None:
    """Let the simulators stand at a moment of the shop's time."""
    zone = rig.settings().shop.timezone
    rig.sandbox.clock.set(datetime.fromisoformat(at).replace(tzinfo=zone))


def approvals_at(rig: Rig, pg: Pg) -> int:
    """Return how many charges the PG has ever approved."""
    return len(rig.sandbox.pgs[pg.code].approvals())


def calls_at(rig: Rig, pg: Pg) -> list[tuple[str, str]]:
    """Return endpoint and outcome of every request that reached the PG."""
    return [(call.endpoint, call.outcome) for call in rig.sandbox.pgs[pg.code].calls()]
