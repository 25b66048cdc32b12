"""The brief, by hand: one customer's story, and every fact of it at the moment asked."""

from __future__ import annotations

import json

import pytest
from brief_shop import CUTOFF, bought, log_of, row, story

from anticipate.exceptions import ParameterError
from anticipate.serving import Scorer

NOW = "2025-03-20T10:00"  # in Seoul


@pytest.fixture(scope="module")
def scorer(bookshop_model, tmp_path_factory):
    rows = [one for who in ("mina", "private", "quiet") for one in story(who)]
    folder = tmp_path_factory.mktemp("brief") / "b"
    return Scorer.load(bookshop_model.save(folder, history=log_of(rows).as_of(CUTOFF)))


@pytest.fixture(scope="module")
def brief(scorer):
    return scorer.brief("mina", as_of=NOW)


def codes(entries):
    return [one["code"] for one in entries]


def ids(entries):
    return [one["item_id"] for one in entries]


def test_keys_are_stable_and_all_of_it_is_json(brief):
    assert list(brief) == [
        "customer_id", "as_of", "timezone", "language", "known", "objects_to", "story", "relation",
        "open", "n_open", "rechecks", "ahead", "withheld_because", "next_purchase",
        "likely_to_go_wrong", "do_not_offer", "owns", "n_owned", "uses", "timeline",
    ]  # fmt: skip
    assert json.loads(json.dumps(brief, allow_nan=False)) == brief
    assert brief["as_of"] == "2025-03-20T10:00:00+09:00"
    assert brief["timezone"] == "Asia/Seoul"
    assert brief["objects_to"] == []


def test_the_relation_counts_days_and_money_kept(brief):
    """Since 2024-03-20: tea 2·10, lamp 50, vase 30 sent back, box 20, tea 10, book 12 = 112;
    the bulb has no price, the rug is older than a year. Seven days with a purchase.
    """
    relation = brief["relation"]

    assert relation["customer_since"] == "2024-03-01"
    assert relation["n_purchase_days"] == 7
    assert relation["last_purchase"] == "2025-02-02"
    assert relation["days_since_last"] == 46
    assert relation["spend_12_months"] == 112.0
    assert relation["n_lines_without_price"] == 1
    assert relation["level"] is None
    assert relation["segment"] == "current"
    assert 0 < relation["p_churn"] < 1
    assert relation["reason"]["facts"]["silent_days"] == 46


def test_the_churn_columns_are_the_scorers(scorer, brief):
    table = scorer.churn(["mina"], as_of=NOW)

    assert brief["relation"]["p_churn"] == round(table.p_churn.item(), 4)
    assert brief["relation"]["expected_value"] == round(table.expected_value.item(), 2)
    assert brief["relation"]["reason"]["text"] == table.reason.item()


def test_the_timeline_tells_orders_once_and_what_was_answered(brief):
    """Sixteen rows: the view is left out, lamp and vase are one order."""
    told = [(one["date"], one["event"], one["text"]) for one in brief["timeline"]]

    assert told == [
        ("2025-03-17", "rating", "rated Rug: 2"),
        ("2025-03-16", "contact", "contacted us (delivery, Green tea)"),
        ("2025-03-14", "contact", "contacted us (delivery, Green tea)"),
        ("2025-03-10", "resolved", "noted as resolved (Lamp)"),
        ("2025-03-05", "complaint", "complained (flicker, Lamp)"),
        ("2025-02-03", "warning_dismissed", "dismissed a warning about Lamp, white"),
        ("2025-02-02", "purchase", "bought The Book"),
        ("2025-01-31", "purchase", "bought Green tea"),
        ("2025-01-20", "return", "sent back Vase (damaged)"),
        ("2025-01-15", "purchase", "bought Bulb"),
        ("2025-01-10", "purchase", "bought as a gift: Gift box"),
        ("2025-01-02", "purchase", "bought Lamp; Vase"),
        ("2025-01-01", "purchase", "bought Green tea"),
        ("2024-03-01", "purchase", "bought Rug"),
    ]
    complaint = brief["timeline"][4]
    assert complaint["answered_on"] == "2025-03-10"
    assert (complaint["order_id"], complaint["channel"]) == ("o2", "phone")
    assert brief["timeline"][1]["answered_on"] is None
    assert brief["timeline"][11]["at"] == "2025-01-02T00:30:00+09:00"
    assert brief["timeline"][11]["n_lines"] == 2


