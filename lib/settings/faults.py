"""What a wrong configuration file is told: one line a finding, the key and the remedy, never the value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

REMEDIES: Mapping[str, str] = {
    "missing": "필요한 항목이 없습니다. 적어 넣으세요",
    "extra_forbidden": "알 수 없는 항목입니다. 철자를 고치거나 지우세요",
    "greater_than": "{gt} 보다 큰 수를 적으세요",
    "greater_than_equal": "{ge} 이상의 수를 적으세요",
    "less_than_equal": "{le} 이하의 수를 적으세요",
    "literal_error": "{expected} 중 하나를 적으세요",
    "too_short": "하나 이상 적으세요",
    "string_pattern_mismatch": "쓸 수 없는 글자가 있습니다. 영문, 숫자, 밑줄로 적으세요",
    "string_type": "따옴표로 묶은 문자열을 적으세요",
    "model_type": "표로 적으세요 (예: [gateway.tosspayments])",
    "dict_type": "표로 적으세요",
    "int_from_float": "정수를 적으세요",
}
BY_BEGINNING: Mapping[str, str] = {
    "int": "정수를 적으세요",
    "float": "수를 적으세요",
    "bool": "true 또는 false 를 적으세요",
    "date": "2026-12-01 처럼 날짜를 적으세요",
    "path": '"/var/lib/jeonggi" 처럼 경로를 적으세요',
}
OTHERWISE = "값의 형식이 맞지 않습니다. docs/operations.ko.md 의 예를 보세요"


def lines(path: Path, error: ValidationError) -> Iterator[str]:
    """Say each finding without its value: the value may be a secret."""
    for item in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"])
        yield f"{path}: {key}: {_remedy(item)}" if key else f"{path}: {_remedy(item)}"


def _remedy(item: Mapping[str, Any]) -> str:
    kind, context = str(item["type"]), item.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind in REMEDIES:
        return REMEDIES[kind].format(**context).replace(" or ", ", ")
    return BY_BEGINNING.get(kind.partition("_")[0], OTHERWISE)
