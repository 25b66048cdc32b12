"""Leaving and staying in words: the sentences of the churn table's reasons.

Reads  the codes and facts of :mod:`anticipate.kernels.churn`.
Gives  facts and one sentence per customer.
Never  a number that cannot be recomputed from the log; urgency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.churn import REASON_FACTS, REASONS, ChurnTable

SENTENCES: dict[str, dict[str, str]] = {
    "unknown_customer": {
        "en": "nothing is known of this customer yet; the rate of newcomers is given",
        "ko": "이 고객의 이력이 아직 없어 신규 고객의 비율로 답함",
    },
    "no_purchase": {
        "en": "no purchase yet, {n_events} other event(s); the rate of newcomers is given",
        "ko": "아직 구매 없음, 그 밖의 이벤트 {n_events}건. 신규 고객의 비율로 답함",
    },
    "one_purchase": {
        "en": "one purchase day, {silent_days} days ago; half of the customers who came back "
        "did so within {typical_gap_days} days",
        "ko": "구매일 1일, {silent_days}일 전. 다시 찾은 고객의 절반은 "
        "{typical_gap_days}일 안에 재구매",
    },
    "no_usual_gap": {
        "en": "{n_purchases} purchase day(s), the last {silent_days} days ago; no usual gap is "
        "known yet",
        "ko": "구매일 {n_purchases}일, 마지막 구매는 {silent_days}일 전. 통상 구매 간격은 "
        "아직 알 수 없음",
    },
    "regular": {
        "en": "last purchase {silent_days} days ago, within this customer's usual gap: "
        "of {n_gaps} gaps, 9 in 10 were at most {usual_gap_days} days",
        "ko": "마지막 구매는 {silent_days}일 전으로 이 고객의 통상 간격 안: 구매 간격 "
        "{n_gaps}회 중 90 %가 {usual_gap_days}일 이하",
    },
    "regular_few_gaps": {
        "en": "last purchase {silent_days} days ago, {n_purchases} purchase day(s); 9 in 10 of "
        "the customers who came back did so within {usual_gap_days} days",
        "ko": "마지막 구매는 {silent_days}일 전, 구매일 {n_purchases}일. 다시 찾은 고객의 "
        "90 %는 {usual_gap_days}일 안에 재구매",
    },
    "silent": {
        "en": "silent for {silent_days} days, longer than this customer's usual gap: "
        "of {n_gaps} gaps, 9 in 10 were at most {usual_gap_days} days",
        "ko": "{silent_days}일째 구매 없음, 이 고객의 통상 간격보다 김: 구매 간격 "
        "{n_gaps}회 중 90 %가 {usual_gap_days}일 이하",
    },
    "silent_few_gaps": {
        "en": "silent for {silent_days} days after {n_purchases} purchase day(s); 9 in 10 of "
        "the customers who came back did so within {usual_gap_days} days",
        "ko": "구매일 {n_purchases}일 이후 {silent_days}일째 구매 없음. 다시 찾은 고객의 "
        "90 %는 {usual_gap_days}일 안에 재구매",
    },
    "returned": {
        "en": "came back {silent_days} days ago after {last_gap_days} days of silence; "
        "{earlier_usual_gap_days} days were usual before",
        "ko": "{last_gap_days}일의 공백 뒤 {silent_days}일 전에 다시 구매. 이전의 통상 "
        "간격은 {earlier_usual_gap_days}일",
    },
    "contract_closed": {
        "en": "the contract ended {closed_days} days ago and nothing was bought since",
        "ko": "{closed_days}일 전에 계약이 종료되었고 이후 구매 없음",
    },
}


def reason_facts(table: ChurnTable, row: int) -> dict[str, int]:
    """The facts of one customer's reason, whole days and counts."""
    names = REASON_FACTS[REASONS[table.reason[row]]]
    return {name: round(float(getattr(table.facts, name)[row])) for name in names}


def reason_sentences(table: ChurnTable, language: str = "en") -> NDArray[Any]:
    """One sentence per customer, shape (n,), ``"en"`` or ``"ko"``."""
    out = np.empty(len(table.reason), dtype=object)
    for position, code in enumerate(REASONS):
        rows = np.flatnonzero(table.reason == position)
        names, template = REASON_FACTS[code], SENTENCES[code][language]
        columns = [getattr(table.facts, name)[rows].astype(np.int64).tolist() for name in names]
        # Text has no vectorised form: one format call per customer, about 1 microsecond.
        facts = zip(*columns, strict=True) if names else [()] * len(rows)
        out[rows] = [template.format(**dict(zip(names, row, strict=True))) for row in facts]
    return out
