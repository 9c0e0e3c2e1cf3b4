"""NICEPAY's result codes (nicepay-manual, common/code.md), and what they mean for money."""

from __future__ import annotations

from collections.abc import Mapping

from lib.settings.values import CodeClass

SUCCESS = "0000"
NOT_FOUND = "U107"
KEY_DELETED = frozenset({SUCCESS, "F101"})
KEY_GONE = frozenset({"A124", "A126", "A223", "U115", "U309"})
NUMBER_TAKEN = frozenset({"U112", "A127", "P015", "2156", "2201"})
"""The order number is running or used: something is there, and an inquiry has to say what."""
CANCELLED_BEFORE = frozenset({"2013", "2015"})

# The codes are published, their classes are ours. A field that is missing, too long or no number stands with
# the row: what differs between two requests is the row, and one bad row must not stop the others.
PUBLISHED: Mapping[CodeClass, str] = {
    "declined-soft": "3095",
    "declined-hard": "3011 3021 3053 3057 F118 U115 A126 U309 A124 A223 A125",
    "refused": "U100 U105 U127 U321 3041 P007 P008 P009 P010 P011 P012 P013 P017",
    "misconfigured": """U102 U103 U104 U108 U109 U110 U304 U305 U312 U313 U315 U316 U345 3012 3013 3014
        P014 P016 2151 2152 F115 F116 F117""",
    "unknown": """U107 U112 A127 P015 2156 2201 U303 A299 U501 U503 U504 U506 U507 U508 2159 X001 X002 X003
        X004 A110 A400 A401 A402 A403""",
}
CODES: Mapping[str, CodeClass] = {code: kind for kind, codes in PUBLISHED.items() for code in codes.split()}

_NO_CANCEL = """2003 2010 2011 2012 2014 2016 2017 2018 2019 2020 2023 2026 2028 2029 2030 2031 2032 2033
    U122 U123 U318"""
CANCEL_REFUSED = frozenset(_NO_CANCEL.split())
