"""What is around the database: the spool, the templates, the PGs, the sender number, a second charger."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta

from lib import installing
from lib.billing import texts
from lib.checking.finding import Finding, bad, good, warning
from lib.messengers.solapi import Solapi
from lib.rendering import Renderer, TemplateError
from lib.settings import Settings
from lib.spool import Spool, SpoolError
from lib.store import Row, Store

LATELY = timedelta(days=7)
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def spool(settings: Settings) -> Finding:
    """Try the spool folder as a charge does: approvals are kept there before the database knows of them."""
    folder = settings.paths.spool
    trial = Spool(folder)
    try:
        trial.open()
    except SpoolError as error:
        return bad(str(error), f"mkdir -p -m 700 {folder}, owned by the user that runs the jobs")
    trial.finish()
    if folder.stat().st_mode & OF_OTHERS:
        return bad(f"paths.spool: others may look into {folder}", f"chmod 700 {folder}")
    return good(f"the spool {folder} can be written")


def templates(settings: Settings) -> Finding:
    """Compile every template, the shop's own ones too."""
    try:
        Renderer(settings.paths.templates)
    except TemplateError as error:
        return bad(str(error), "correct the template")
    return good("the templates compile")


def installation(settings: Settings, store: Store) -> Finding:
    """Ask whether this is the database that was set up with this configuration."""
    fault = store.transaction(lambda tx: installing.verify(tx, settings))
    if fault:
        return bad(*_split_remedy(fault))
    return good("this is the database that was set up")


def _split_remedy(fault: str) -> tuple[str, str]:
    what, _, remedy = fault.rpartition("; ")
    return what, remedy


def gateways(settings: Settings, store: Store) -> list[Finding]:
    """Ask whether every PG with a contract in use can be charged."""
    codes = sorted({str(row["pg_code"]) for row in store.rows("pgs_in_use")})
    if not codes:
        return [
            warning("no PG is in use: nothing will be charged", "put a contract in use on the shop's page")
        ]
    return [_gateway(settings, code) for code in codes]


def _gateway(settings: Settings, code: str) -> Finding:
    configured = settings.gateways().get(code)
    if configured is None:
        return bad(f"the PG {code} is in use and not configured", f"add [gateway.{code}]")
    if not configured.enabled:
        return warning(f"the PG {code} is switched off", f"set gateway.{code}.enabled = true")
    return good(f"the PG {code} is in use and configured")


def sender_number(settings: Settings, store: Store) -> Finding:
    """Ask whether the shop's sender number can be one, and whether the provider knows it."""
    row = store.row("shop_row")
    if row is None:
        return bad("the shop's row is missing", "put it into the shop's table, or correct v_shop")
    if settings.sms is None:
        return warning("no SMS provider is configured: no SMS is sent", "add [sms], or switch the SMS off")
    return _sender(settings, row)


def _sender(settings: Settings, row: Row) -> Finding:
    number = texts.sender_number(row["sender_phone"] or "")
    if number is None:
        return bad("the shop's SMS sender number is not a Korean number", "correct it on the shop's page")
    known = _registered(settings)
    if known is None:
        return warning(
            "the SMS provider did not tell whether the sender number is registered", "look on its console"
        )
    if number not in known:
        return bad(
            "the SMS provider does not know the shop's sender number", "register it there (발신번호 사전등록)"
        )
    return good("the SMS provider knows the shop's sender number")


def _registered(settings: Settings) -> set[str] | None:
    if settings.sms is None or settings.sms.provider != "solapi":
        return None
    provider = Solapi(settings.sms)
    try:
        return provider.sender_numbers()
    finally:
        provider.close()


def second_charger(settings: Settings, store: Store) -> Finding:
    """Look for orders of rounds that are ours to charge and that we did not write."""
    since = datetime.now(settings.shop.timezone).replace(tzinfo=None) - LATELY
    rows = store.rows("find_foreign_orders", first_delivery=settings.shop.first_delivery, since=since)
    if not rows:
        return good("nobody else charges our rounds")
    orders = ", ".join(str(row["order_id"]) for row in rows)
    return bad(
        f"somebody else wrote orders for rounds that are ours: {orders}",
        "stop the other charger, or move shop.first_delivery past its last round",
    )
