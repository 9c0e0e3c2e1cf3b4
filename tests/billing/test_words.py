"""The words for codes: none is forgotten."""

from __future__ import annotations

from lib.billing import words
from lib.store import SQL, read_statements


def test_every_reason_that_blocks_a_round_tells_what_ends_it() -> None:
    assert words.BLOCKED.keys() == words.WAY_OUT.keys()
    assert words.blocked("member_withdrawn") == "탈퇴 회원. 신청을 해지하세요"


def test_every_invariant_has_its_words() -> None:
    assert words.INVARIANT.keys() == read_statements(SQL / "invariants.sql").keys()


def test_a_reason_of_the_shops_own_is_shown_as_it_is() -> None:
    assert words.excluded("own_reason") == "own_reason"
