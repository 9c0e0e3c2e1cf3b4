"""Tell values that the database does not take from every other fault."""

from __future__ import annotations

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from lib.store import error_code

SUSPECT = (DBAPIError, OverflowError, ValueError, TypeError)
"""What reading or writing values may raise: a date of zeros, or a huge number in SQLite, is a plain error."""

ROW_CODES = frozenset({1292, 1644, 1690, 3819, 4025})
"""A row's fault that PyMySQL takes for the server's: a wrong date, a trigger's refusal, a number out of
range, a CHECK of MySQL's and of MariaDB's."""


def is_bad_data(error: Exception) -> bool:
    """Tell whether a write failed for its values: one row's trouble, which stops no other row."""
    if isinstance(error, DBAPIError) and error_code(error) in ROW_CODES:
        return True
    return isinstance(error, DataError | IntegrityError | OverflowError | ValueError | TypeError)