def test_what_is_owned_is_kept_for_themselves_and_not_worn_out(brief):
    """The vase came back, the box was a gift, the bulb lasts 30 days and is 64 days old."""
    assert ids(brief["owns"]) == ["book-p", "lamp", "rug"]
    assert brief["n_owned"] == 3
    assert brief["owns"][1]["last_bought"] == "2025-01-02"
    assert brief["owns"][1]["order_id"] == "o2"


def test_what_is_used_up_has_its_rhythm(brief):
    """1 to 31 January: 30 days."""
    (tea,) = brief["uses"]

    assert tea["item_id"] == "tea"
    assert tea["n_days"] == 2
    assert tea["usual_gap_days"] == 30.0
    assert tea["text"] == "Green tea: bought every 30 days, last 48 days ago"


def test_two_contacts_wait_and_one_recheck_is_due(brief):
    first, second = brief["open"]

    assert first["kind"] == second["kind"] == "contact"
    assert (first["since"], first["days_open"]) == ("2025-03-14", 6)
    assert (second["since"], second["channel"]) == ("2025-03-16", "phone")
    assert (first["topic"], first["item_id"], first["order_id"]) == ("delivery", "tea", "o7")
    assert first["what_to_do"]["code"] == "answer_contact"
    (recheck,) = brief["rechecks"]
    assert (recheck["since"], recheck["due"]) == ("2025-03-10", "2025-03-17")
    assert (recheck["topic"], recheck["item"]) == ("flicker", "Lamp")


def test_what_not_to_offer_says_why_and_since(brief):
    assert [(one["item_id"], one["code"], one["since"]) for one in brief["do_not_offer"]] == [
        ("rug", "was_rated_low", "2025-03-17"),
        ("lamp-2", "was_dismissed", "2025-02-03"),
        ("vase", "was_sent_back", "2025-01-20"),
        ("book-p", "is_owned", "2025-02-02"),
        ("lamp", "is_owned", "2025-01-02"),
        ("book-e", "is_covered", "2025-02-02"),
    ]
    assert brief["do_not_offer"][2]["text"] == "Vase: sent back on 2025-01-20 (damaged)"


def test_repeated_contacts_are_trouble(brief):
    (trouble,) = brief["likely_to_go_wrong"]

    assert trouble["code"] == "repeat_contacts"
    assert trouble["facts"]["n"] == 2
    assert trouble["text"] == (
        "2 contacts or complaints about delivery since 2025-03-14 (by: web; phone)"
    )


def test_the_story_is_three_to_six_sentences(brief):
    told = [one["text"] for one in brief["story"]]

    assert 3 <= len(told) <= 6
    assert told[0] == "Customer since 2024-03-01: bought on 7 day(s), last on 2025-02-02."
    assert told[2].startswith("Contact of 2025-03-14 (delivery, Green tea): no answer")
    assert told[4] == "Resolved on 2025-03-10 (flicker, Lamp): a re-check is due."
    assert all(one.endswith(".") and one[0].isupper() for one in told)


def test_korean_says_the_same_facts(scorer, brief):
    korean = scorer.brief("mina", as_of=NOW, language="ko")

    def facts(entries):
        return [(one["code"], one["facts"]) for one in entries]

    for part in ("story", "open", "rechecks", "do_not_offer", "timeline", "owns", "uses"):
        assert facts(korean[part]) == facts(brief[part])
    assert korean["story"][0]["text"] == "2024-03-01부터 고객: 구매일 7일, 마지막 구매 2025-02-02."
    with pytest.raises(ParameterError, match="language"):
        scorer.brief("mina", as_of=NOW, language="fr")


