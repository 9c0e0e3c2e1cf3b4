"""Tell values that the database does not take from every other fault."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from lib.store import error_code

SUSPECT = (DBAPIError, OverflowError, ValueError, TypeError)
"""What reading or writing values may raise: a date of zeros, or a huge number in SQLite, is a plain error."""

CHECK_FAILED = frozenset({3819, 4025})
"""MySQL's and MariaDB's codes for a broken CHECK; PyMySQL takes them for operational errors."""


def is_bad_data(error: Exception) -> bool:
    """Tell whether a write failed for its values: one row's trouble, which stops no other row."""
    if isinstance(error, DBAPIError) and error_code(error) in CHECK_FAILED:
        return True
    return isinstance(error, DataError | IntegrityError | OverflowError | ValueError | TypeError)
