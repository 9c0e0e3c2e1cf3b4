"""The demo's mails and SMS in a form that anybody can open."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from lib.sandbox.demo_stage import ZONE, Places, Stage
from lib.sandbox.solapi_groups import Released

_NUMBER = re.compile(r"jeonggi\.(\d+)@")


def write_readable(stage: Stage) -> dict[int, str]:
    """Write every mail as .html and .txt and all SMS into one file; return the mails' names by message id."""
    places = stage.places
    for kind in ("html", "txt"):
        (places.mails / kind).mkdir(exist_ok=True)
    _write_sms(stage)
    return {_write_mail(places, path): path.stem for path in sorted(places.mails.glob("*.eml"))}


def _write_mail(places: Places, path: Path) -> int:
    mail = message_from_bytes(path.read_bytes())
    for part in mail.walk():
        if part.get_content_maintype() == "text":
            kind = "html" if part.get_content_subtype() == "html" else "txt"
            target = places.mails / kind / f"{path.stem}.{kind}"
            target.write_bytes(_content(part))
    found = _NUMBER.search(str(mail["Message-ID"]))
    return int(found[1]) if found else 0


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _write_sms(stage: Stage) -> None:
    blocks = map(_block, stage.sandbox.solapi.released())
    stage.places.sms.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _block(sms: Released) -> str:
    head = f"[{sms.at.astimezone(ZONE):%Y-%m-%d %H:%M}] {sms.kind} {sms.sender} → {sms.to}"
    return "\n".join([head, *([f"제목: {sms.subject}"] if sms.subject else []), sms.text])


def samples(stage: Stage, names: dict[int, str]) -> list[Path]:
    """Return three files worth opening: a payment notice, the mail of the rarest kind, all SMS."""
    kinds = {row["kind"]: names[row["message_id"]] for row in stage.rows("sample_mails")}
    wanted = ("payment_notice", "auto_cancel", "payment_declined")
    mails = [stage.places.mails / "html" / f"{kinds[kind]}.html" for kind in wanted if kind in kinds]
    return [*mails[:2], stage.places.sms]
