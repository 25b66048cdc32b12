"""The sentences, in English and Korean, by reason code. Facts in braces come from the log.

Written without urgency and without scarcity; what is advised leaves the choice open.
"""

from __future__ import annotations

from . import fit_words, return_words
from .churn_words import SENTENCES

TEMPLATES: dict[str, dict[str, str]] = {
    **SENTENCES,
    **return_words.SENTENCES,
    **fit_words.SENTENCES,
    # -- needs: the source of the candidate
    "repeat": {
        "en": "{item}: bought every {gap_days} days, last {days_since_last} days ago",
        "ko": "{item}: 평균 {gap_days}일마다 구매, 마지막 구매는 {days_since_last}일 전",
    },
    "bought_before": {
        "en": "{item}: bought {n_purchases} time(s) before, last {days_since_last} days ago",
        "ko": "{item}: 이전에 {n_purchases}회 구매, 마지막 구매는 {days_since_last}일 전",
    },
    "goes_with": {
        "en": "{item}: often bought by those who bought {because}",
        "ko": "{item}: {because}을(를) 구매한 고객이 자주 함께 구매",
    },
    "follows": {
        "en": "{item}: often bought after {because}",
        "ko": "{item}: {because} 구매 다음에 자주 구매",
    },
    "category": {
        "en": "{item}: of a category bought {n_purchases} time(s) before",
        "ko": "{item}: 이전에 {n_purchases}회 구매한 카테고리의 상품",
    },
    "group": {
        "en": "{item}: bought by about {share_percent} % of customers of the same group",
        "ko": "{item}: 같은 그룹 고객의 {share_percent} %가 구매",
    },
    "goes_with_cart": {
        "en": "{item}: goes with {because} in the cart",
        "ko": "{item}: 장바구니의 {because}와(과) 잘 어울림",
    },
    "people_like_you": {
        "en": "{item}: bought by {share_percent} % of the customers most like this one",
        "ko": "{item}: 비슷한 고객의 {share_percent} %가 구매",
    },
    "popular": {
        "en": "{item}: bought by {n_buyers} customer(s) in the last {window_days} days",
        "ko": "{item}: 최근 {window_days}일 동안 {n_buyers}명이 구매",
    },
    "wished": {
        "en": "{item}: on the wish list since {since}",
        "ko": "{item}: {since}부터 위시리스트에 있음",
    },
    "viewed": {
        "en": "{item}: looked at or put in the cart, and not bought since",
        "ko": "{item}: 살펴보거나 장바구니에 담았지만 아직 구매하지 않음",
    },
    "newcomer": {
        "en": "{item}: what new customers need most often; nothing is known of this one yet",
        "ko": "{item}: 신규 고객이 가장 자주 찾는 상품 (아직 이 고객의 이력이 없음)",
    },
    # -- guards
    "double_submit": {
        "en": "{item} was ordered {minutes} minutes ago (order {order}); is this a second one?",
        "ko": "{item}은(는) {minutes}분 전에 주문됨 (주문 {order}). 두 번째 주문이 맞나요?",
    },
    "already_owned": {
        "en": "{item} was bought on {bought_on} (order {order}); only {repeat_percent} % of its "
        "buyers ever bought it again",
        "ko": "{item}은(는) {bought_on}에 구매함 (주문 {order}). 재구매한 고객은 "
        "{repeat_percent} %뿐임",
    },
    "substitute_owned": {
        "en": "{item} is the same work as {owned}, bought on {bought_on} (order {order})",
        "ko": "{item}은(는) {bought_on}에 구매한 {owned}와(과) 같은 작품임 (주문 {order})",
    },
    # -- care
    "open_complaint": {
        "en": "a complaint of {since} ({topic}) is still open; care comes before the next sale",
        "ko": "{since}의 불만({topic})이 아직 해결되지 않음. 판매보다 해결이 먼저임",
    },
    "open_return": {
        "en": "a return of {since} ({item}) is not settled yet",
        "ko": "{since}의 반품({item})이 아직 처리되지 않음",
    },
    "recheck": {
        "en": "resolved on {resolved_on}; ask whether all is well",
        "ko": "{resolved_on}에 해결됨. 문제가 없는지 확인할 것",
    },
}