# -- what is recent ------------------------------------------------------------------


def test_a_recent_complaint_is_open_at_once_and_withholds_needs(scorer):
    complaint = row("mina", "complaint", "2025-03-20T09:00", "tea", reason="stale", channel="app")

    brief = scorer.brief("mina", as_of=NOW, recent=[complaint])

    first = brief["open"][0]
    assert (first["kind"], first["since"], first["days_open"]) == ("complaint", "2025-03-20", 0)
    assert first["text"] == "complaint of 2025-03-20 (stale, Green tea): open for 0 day(s)"
    assert codes(brief["withheld_because"]) == ["withheld_complaint"]
    assert brief["ahead"] == []
    assert brief["timeline"][0]["event"] == "complaint"


def test_a_recent_resolution_or_answer_closes(scorer):
    """``resolved`` without item or order answers all that is open; ``contacted`` a topic."""
    resolved = row("mina", "resolved", "2025-03-20T09:00")
    other = row("mina", "contacted", "2025-03-20T09:00", reason="offer")
    same = row("mina", "contacted", "2025-03-20T09:00", reason="delivery")

    assert scorer.brief("mina", as_of=NOW, recent=[resolved])["open"] == []
    assert len(scorer.brief("mina", as_of=NOW, recent=[other])["open"]) == 2
    answered = scorer.brief("mina", as_of=NOW, recent=[same])
    assert answered["open"] == []
    assert answered["timeline"][2]["answered_on"] == "2025-03-20"


def test_a_complaint_that_we_wrote_about_stays_open_until_resolved(scorer):
    rows = [
        row("mina", "complaint", "2025-03-18T09:00", "tea", reason="stale"),
        row("mina", "contacted", "2025-03-19T09:00", reason="stale"),
    ]
    (complaint, *_) = scorer.brief("mina", as_of=NOW, recent=rows)["open"]

    assert complaint["contacted_on"] == "2025-03-19"
    assert complaint["days_open"] == 2


def test_of_many_open_matters_the_first_are_shown_and_all_are_counted(scorer):
    """29 complaints of March days, an older contact: 20 shown, 29 more than the first."""
    rows = [
        row("nobody", "complaint", f"2025-03-19T{hour:02d}:{minute}", "tea", reason=f"{hour}")
        for hour in range(10)
        for minute in ("00", "20", "40")
    ][:29]
    rows.append(row("nobody", "contact", "2025-03-18T09:00", reason="late"))
    brief = scorer.brief("nobody", as_of=NOW, recent=rows)

    assert len(brief["open"]) == 20
    assert brief["n_open"] == 30
    assert "Open besides: 29 more, the oldest of 2025-03-18." in [
        one["text"] for one in brief["story"]
    ]


def test_an_open_return_is_named(scorer):
    back = row("mina", "return", "2025-03-19T09:00", "lamp", order_id="o2", reason="flicker")
    brief = scorer.brief("mina", as_of=NOW, recent=[back])

    assert brief["open"][0]["kind"] == "return"
    assert codes(brief["withheld_because"]) == ["withheld_return"]
    assert "lamp" not in ids(brief["owns"])
    assert brief["do_not_offer"][0]["code"] == "was_sent_back"
    assert brief["relation"]["spend_12_months"] == 62.0  # 112 without the lamp's 50


def test_part_of_a_line_sent_back_is_still_owned(scorer):
    rows = [
        bought("mina", "2025-03-19T09:00", "vase", "n1", quantity=3.0, price=10.0),
        row("mina", "return", "2025-03-19T12:00", "vase", order_id="n1", quantity=2.0),
    ]
    brief = scorer.brief("mina", as_of=NOW, recent=rows)

    assert ids(brief["owns"])[0] == "vase"
    assert brief["relation"]["spend_12_months"] == 122.0  # 112 and one of three


