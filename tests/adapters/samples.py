"""The letter that the tests of mail send."""

from __future__ import annotations

from datetime import UTC, datetime

from lib.messengers import Letter

NOW = datetime(2026, 11, 29, 1, 2, 3, tzinfo=UTC)
LETTER = Letter(
    message_id=41,
    channel="mail",
    address="kim@example.com",
    subject="[원두상점] 12월 1일 배송분 결제 예정 안내",
    body="김철수님,\n.\n12,900원이 결제됩니다.\n",
    html="<p>김철수님</p>",
    sms_kind=None,
    sender="shop@example.co.kr",
    sender_name="원두상점",
    claimed_at=NOW,
    lease_until=datetime.max.replace(tzinfo=UTC),
)
LETTER_ID = "<jeonggi.41@example.co.kr>"
