"""The error codes of TossPayments and what each means for a charge (docs.tosspayments.com, error list)."""

from __future__ import annotations

from collections.abc import Mapping

from lib.settings.values import CodeClass

# The codes are published, their classes are ours. INVALID_REQUEST and the instalment codes stand with the
# row: what differs between two requests is the row, and one bad row must not stop the others.
# INVALID_IDEMPOTENCY_KEY stands with the account: every row's key has the same form.
PUBLISHED: Mapping[CodeClass, str] = {
    "declined-soft": """REJECT_CARD_PAYMENT REJECT_ACCOUNT_PAYMENT REJECT_CARD_COMPANY MAINTAINED_METHOD
        NOT_AVAILABLE_BANK EXCEED_MAX_DAILY_PAYMENT_COUNT EXCEED_MAX_PAYMENT_AMOUNT
        EXCEED_MAX_ONE_DAY_AMOUNT EXCEED_MAX_AMOUNT EXCEED_MAX_AUTH_COUNT""",
    "declined-hard": """INVALID_STOPPED_CARD INVALID_CARD_LOST_OR_STOLEN INVALID_REJECT_CARD
        INVALID_CARD_EXPIRATION INVALID_CARD_NUMBER INVALID_BILL_KEY_REQUEST NOT_SUPPORTED_CARD_TYPE
        NOT_REGISTERED_CARD_COMPANY NOT_FOUND_BILLING ALREADY_REMOVED_BILLING_KEY""",
    "refused": """NOT_MATCHES_CUSTOMER_KEY BELOW_MINIMUM_AMOUNT INVALID_ORDER_NAME INVALID_ORDER_ID
        INVALID_REQUEST NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN INVALID_CARD_INSTALLMENT_PLAN""",
    "misconfigured": """UNAUTHORIZED_KEY INCORRECT_BASIC_AUTH_FORMAT INVALID_API_KEY NOT_SUPPORTED_METHOD
        NOT_FOUND_TERMINAL_ID NOT_FOUND_MERCHANT FORBIDDEN_REQUEST INVALID_IDEMPOTENCY_KEY""",
    "unknown": """DUPLICATED_ORDER_ID ALREADY_PROCESSED_PAYMENT ALREADY_COMPLETED_PAYMENT DUPLICATED_REQUEST
        PROVIDER_ERROR IDEMPOTENT_REQUEST_PROCESSING FORBIDDEN_CONSECUTIVE_REQUEST""",
}
CODES: Mapping[str, CodeClass] = {code: kind for kind, codes in PUBLISHED.items() for code in codes.split()}