def test_bought_after_a_dislike_is_owned_and_wished_after_one_is_free(scorer):
    again = [bought("mina", "2025-03-18T10:00", "vase", "n1")]
    wish = [row("mina", "wish", "2025-03-18T10:00", "vase")]

    owned = scorer.brief("mina", as_of=NOW, recent=again)["do_not_offer"]
    wished = scorer.brief("mina", as_of=NOW, recent=wish)["do_not_offer"]

    assert {one["item_id"]: one["code"] for one in owned}["vase"] == "is_owned"
    assert "vase" not in ids(wished)


def test_a_warning_taken_to_heart_is_no_longer_dismissed(scorer):
    yes = row("mina", "warning_accepted", "2025-03-18T10:00", "lamp-2")

    assert "lamp-2" not in ids(scorer.brief("mina", as_of=NOW, recent=[yes])["do_not_offer"])


def test_a_second_order_within_the_hour_is_asked_about(scorer):
    rows = [
        bought("mina", "2025-03-20T09:00", "vase", "n1"),
        bought("mina", "2025-03-20T09:04:30", "vase", "n2"),
    ]
    found = scorer.brief("mina", as_of=NOW, recent=rows)["likely_to_go_wrong"]

    (second,) = [one for one in found if one["code"] == "second_order"]
    assert second["facts"] == {
        "item": "Vase", "minutes": 5, "since": "2025-03-20", "orders": ["n1", "n2"]
    }  # fmt: skip
    more = [{**rows[1], "quantity": 2.0}, rows[0]]  # other pieces: another wish
    assert "second_order" not in codes(
        scorer.brief("mina", as_of=NOW, recent=more)["likely_to_go_wrong"]
    )


def test_another_edition_of_what_is_owned_may_be_a_mistake(scorer):
    ebook = [bought("mina", "2025-03-19T09:00", "book-e", "n1")]
    found = scorer.brief("mina", as_of=NOW, recent=ebook)["likely_to_go_wrong"]

    (again,) = [one for one in found if one["code"] == "bought_again"]
    assert again["facts"] == {
        "item": "The Book (book-e)", "on": "2025-03-19",
        "owned": "The Book (book-p)", "since": "2025-02-02",
    }  # fmt: skip
    tea = [bought("mina", "2025-03-19T09:00", "tea", "n1")]  # used up
    gift = [bought("mina", "2025-03-19T09:00", "book-e", "n1", gift=True)]
    for rows in (tea, gift):
        found = scorer.brief("mina", as_of=NOW, recent=rows)["likely_to_go_wrong"]
        assert "bought_again" not in codes(found)


def test_a_complaint_after_a_resolution_and_one_never_resolved_are_trouble(scorer):
    again = [row("mina", "complaint", "2025-03-19T09:00", "lamp", reason="flicker")]
    found = scorer.brief("mina", as_of=NOW, recent=again)["likely_to_go_wrong"]

    (one,) = [one for one in found if one["code"] == "complaint_again"]
    assert one["facts"]["resolved_on"] == "2025-03-10"
    with pytest.warns(match="fresh bundle"):
        late = scorer.brief("mina", as_of="2025-04-18T08:00", recent=again)
    assert late["open"][0]["kind"] == "complaint"  # 30 days at most
    with pytest.warns(match="fresh bundle"):
        later = scorer.brief("mina", as_of="2025-04-19T10:00", recent=again)
    assert "complaint" not in [one["kind"] for one in later["open"]]
    assert "complaint_unsettled" in codes(later["likely_to_go_wrong"])


