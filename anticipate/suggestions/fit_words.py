"""A better fit or an unusual number in words: what the log shows, and the choices.

Reads  plain values that a guard found.
Gives  sentences by reason code, their facts, and the choices of each kind.
Never  a choice that decides for the customer: keeping what they chose comes first.
"""

from __future__ import annotations

SENTENCES: dict[str, dict[str, str]] = {
    "better_fit": {
        "en": "{alternative}: {alternative_return_percent} of 100 came back, of {item} "
        "{return_percent}; price {alternative_price} instead of {price}",
        "ko": "{alternative}: 100개 중 {alternative_return_percent}개 반품, {item}은(는) "
        "{return_percent}개. 가격 {price} 대신 {alternative_price}",
    },
    "quantity_of_customer": {
        "en": "{item}: {pieces} pieces; {usual} is usual for this customer",
        "ko": "{item}: {pieces}개. 이 고객은 보통 {usual}개를 구매함",
    },
    "quantity_of_item": {
        "en": "{item}: {pieces} pieces; {usual} is usual",
        "ko": "{item}: {pieces}개. 보통 {usual}개를 구매함",
    },
}


def better_fit_facts(
    *, item: str, alternative: str, shares: tuple[float, float], prices: tuple[float, float]
) -> dict[str, str]:
    """Facts of ``better_fit``; the line's item first in ``shares`` (sent back) and ``prices``.

    Examples
    --------
    >>> facts = better_fit_facts(
    ...     item="boots", alternative="shoes", shares=(0.3, 0.06), prices=(60.0, 45.5)
    ... )
    >>> SENTENCES["better_fit"]["en"].format(**facts)
    'shoes: 6 of 100 came back, of boots 30; price 45.50 instead of 60.00'
    """
    return {
        "item": item,
        "alternative": alternative,
        "return_percent": plain_number(100.0 * shares[0]),
        "alternative_return_percent": plain_number(100.0 * shares[1]),
        "price": f"{prices[0]:.2f}",
        "alternative_price": f"{prices[1]:.2f}",
    }


def quantity_facts(*, item: str, pieces: float, usual: float) -> dict[str, str]:
    """Facts of ``quantity_of_customer`` (own lines of the item) and ``quantity_of_item``.

    Examples
    --------
    >>> facts = quantity_facts(item="tea", pieces=12.0, usual=1.0)
    >>> SENTENCES["quantity_of_customer"]["en"].format(**facts)
    'tea: 12 pieces; 1 is usual for this customer'
    """
    return {"item": item, "pieces": plain_number(pieces), "usual": plain_number(usual)}


def fit_options(kind: str, **facts: str) -> list[str]:
    """At least two choices of ``"better_fit"`` (``alternative``) or ``"quantity_slip"``
    (``pieces``, ``usual``).
    """
    if kind == "better_fit":
        return ["keep it", f"look at {facts['alternative']}", "compare both"]
    return [f"keep {facts['pieces']}", f"change it to {facts['usual']}", "remove this line"]


def plain_number(value: float) -> str:
    """Whole numbers without a point, others with one digit; independent of size."""
    return f"{value:.1f}".removesuffix(".0")
