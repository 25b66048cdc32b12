"""The staff page in a real browser: keyboard alone, hostile names, keys, errors, late answers."""

from __future__ import annotations

import asyncio
import math
import re
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd
import pytest

import anticipate as an

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from staff_browser import ENTER, ESCAPE, SPACE, TAB, Page, browser, served, wait_for

from anticipate.exceptions import MinimumDataWarning
from anticipate.serving.http.app import make_app

pytestmark = [
    pytest.mark.slow,
    # A closed browser leaves its connection to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
KEY = "a-key-of-sixteen-letters-up"
EVIL = '<img src="x" onerror="document.title=\'taken\'">'
BIG = 2**53 + 1  # a double cannot hold it


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def app(bookshop_bundle):
    return make_app(bookshop_bundle, clock=lambda: NOON)


@pytest.fixture(scope="module")
def shop(app) -> Iterator[str]:
    """The bookshop, served."""
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Iterator[str]:
    """A shop whose customers are 64-bit numbers and whose names are markup."""
    rows = [
        (BIG + 2 * (number % 30), f"{'evil' if number % 3 else 'tea'}-{number % 7}",
         pd.Timestamp("2024-06-01", tz="UTC") + pd.Timedelta(hours=19 * number), "purchase", None)
        for number in range(330)
    ]  # fmt: skip
    rows.append((BIG, None, pd.Timestamp("2025-02-25", tz="UTC"), "complaint", EVIL))
    columns = ["customer_id", "item_id", "timestamp", "event", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    items = sorted(table["item_id"].dropna().unique())
    log = an.InteractionLog.from_frame(
        table,
        event="event",
        reason="reason",
        closed_until="2025-03-01",
        items=pd.DataFrame({"item_id": items, "name": [f"{EVIL} {id_}" for id_ in items]}),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MinimumDataWarning)
        model = an.Anticipator(random_state=0).fit(log.as_of("2025-03-01T00:00Z"))
    bundle = model.save(tmp_path_factory.mktemp("hostile") / "bundle")
    with served(make_app(bundle, clock=lambda: NOON)) as address:
        yield address


# -- reading a customer and trying a cart


def test_a_keyboard_is_enough_to_read_a_customer_and_try_a_cart(page, shop):
    """C042 owns 1984 in print: the e-book in the cart is the same work."""
    page.open(shop)
    assert page.focused() == "customer"

    assert page.ask("C042").startswith("C042: ")
    assert "2023-09-10" in page.text("who")
    assert "Coffee beans" in page.section("ahead")
    assert re.search(r"due 2025-03-\d\d, in \d+ days", page.section("ahead"))
    assert page.section("timeline").count("2025-") > 2
    assert page.section("open") != ""

    page.tab_to("item-1")
    assert page.focused() == "item-1"
    page.press("B-1984-ebook", ENTER)
    wait_for(lambda: page.text("verdict"))

    warnings = page.section("warnings")
    assert "same work" in warnings
    assert "keep both editions" in warnings
    assert "2024-11-14" in warnings  # evidence: the order of the print
    assert page.text("cart-status").startswith("Warnings: 1.")
    assert page.console() == []


def test_lines_are_added_filled_and_removed_by_keyboard(page, shop):
    page.open(shop)
    page.ask("C042")
    page.tab_to("item-1")
    page.press("B-1984-ebook", TAB, TAB, "9.50", TAB, SPACE)  # quantity stays 1; a gift
    page.tab_to("add")
    page.press(ENTER)
    assert page.focused() == "item-2"
    page.press("K-coffee-beans", ENTER)
    wait_for(lambda: page.text("verdict"))
    assert "same work" not in page.section("warnings")  # a gift is for somebody else

    page.press(*[TAB] * 4, ENTER)  # past quantity, price, gift: remove
    assert page.focused() == "item-1"
    assert page.text("verdict") == ""  # it was said of another cart
    assert page.driver.execute_script("return document.querySelectorAll('.line').length") == 1
    assert page.driver.execute_script("return document.getElementById('gift-1').checked")


def test_escape_empties_the_cart_there_and_everything_elsewhere(page, shop):
    page.open(shop)
    page.ask("C042")
    page.tab_to("item-1")
    page.press("B-1984-ebook", ENTER)
    wait_for(lambda: page.text("verdict"))
    page.press(ESCAPE)
    assert page.text("verdict") == ""
    assert page.focused() == "item-1"
    assert page.is_shown("answer")

    page.tab_to("add")
    page.press(ENTER)  # still in the cart
    page.driver.execute_script("document.getElementById('language').focus()")
    page.press(ESCAPE)
    assert not page.is_shown("answer")
    assert page.focused() == "customer"
    assert page.driver.execute_script("return document.getElementById('customer').value") == ""


def test_the_next_customer_does_not_inherit_the_cart(page, shop):
    page.open(shop)
    page.ask("C042")
    page.tab_to("item-1")
    page.press("B-1984-ebook")
    page.driver.execute_script("document.getElementById('customer').select()")
    page.ask("C002")

    assert page.driver.execute_script("return document.getElementById('item-1').value") == ""


def test_an_unknown_customer_is_told_as_such_and_may_try_a_cart(page, shop):
    page.open(shop)
    page.ask("nobody-of-this-name")

    assert "Nothing is known of this customer yet" in page.text("who")
    page.tab_to("item-1")
    page.press("B-1984-ebook", ENTER)
    wait_for(lambda: page.text("verdict"))
    assert "No warning" in page.section("warnings")


def test_korean_is_one_key_away(page, shop):
    page.open(shop)
    page.ask("C042")
    page.driver.execute_script("document.getElementById('language').focus()")
    page.press(ENTER)
    wait_for(lambda: "곧 필요한 것" in page.section("ahead"))
    wait_for(lambda: "마다 구매" in page.section("ahead"))  # the service's own sentences

    assert page.driver.execute_script("return document.documentElement.lang") == "ko"
    assert page.driver.title == "고객이 오기 전에"


# -- what must not happen


def test_markup_in_names_and_topics_stays_text_and_big_numbers_stay_exact(page, hostile):
    page.open(hostile)
    page.ask(str(BIG))

    assert str(BIG) in page.text("who")
    assert EVIL in page.section("open")  # the complaint's topic
    assert EVIL in page.text("brief")
    page.tab_to("item-1")
    page.press("evil-1", ENTER)
    wait_for(lambda: page.text("verdict"))
    assert page.driver.execute_script("return document.images.length") == 0
    assert page.driver.title == "Before the customer arrives"
    assert page.console() == []


def test_no_id_stands_in_an_address_and_nothing_is_stored(page, shop):
    page.open(shop)
    page.ask("C042")
    page.tab_to("item-1")
    page.press("B-1984-ebook", ENTER)
    wait_for(lambda: page.text("verdict"))

    addresses = page.asked_addresses()
    assert [one for one in addresses if "C042" in one or "1984" in one or "?" in one] == []
    assert {one.split("/")[2] for one in addresses} == {shop.split("/")[2]}
    stored = "return localStorage.length + sessionStorage.length + document.cookie.length"
    assert page.driver.execute_script(stored) == 0


def test_the_newest_question_wins_over_a_late_answer(page, app, shop, monkeypatch):
    service, brief, asked = app.state.service, app.state.service.brief, []

    async def slow(question):
        asked.append(question.customer_id)
        await asyncio.sleep(0.8 if question.customer_id == "C001" else 0)
        return await brief(question)

    monkeypatch.setattr(service, "brief", slow)
    page.open(shop)
    page.press("C001", ENTER)
    wait_for(lambda: asked)
    page.driver.execute_script("document.getElementById('customer').select()")
    page.press("C042", ENTER)
    wait_for(lambda: page.text("status").startswith("C042"))
    page.driver.execute_async_script("setTimeout(arguments[0], 1200)")

    assert page.text("who").startswith("C042")
    assert page.text("problem") == ""


# -- what goes wrong is told in words


def test_a_service_with_a_key_asks_for_it_and_keeps_it_in_memory(page, bookshop_bundle):
    with served(make_app(bookshop_bundle, clock=lambda: NOON, keys=[KEY])) as address:
        page.open(address)
        page.ask("C042")
        assert "asks for a key" in page.text("problem")
        assert page.focused() == "key"

        page.press("a-wrong-key-of-some-length", ENTER)
        wait_for(lambda: "not accepted" in page.text("problem"))
        assert page.focused() == "key"

        page.press(KEY, ENTER)
        wait_for(lambda: page.text("status").startswith("C042"))
        assert not page.is_shown("unlock")
        assert KEY not in page.driver.page_source
        stored = "return localStorage.length + sessionStorage.length + document.cookie.length"
        assert page.driver.execute_script(stored) == 0

        page.open(address)  # anew: the key is gone
        page.ask("C042")
        assert "asks for a key" in page.text("problem")
        assert page.console() == []


def test_a_failing_service_is_told_in_words_and_shows_nobody(page, app, shop, monkeypatch):
    async def fails(question):
        raise RuntimeError(question.customer_id)

    page.open(shop)
    page.ask("C042")
    monkeypatch.setattr(app.state.service, "brief", fails)
    page.driver.execute_script("document.getElementById('customer').select()")
    page.press("C002", ENTER)
    wait_for(lambda: page.text("problem"))

    assert "The service failed" in page.text("problem")
    assert not page.is_shown("answer")  # not the customer before


def test_an_impossible_moment_is_told_with_the_services_own_words(page, shop):
    page.open(shop)
    page.press("C042")
    script = "document.getElementById('as-of').value = '1999-01-01T00:00'"
    page.driver.execute_script(script)
    page.press(ENTER)
    wait_for(lambda: page.text("problem"))

    assert "could not use what was typed" in page.text("problem")
    assert "before the bundle's cutoff" in page.text("problem")


def test_a_service_that_is_gone_is_told(page, bookshop_bundle):
    with served(make_app(bookshop_bundle, clock=lambda: NOON)) as address:
        page.open(address)
    page.press("C042", ENTER)
    wait_for(lambda: page.text("problem"))

    assert "did not answer" in page.text("problem")


# -- for every eye


@pytest.mark.parametrize("width", [1280, 640, 320])  # 640: a usual screen at 200 %
def test_nothing_needs_sideways_scrolling(page, shop, width):
    page.open(shop, width)
    page.ask("C042")
    page.tab_to("item-1")
    page.press("B-1984-ebook", ENTER)
    wait_for(lambda: page.text("verdict"))
    widths = "return [document.documentElement.scrollWidth, innerWidth]"
    needed, there = page.driver.execute_script(widths)

    assert needed <= there


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(page, shop, dark):
    """WCAG 2.2 AA: 4.5 to 1 for text, of every element that shows some."""
    page.open(shop)
    page.resize(1280, dark=dark)
    page.ask("C042")
    page.tab_to("item-1")
    page.press("B-1984-ebook", ENTER)
    wait_for(lambda: page.text("verdict"))
    pairs = page.driver.execute_script(COLOURS)

    assert len(pairs) > 5
    assert {str(pair): round(_contrast(*pair), 2) for pair in pairs if _contrast(*pair) < 4.5} == {}


# Colour and ground of each element with text of its own; a see-through ground is the parent's.
COLOURS = """
const seen = new Map();
const ground = (one) => {
  const colour = getComputedStyle(one).backgroundColor;
  if (!/, 0\\)$/.test(colour)) return colour;
  return one.parentElement ? ground(one.parentElement) : "rgb(255, 255, 255)";
};
for (const one of document.querySelectorAll("body *")) {
  const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !one.checkVisibility()) continue;
  const pair = [getComputedStyle(one).color, ground(one)];
  seen.set(pair.join(), pair);
}
return [...seen.values()];
"""


def _contrast(one: str, other: str) -> float:
    """Relative luminance ratio (WCAG 2.2, 1.4.3)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.04045 else math.pow((p + 0.055) / 1.055, 2.4) for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