def test_many_own_returns_are_told_to_staff_but_not_of_who_objects_to_profiling(scorer):
    """The vase came back before, now lamp and book too: 3 of 8 lines; some 6 of 100 are usual."""

    def own_returns(who):
        rows = [
            row(who, "return", "2025-03-19T09:00", "lamp", order_id="o2"),
            row(who, "return", "2025-03-19T09:00", "book-p", order_id="o6"),
        ]
        found = scorer.brief(who, as_of=NOW, recent=rows)["likely_to_go_wrong"]
        return [one["facts"] for one in found if one["code"] == "own_lines_back"]

    (facts,) = own_returns("mina")
    assert (facts["n_back"], facts["n_lines"]) == (3, 8)
    assert own_returns("private") == []


# -- who objects, and who is not known --------------------------------------------------


def test_who_objects_to_profiling_keeps_a_history_but_has_no_profile(scorer, brief):
    objector = scorer.brief("private", as_of=NOW)
    relation = objector["relation"]

    assert objector["objects_to"] == ["profiling"]
    for name in ("segment", "p_churn", "reason", "expected_value", "value_band"):
        assert relation[name] is None
    assert objector["ahead"] == []
    assert objector["next_purchase"] is None
    assert codes(objector["withheld_because"]) == ["withheld_profiling"]
    assert objector["uses"][0]["usual_gap_days"] is None
    for part in ("open", "rechecks", "owns", "do_not_offer", "timeline"):
        assert objector[part] == brief[part]
    assert relation["spend_12_months"] == 112.0
    assert not {"own_lines_back", "low_rating_like", "may_leave", "often_sent_back"} & set(
        codes(objector["likely_to_go_wrong"])
    )
    assert "objects to profiling" in objector["story"][1]["text"]


def test_who_objects_to_marketing_is_offered_nothing(scorer):
    quiet = scorer.brief("quiet", as_of=NOW)

    assert quiet["objects_to"] == ["marketing"]
    assert codes(quiet["withheld_because"]) == ["withheld_marketing"]
    assert quiet["ahead"] == []
    assert quiet["relation"]["segment"] == "current"


def test_an_unknown_customer_has_an_empty_story(scorer):
    brief = scorer.brief("nobody", as_of=NOW)

    assert not brief["known"]
    assert brief["story"][0]["text"] == "Nothing is known of this customer yet."
    assert 3 <= len(brief["story"]) <= 6
    for part in ("open", "rechecks", "owns", "uses", "timeline", "do_not_offer"):
        assert brief[part] == []
    assert brief["relation"]["customer_since"] is None
    assert brief["relation"]["reason"]["code"] == "unknown_customer"
    assert {one["code"] for one in brief["ahead"]} <= {"newcomer"}
    json.dumps(brief, allow_nan=False)


def test_a_stranger_who_complains_is_known_from_then_on(scorer):
    complaint = row("nobody", "complaint", "2025-03-19T09:00", "no-such-item", reason="late")
    brief = scorer.brief("nobody", as_of=NOW, recent=[complaint])

    assert brief["known"]
    assert brief["open"][0]["item"] == "no-such-item"
    assert brief["story"][0]["code"] == "story_no_purchase"


def test_an_empty_bundle_answers_and_ids_stay_numbers(bookshop_model, tmp_path):
    """Whole numbers, beyond what a float holds."""
    history = log_of([], customers=None).as_of(CUTOFF)
    empty = Scorer.load(bookshop_model.save(tmp_path / "b", history=history))
    rows = [
        bought(7, "2025-03-20T09:00", "vase", 2**60 + 1),
        row(7, "contact", "2025-03-20T09:30", "vase", order_id=2**60 + 1),
    ]
    assert not empty.brief("mina", as_of=NOW)["known"]
    brief = empty.brief(7, as_of=NOW, recent=rows)

    assert ids(brief["owns"] + brief["uses"]) == ["vase"]
    assert brief["open"][0]["order_id"] == 2**60 + 1
    assert json.loads(json.dumps(brief, allow_nan=False)) == brief
    assert brief["customer_id"] == 7
