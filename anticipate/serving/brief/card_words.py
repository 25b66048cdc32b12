"""The card's labels in English and Korean, and its looks.

Reads  nothing.
Gives  ``LABELS`` by language, ``STYLE``: plain CSS for both colour schemes and for paper.
Never  a font or a file from outside.
"""

from __future__ import annotations

LABELS: dict[str, dict[str, str]] = {
    "en": {
        "brief": "Brief",
        "customer": "Customer",
        "story": "In short",
        "objects_profiling": "objects to profiling",
        "objects_marketing": "objects to marketing",
        "segment": "Segment",
        "value_band": "Value",
        "level": "Service level",
        "open": "Open now",
        "ahead": "Needs ahead",
        "likely_to_go_wrong": "May go wrong",
        "do_not_offer": "Do not offer",
        "owned": "Owned, or not needed beside what is owned",
        "uses": "Uses",
        "owns": "Owns",
        "relation": "The relation",
        "customer_since": "Customer since",
        "n_purchase_days": "Days with a purchase",
        "last_purchase": "Last purchase",
        "spend_12_months": "Spent in 12 months",
        "expected_value": "Expected in {days} days",
        "timeline": "What happened",
        "date": "Date",
        "event": "Event",
        "order_id": "Order",
        "channel": "Channel",
        "contacted_on": "we wrote or called on",
        "answered_on": "answered on",
        "due": "about",
    },
    "ko": {
        "brief": "고객 요약",
        "customer": "고객",
        "story": "한눈에 보기",
        "objects_profiling": "프로파일링 거부",
        "objects_marketing": "마케팅 거부",
        "segment": "고객군",
        "value_band": "가치",
        "level": "서비스 등급",
        "open": "미해결 사항",
        "ahead": "앞으로 필요할 것",
        "likely_to_go_wrong": "문제가 될 수 있는 것",
        "do_not_offer": "권하지 말 것",
        "owned": "보유 중이거나 보유품으로 충분한 것",
        "uses": "사용 중인 소모품",
        "owns": "보유",
        "relation": "고객과의 관계",
        "customer_since": "첫 구매",
        "n_purchase_days": "구매일 수",
        "last_purchase": "마지막 구매",
        "spend_12_months": "12개월 구매액",
        "expected_value": "{days}일 예상 구매액",
        "timeline": "지난 일",
        "date": "날짜",
        "event": "내용",
        "order_id": "주문",
        "channel": "채널",
        "contacted_on": "연락한 날",
        "answered_on": "답변일",
        "due": "예상",
    },
}

STYLE = """
:root{--paper:#fff;--panel:#f5f6f8;--line:#dfe3e8;--ink:#22262b;--soft:#5b636d;--care:#8a4b08;
color-scheme:light dark}
@media (prefers-color-scheme:dark){:root{--paper:#16191d;--panel:#1f2429;--line:#343b43;
--ink:#e7eaee;--soft:#a9b1ba;--care:#f0b070}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Noto Sans KR",sans-serif}
main{max-width:52rem;margin:0 auto;padding:1.25rem 1rem 2rem;overflow-wrap:anywhere}
.when{margin:0;color:var(--soft);font-size:.85rem}
h1{margin:.1rem 0 .4rem;font-size:1.5rem;line-height:1.2}
h2{margin:0 0 .35rem;font-size:1rem}
ul{margin:0;padding-left:1.1rem}
li{margin:.2rem 0}
small,dt{color:var(--soft);font-size:.85em}
.tags{display:flex;flex-wrap:wrap;gap:.4rem;padding:0;list-style:none}
.tags li{margin:0;padding:.1rem .55rem;border:1px solid var(--line);border-radius:1rem;
background:var(--panel);font-size:.85rem}
.tags .mark{border-color:var(--care);color:var(--care);font-weight:600}
.story{margin:.75rem 0 1rem;padding:.7rem .9rem .7rem 2rem;background:var(--panel);
border-radius:.5rem}
.open{margin:0 0 1rem;padding:.7rem .9rem;border:2px solid var(--care);border-radius:.5rem}
.open strong{font-weight:600}
.columns{columns:2;column-gap:1.5rem;margin-bottom:1rem}
time{white-space:nowrap}
.columns li small{display:inline-block;max-width:100%}
.columns section{break-inside:avoid;margin:0 0 1rem}
dl{display:grid;grid-template-columns:1fr 1fr;gap:.3rem 1rem;margin:0}
dd{margin:0;font-variant-numeric:tabular-nums}
p{margin:.35rem 0 0}
table{width:100%;border-collapse:collapse;font-size:.93rem}
th,td{padding:.28rem .5rem .28rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-size:.85em;font-weight:600}
tbody th{font-weight:400;white-space:nowrap;font-variant-numeric:tabular-nums}
@media (max-width:40rem){.columns{columns:1}}
@media print{:root{--paper:#fff;--panel:#fff;--line:#bbb;--ink:#000;--soft:#444;--care:#000}
body{font-size:10pt}main{max-width:none;padding:0}.story{border:1px solid var(--line)}
tr{break-inside:avoid}}
""".replace("\n", "")
