"""The brief in words: what staff read before a customer arrives, English and Korean.

Reads  a code and JSON-ready facts; a date is text such as "2025-03-01", in the shop's days.
Gives  ``brief_sentence``, and ``brief_text``, which says a sentence again in another language.
Never  urgency, a judgement of the customer, or a fact that the log does not hold: what is not
       known is said to be unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .fit_words import plain_number
from .reason import Reason
from .templates import TEMPLATES

Sentence = dict[str, Any]  # code, facts, text

SENTENCES: dict[str, dict[str, str]] = {
    # -- the timeline; names are joined, "+2" stands for two more
    "did_purchase": {"en": "bought {items}", "ko": "{items} 구매"},
    "did_purchase_gift": {"en": "bought as a gift: {gifts}", "ko": "선물로 구매: {gifts}"},
    "did_purchase_both": {
        "en": "bought {items}, and as a gift: {gifts}",
        "ko": "{items} 구매, 선물로 구매: {gifts}",
    },
    "did_return": {"en": "sent back {items} ({topic})", "ko": "{items} 반품 ({topic})"},
    "did_cancel": {"en": "cancelled {items} ({topic})", "ko": "{items} 취소 ({topic})"},
    "did_contact": {"en": "contacted us ({about})", "ko": "문의 ({about})"},
    "did_complaint": {"en": "complained ({about})", "ko": "불만 접수 ({about})"},
    "did_resolved": {"en": "noted as resolved ({about})", "ko": "해결로 기록됨 ({about})"},
    "did_contacted": {"en": "we contacted them ({about})", "ko": "고객에게 연락함 ({about})"},
    "did_rating": {"en": "rated {item}: {value}", "ko": "{item} 평가: {value}"},
    "did_wish": {"en": "put {item} on the wish list", "ko": "{item} 위시리스트에 추가"},
    "did_not_interested": {"en": "said no to {item}", "ko": "{item}에 관심 없다고 함"},
    "did_warning_accepted": {
        "en": "agreed with a warning about {item}",
        "ko": "{item}에 대한 경고를 받아들임",
    },
    "did_warning_dismissed": {
        "en": "dismissed a warning about {item}",
        "ko": "{item}에 대한 경고를 넘김",
    },
    "did_subscribe": {"en": "took out a contract ({about})", "ko": "계약 시작 ({about})"},
    "did_renew": {"en": "renewed a contract ({about})", "ko": "계약 갱신 ({about})"},
    "did_lapse": {"en": "a contract ended ({about})", "ko": "계약 종료 ({about})"},
    # -- what they have
    "bought_on": {"en": "{item}: bought on {on}", "ko": "{item}: {on}에 구매"},
    # -- what is open, and what to do about it
    "complaint_open": {
        "en": "complaint of {since} ({about}): open for {days} day(s)",
        "ko": "{since} 불만({about}): {days}일째 해결되지 않음",
    },
    "return_open": {
        "en": "return of {since} ({about}): not settled for {days} day(s)",
        "ko": "{since} 반품({about}): {days}일째 처리되지 않음",
    },
    "contact_unanswered": {
        "en": "contact of {since} ({about}): no answer is recorded for {days} day(s)",
        "ko": "{since} 문의({about}): {days}일째 답변 기록 없음",
    },
    "recheck_due": {
        "en": "resolved on {since} ({about}): a re-check is due",
        "ko": "{since} 해결됨({about}): 재확인할 때임",
    },
    "settle_complaint": {
        "en": "tell the customer what happens next; log it as resolved once it is",
        "ko": "다음 절차를 고객에게 알리고, 해결되면 해결로 기록할 것",
    },
    "settle_return": {
        "en": "see where the return stands and tell the customer; log it as resolved once it is",
        "ko": "반품 진행 상황을 확인해 고객에게 알리고, 끝나면 해결로 기록할 것",
    },
    "answer_contact": {
        "en": "answer it; log the answer as contacted or resolved",
        "ko": "답변하고, 답변을 연락 또는 해결로 기록할 것",
    },
    "ask_again": {
        "en": "ask whether all is well; log it as contacted",
        "ko": "문제가 없는지 묻고, 연락으로 기록할 것",
    },
    # -- why nothing is offered
    "withheld_complaint": {
        "en": "nothing is offered while a complaint is open",
        "ko": "불만이 해결될 때까지 상품을 권하지 않음",
    },
    "withheld_return": {
        "en": "nothing is offered while a return is open",
        "ko": "반품이 처리될 때까지 상품을 권하지 않음",
    },
    "withheld_marketing": {
        "en": "nothing is offered: the customer objects to marketing",
        "ko": "고객이 마케팅을 거부하여 상품을 권하지 않음",
    },
    "withheld_profiling": {
        "en": "no segment, value or needs are shown: the customer objects to profiling",
        "ko": "고객이 프로파일링을 거부하여 고객군, 가치, 필요를 표시하지 않음",
    },
    "next_order": {
        "en": "next order expected about {due} (8 in 10 chance: {low} to {high})",
        "ko": "다음 주문 예상일 {due} 무렵 (80 % 구간: {low} ~ {high})",
    },
    "next_order_or_never": {
        "en": "next order expected about {due}, hardly before {low}; there may be none",
        "ko": "다음 주문 예상일 {due} 무렵, {low} 전에는 드묾. 주문이 없을 수도 있음",
    },
    # -- what is likely to go wrong
    "often_sent_back": {
        "en": "{item}, a need ahead: {return_percent} of 100 came back, {usual_percent} are usual",
        "ko": "앞으로 필요할 {item}: 100개 중 {return_percent}개 반품, 보통은 {usual_percent}개",
    },
    "own_lines_back": {
        "en": "{n_back} of this customer's {n_lines} purchase lines came back; "
        "{usual_percent} of 100 are usual",
        "ko": "이 고객의 구매 {n_lines}줄 중 {n_back}줄이 반품됨. 보통은 100줄 중 "
        "{usual_percent}줄",
    },
    "second_order": {
        "en": "{item} was ordered twice within {minutes} minute(s) on {since} (orders {orders}); "
        "ask whether both are meant",
        "ko": "{item}: {since}에 {minutes}분 안에 두 번 주문됨 (주문 {orders}). 둘 다 "
        "필요한지 물어볼 것",
    },
    "bought_again": {
        "en": "{item} was bought on {on}; {owned} was there already, bought on {since}",
        "ko": "{item}: {on}에 구매함. {since}에 구매한 {owned} 이미 보유",
    },
    "low_rating_like": {
        "en": "{item}, a need ahead, is of the same kind as {rated}, rated {value} on {since}",
        "ko": "앞으로 필요할 {item}: {since}에 {value}점으로 평가한 {rated}와(과) 같은 종류",
    },
    "repeat_contacts": {
        "en": "{n} contacts or complaints about {topic} since {since} (by: {channels})",
        "ko": "{since} 이후 {topic} 관련 문의나 불만 {n}건 (채널: {channels})",
    },
    "complaint_again": {
        "en": "complained on {since} ({about}) after one was noted as resolved on {resolved_on}",
        "ko": "{resolved_on}에 해결로 기록된 뒤 {since}에 다시 불만 접수 ({about})",
    },
    "complaint_unsettled": {
        "en": "no resolution is recorded of a complaint of {since} ({about})",
        "ko": "{since}의 불만({about})은 해결 기록이 없음",
    },
    "may_leave": {
        "en": "{segment}: {percent} of 100 such customers buy nothing in the next "
        "{horizon_days} days",
        "ko": "{segment}: 이런 고객 100명 중 {percent}명은 앞으로 {horizon_days}일 동안 "
        "구매하지 않음",
    },
    # -- what not to offer
    "is_owned": {"en": "{item}: owned, bought on {since}", "ko": "{item}: {since}에 구매해 보유"},
    "is_covered": {
        "en": "{item}: not needed beside {owned}, bought on {since}",
        "ko": "{item}: {since}에 구매한 {owned}(으)로 충분함",
    },
    "was_sent_back": {
        "en": "{item}: sent back on {since} ({topic})",
        "ko": "{item}: {since}에 반품 ({topic})",
    },
    "was_cancelled": {
        "en": "{item}: cancelled on {since} ({topic})",
        "ko": "{item}: {since}에 취소 ({topic})",
    },
    "was_rated_low": {
        "en": "{item}: rated {value} on {since}",
        "ko": "{item}: {since}에 {value}점으로 평가",
    },
    "was_refused": {
        "en": "{item}: said no to on {since}",
        "ko": "{item}: {since}에 관심 없다고 함",
    },
    "was_dismissed": {
        "en": "{item}: a warning about it was dismissed on {since}; do not raise it again",
        "ko": "{item}: {since}에 경고를 넘김. 다시 언급하지 않음",
    },
    # -- the story
    "story_unknown": {
        "en": "nothing is known of this customer yet",
        "ko": "이 고객에 대해 아직 알려진 것이 없음",
    },
    "story_no_purchase": {
        "en": "no purchase yet; {n_events} other event(s), the latest on {last}",
        "ko": "아직 구매 없음. 그 밖의 이벤트 {n_events}건, 마지막은 {last}",
    },
    "story_since": {
        "en": "customer since {since}: bought on {n_days} day(s), last on {last}",
        "ko": "{since}부터 고객: 구매일 {n_days}일, 마지막 구매 {last}",
    },
    "story_segment": {"en": "segment: {segment}", "ko": "고객군: {segment}"},
    "story_value": {
        "en": "segment: {segment}; spend of about {value} expected in the next {horizon_days} days",
        "ko": "고객군: {segment}. 앞으로 {horizon_days}일 예상 구매액 약 {value}",
    },
    "story_value_band": {
        "en": "segment: {segment}; value: {band}, spend of about {value} expected in the "
        "next {horizon_days} days",
        "ko": "고객군: {segment}. 가치: {band}, 앞으로 {horizon_days}일 예상 구매액 약 {value}",
    },
    "story_nothing_open": {"en": "nothing is open", "ko": "미해결 사항 없음"},
    "story_more_open": {
        "en": "open besides: {n} more, the oldest of {since}",
        "ko": "그 밖의 미해결 사항 {n}건, 가장 오래된 것은 {since}",
    },
    "story_needs": {"en": "may need next: {items}", "ko": "다음에 필요할 것: {items}"},
    "story_needs_due": {
        "en": "may need next: {items} ({item} about {due})",
        "ko": "다음에 필요할 것: {items} ({item}은(는) {due} 무렵)",
    },
    "story_no_needs": {"en": "no need ahead is likely", "ko": "앞으로 필요할 것이 뚜렷하지 않음"},
    "story_do_not_offer": {"en": "do not offer: {items}", "ko": "권하지 말 것: {items}"},
}

WORDS: dict[str, dict[str, dict[Any, str]]] = {  # facts that are words of ours, by fact and value
    "segment": {
        "en": {"at_risk": "at risk", "won_back": "won back"},
        "ko": {
            "prospective": "구매 전",
            "new": "신규",
            "current": "활동 중",
            "cooling": "뜸해짐",
            "at_risk": "이탈 위험",
            "departed": "이탈",
            "won_back": "재방문",
        },
    },
    "band": {
        "en": {},
        "ko": {"high": "높음", "middle": "중간", "low": "낮음"},
    },
    "about": {"en": {None: "no topic given"}, "ko": {None: "내용 기재 없음"}},
    "topic": {"en": {None: "no reason given"}, "ko": {None: "사유 기재 없음"}},
    "orders": {"en": {"": "unknown"}, "ko": {"": "번호 없음"}},
    "value": {"en": {None: "no value given"}, "ko": {None: "값 없음"}},
    "channels": {"en": {"": "channel unknown"}, "ko": {"": "알 수 없음"}},
}


def brief_sentence(code: str, facts: Mapping[str, Any], language: str = "en") -> Sentence:
    """A code, its facts and the sentence; codes of ``Reason`` are known, too.

    Examples
    --------
    >>> brief_sentence("did_contact", {"about": None})["text"]
    'contacted us (no topic given)'
    """
    known = dict(facts)
    return {"code": code, "facts": known, "text": _text(code, known, language)}


def brief_text(sentence: Mapping[str, Any], language: str) -> str:
    """The same sentence in ``"en"`` or ``"ko"``."""
    return _text(str(sentence["code"]), sentence["facts"], language)


def as_sentence(text: str) -> str:
    """With a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"


def word(fact: str, value: Any, language: str) -> str:
    """A fact as it stands in a sentence."""
    if isinstance(value, (list, tuple)):
        return word(fact, "; ".join(map(str, value)), language)  # names may hold commas
    ours = WORDS.get(fact, {}).get(language, {})
    if value is None or isinstance(value, str):
        return ours.get(value, str(value))
    return plain_number(value) if isinstance(value, float) else str(value)


def _text(code: str, facts: Mapping[str, Any], language: str) -> str:
    if code in TEMPLATES:
        return Reason(code, facts).text(language)
    words = {name: word(name, value, language) for name, value in facts.items()}
    return SENTENCES[code][language].format(**words)
