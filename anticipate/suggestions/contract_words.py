"""Contracts in words: the sentences of the contract hazard's reasons.

Reads  the codes and facts of :mod:`anticipate.kernels.contract_reasons`.
Gives  facts and one sentence per customer.
Never  a number that cannot be recomputed from the log; urgency.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels.contract_reasons import REASON_FACTS, REASONS, ContractFacts

SENTENCES: dict[str, dict[str, str]] = {
    "no_contract": {
        "en": "no contract of this customer is known",
        "ko": "이 고객의 계약은 알려진 것이 없음",
    },
    "contract_over": {
        "en": "contract closed {closed_days} days ago",
        "ko": "계약이 {closed_days}일 전에 종료됨",
    },
    "contract_ends": {
        "en": "contract ends in {days_to_end} days; of {n_like} like contracts "
        "{n_not_renewed} were not renewed",
        "ko": "계약이 {days_to_end}일 뒤 만료. 비슷한 계약 {n_like}건 중 {n_not_renewed}건이 "
        "갱신되지 않음",
    },
    "contract_runs": {
        "en": "customer for {tenure_days} days; the contract runs for another {days_to_end} days",
        "ko": "가입 {tenure_days}일째, 계약 만료까지 {days_to_end}일",
    },
    "contract_renewed": {
        "en": "customer for {tenure_days} days, renewed {n_renewals} time(s), last "
        "{days_since_renewal} days ago",
        "ko": "가입 {tenure_days}일째, {n_renewals}회 갱신, 마지막 갱신은 "
        "{days_since_renewal}일 전",
    },
    "contract_first": {
        "en": "customer for {tenure_days} days, not renewed yet; no end of the contract is known",
        "ko": "가입 {tenure_days}일째, 아직 갱신 없음. 계약 만료일은 알 수 없음",
    },
}


def contract_facts(reason: NDArray[np.int8], facts: ContractFacts, row: int) -> dict[str, int]:
    """The facts of one customer's reason, whole days and counts."""
    return {name: int(getattr(facts, name)[row]) for name in REASON_FACTS[REASONS[reason[row]]]}


def contract_sentences(
    reason: NDArray[np.int8], facts: ContractFacts, language: str = "en"
) -> NDArray[Any]:
    """One sentence per customer, shape (n,), ``"en"`` or ``"ko"``."""
    out = np.empty(len(reason), dtype=object)
    for row, code in enumerate(reason):  # text has no vectorised form
        template = SENTENCES[REASONS[code]][language]
        out[row] = template.format(**contract_facts(reason, facts, row))
    return out
