"""What is around the database: the spool, the templates, the PGs, the sender number, a second charger."""

from __future__ import annotations

import stat
from contextlib import closing
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
    with closing(Spool(settings)) as trial:
        try:
            trial.open()
        except SpoolError as error:
            return bad(str(error), f"작업을 실행하는 사용자로 실행하세요: mkdir -p -m 700 {folder}")
        trial.forget_own()
    if folder.stat().st_mode & OF_OTHERS:
        return bad(
            f"paths.spool: 다른 사용자가 {folder} 을(를) 볼 수 있음", f"실행하세요: chmod 700 {folder}"
        )
    return good(f"스풀 {folder} 에 쓸 수 있음")


def templates(settings: Settings) -> Finding:
    """Compile every template, the shop's own ones too."""
    try:
        Renderer(settings.paths.templates)
    except TemplateError as error:
        return bad(str(error), "서식을 고치세요")
    return good("메시지 서식이 모두 맞음")


def installation(settings: Settings, store: Store) -> Finding:
    """Ask whether this is the database that was set up with this configuration."""
    fault = store.transaction(lambda tx: installing.verify(tx, settings))
    if fault:
        return bad(*_split_remedy(fault))
    return good("등록한 데이터베이스가 맞음")


def _split_remedy(fault: str) -> tuple[str, str]:
    what, _, remedy = fault.rpartition(". ")
    return what, remedy


def gateways(settings: Settings, store: Store) -> list[Finding]:
    """Ask whether every PG with a contract in use can be charged."""
    codes = sorted({str(row["pg_code"]) for row in store.rows("pgs_in_use")})
    if not codes:
        return [
            warning("이용중인 PG 가 없어 아무것도 결제하지 않음", "관리자 페이지에서 PG 계약을 이용하세요")
        ]
    return [_gateway(settings, code) for code in codes]


def _gateway(settings: Settings, code: str) -> Finding:
    configured = settings.gateways().get(code)
    if configured is None:
        return bad(f"이용중인 PG {code} 의 설정이 없음", f"설정에 [gateway.{code}] 를 적으세요")
    if not configured.enabled:
        return warning(f"PG {code} 이(가) 꺼져 있음", f"gateway.{code}.enabled = true 로 켜세요")
    return good(f"이용중인 PG {code} 의 설정이 있음")


def sender_number(settings: Settings, store: Store) -> Finding:
    """Ask whether the shop's sender number can be one, and whether the provider knows it."""
    row = store.row("shop_row")
    if row is None:
        return bad("v_shop 에 쇼핑몰 행이 없음", "쇼핑몰 기본정보를 넣거나 어댑터의 v_shop 뷰를 고치세요")
    if settings.sms is None:
        return warning("문자 발송사 설정이 없어 문자를 보내지 않음", "[sms] 를 적거나 문자 안내를 끄세요")
    return _sender(settings, row)


def _sender(settings: Settings, row: Row) -> Finding:
    number = texts.sender_number(row["sender_phone"] or "")
    if number is None:
        return bad("쇼핑몰의 발신번호가 국내 번호가 아님", "관리자 페이지에서 고치세요")
    known = _registered(settings)
    if known is None:
        return warning("발신번호가 등록되었는지 발송사가 답하지 않음", "발송사 콘솔에서 확인하세요")
    if number not in known:
        return bad("쇼핑몰의 발신번호가 발송사에 등록되지 않음", "발송사에 발신번호를 사전등록하세요")
    return good("발신번호가 발송사에 등록되어 있음")


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
        return good("우리 회차를 결제하는 다른 프로그램이 없음")
    orders = ", ".join(str(row["order_id"]) for row in rows)
    return bad(
        f"우리가 맡은 회차의 주문을 다른 프로그램이 만듦: {orders}",
        "그 프로그램을 멈추거나 shop.first_delivery 를 그 마지막 배송일 뒤로 옮기세요",
    )
