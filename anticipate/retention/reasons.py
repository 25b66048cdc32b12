"""Why a customer is contacted or not, in words.

Reads  a code per customer and the whole number that its sentence states.
Gives  one sentence per customer, in English or Korean.
Never  urgency; a sentence made twice: customers of equal code and number share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]

# From the weakest to the strongest: where several hold, the last one is told.
SENTENCES: dict[str, dict[str, str]] = {
    "chosen": {
        "en": "{level}: the best use of the budget among the levels this customer may have; what "
        "it saves is {evidence}",
        "ko": "{level}: 이 고객에게 가능한 단계 중 예산을 가장 잘 쓰는 선택. "
        "유지 효과는 {evidence}",
    },
    "by_risk": {
        "en": "{level}: among the most likely to leave; worth and cost were not weighed",
        "ko": "{level}: 이탈 가능성이 가장 높은 고객에 속함. 가치와 비용은 고려하지 않음",
    },
    "behind_by_risk": {
        "en": "others are more likely to leave, and the limits were reached with them",
        "ko": "이탈 가능성이 더 높은 고객에게 한도가 모두 사용됨",
    },
    "held_out": {
        "en": "left alone at random, as {share_percent} % of those who may be contacted, so that "
        "the effect can be measured; it would have been {level}",
        "ko": "효과 측정을 위해 접촉 가능 고객의 {share_percent} %를 무작위로 제외함. "
        "제외되지 않았다면 {level}",
    },
    "capacity": {
        "en": "worth a contact, but the capacity goes further with other customers",
        "ko": "접촉할 가치는 있으나, 가용 인력은 다른 고객에게 더 효과적임",
    },
    "budget": {
        "en": "worth a contact, but the budget goes further with other customers",
        "ko": "접촉할 가치는 있으나, 예산은 다른 고객에게 더 효과적임",
    },
    "not_worth": {
        "en": "no level is expected to save more than it costs",
        "ko": "비용보다 더 많은 가치를 지킬 것으로 예상되는 단계가 없음",
    },
    "channel": {
        "en": "no level uses a channel that this customer accepts",
        "ko": "이 고객이 수락한 채널을 사용하는 단계가 없음",
    },
    "not_eligible": {
        "en": "not entitled to any of these levels",
        "ko": "이 단계들 중 해당되는 것이 없음",
    },
    "cool_down": {
        "en": "last contacted {number} day(s) ago; {cool_down_days} days must lie between",
        "ko": "마지막 접촉은 {number}일 전. 접촉 사이에는 {cool_down_days}일이 필요함",
    },
    "max_contacts": {
        "en": "contacted {number} time(s) in {window_days} days; {max_contacts} are allowed",
        "ko": "최근 {window_days}일 동안 {number}회 접촉. 허용은 {max_contacts}회",
    },
    "open_return": {
        "en": "a return is not settled yet; care comes first",
        "ko": "반품이 아직 처리되지 않음. 해결이 먼저임",
    },
    "open_complaint": {
        "en": "a complaint is still open; care comes first",
        "ko": "불만이 아직 해결되지 않음. 해결이 먼저임",
    },
    "prospective": {
        "en": "has not bought anything yet, so there is no custom to keep",
        "ko": "아직 구매가 없어 유지할 거래가 없음",
    },
    "departed": {
        "en": "has left: see the win-back list",
        "ko": "이미 이탈함. 재유치 목록 참조",
    },
    "marketing": {
        "en": "objects to marketing",
        "ko": "마케팅을 거부함",
    },
    "profiling": {
        "en": "objects to profiling",
        "ko": "프로파일링을 거부함",
    },
    # -- of the win-back list
    "win_back": {
        "en": "has left; the score is what they would spend if they came back, times the chance "
        "that they are still interested",
        "ko": "이미 이탈함. 점수는 돌아올 경우의 예상 지출에 아직 관심이 있을 확률을 곱한 값",
    },
    "win_back_customers": {
        "en": "has left; the score is the chance that they are still interested",
        "ko": "이미 이탈함. 점수는 아직 관심이 있을 확률",
    },
}
REASONS = tuple(SENTENCES)
CODES = {name: code for code, name in enumerate(REASONS)}
LANGUAGES = ("en", "ko")
EVIDENCE_WORDS = {
    "assumed": {"en": "assumed", "ko": "가정"},
    "measured": {"en": "measured", "ko": "측정"},
}
_OF_A_LEVEL = ("chosen", "by_risk", "held_out")


def named(codes: Array, names: Sequence[str]) -> Any:
    """A column of words: a name per code, missing for -1; each is stored once."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype="str"))


def sentences(
    codes: Array,
    numbers: Array,
    *,
    levels: list[tuple[str, str]],
    facts: Mapping[str, Any],
    language: str = "en",
) -> Any:
    """One sentence per customer.

    Parameters
    ----------
    codes : int8 array of shape (n,)
        Positions in ``REASONS``.
    numbers : int array of shape (n,)
        What the sentence states: the level's position, days or contacts; else anything.
    levels : list of (name, evidence)
    facts : mapping
        Of the whole plan: ``share_percent, cool_down_days, window_days, max_contacts``.
    """
    states = np.array([any("{" in text for text in SENTENCES[one].values()) for one in REASONS])
    key = codes.astype(np.int64) << 32 | np.where(states[codes], numbers, 0)
    place, keys = pd.factorize(key)
    texts = [_sentence(int(one), levels, facts, language) for one in keys]
    return named(place, texts)


def _sentence(
    key: int, levels: list[tuple[str, str]], facts: Mapping[str, Any], language: str
) -> str:
    name, number = REASONS[key >> 32], key & 0xFFFFFFFF
    if name not in _OF_A_LEVEL:
        return SENTENCES[name][language].format(number=number, **facts)
    level, evidence = levels[number]
    word = EVIDENCE_WORDS[evidence][language]
    return SENTENCES[name][language].format(level=level, evidence=word, **facts)
