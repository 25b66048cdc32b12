"""The risk of a return in words: advice before buying, never a word against sending back.

Reads  plain values that a guard found.
Gives  sentences by reason code, who may read them, and the choices.
Never  a customer's own returns in what customers read; a doubt about their right to return.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..kernels.return_reasons import Said

CUSTOMER, STAFF = "customer", "staff"
AUDIENCES = {
    "often_returned": CUSTOMER,
    "several_of_one": CUSTOMER,
    "others_kept": CUSTOMER,
    "first_of_kind": CUSTOMER,
    "own_returns": STAFF,
}
SENTENCES: dict[str, dict[str, str]] = {
    "often_returned": {
        "en": "{item}: {return_percent} of 100 came back; a second look may be worth it",
        "ko": "{item}: 100개 중 {return_percent}개가 반품됨. 한 번 더 확인해 보세요",
    },
    "several_of_one": {
        "en": "{item}: {n_lines} lines of the same thing are in the cart; is each one meant?",
        "ko": "{item}: 장바구니에 같은 상품이 {n_lines}줄 있음. 모두 필요한가요?",
    },
    "others_kept": {
        "en": "of {n_buyers} who bought both and sent one back, {n_kept} kept {kept}",
        "ko": "둘 다 구매하고 하나를 반품한 {n_buyers}명 중 {n_kept}명이 {kept}을(를) 선택함",
    },
    "first_of_kind": {
        "en": "{item}: the first of its kind here; the description tells whether it fits",
        "ko": "{item}: 처음 구매하는 종류의 상품. 상세 설명을 확인해 보세요",
    },
    "own_returns": {
        "en": "{n_back} of this customer's {n_lines} past lines came back",
        "ko": "이 고객의 과거 주문 {n_lines}줄 중 {n_back}줄이 반품됨",
    },
}
OPTIONS = ("keep it; it can be sent back as always", "look at it once more", "remove this line")
OPTIONS_OF_SEVERAL = (
    "keep all; each can be sent back as always",
    "keep one of them",
    "compare them once more",
)
SEVERAL = ("several_of_one", "others_kept")
NAMED = {"own_returns": None, "others_kept": "kept"}  # the fact that holds the name; else "item"


def facts_said(said: Said, name: str) -> dict[str, Any]:
    """What a reason states, with the name of the item it speaks of."""
    place = NAMED.get(said.code, "item")
    return dict(said.numbers) if place is None else {place: name, **said.numbers}


def options_of(codes: Iterable[str]) -> tuple[str, ...]:
    """The choices that go with a warning's reasons."""
    return OPTIONS_OF_SEVERAL if set(codes) & set(SEVERAL) else OPTIONS


def return_fact(code: str, **facts: Any) -> dict[str, Any]:
    """One reason: its code, who may read it, its facts and its English sentence.

    Examples
    --------
    >>> return_fact("own_returns", n_back=2, n_lines=9)["audience"]
    'staff'
    """
    sentence = SENTENCES[code]["en"].format(**facts)
    return {"code": code, "audience": AUDIENCES[code], "facts": facts, "text": sentence}
