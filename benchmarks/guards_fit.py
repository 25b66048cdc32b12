"""Better fits and quantities: what the guard would have named, and what came after the cutoff.

    python benchmarks/guards_fit.py                          # all data sets, earlier cutoffs
    python benchmarks/guards_fit.py --windows all            # the last cutoff of each too
    python benchmarks/guards_fit.py --data bookshop          # or retail, journey

Fitted before each cutoff. *Named*: lines of the 28 days after it with an alternative: is it
cheaper, and how many lines of the item and of the alternative came back within 60 days.
*Switches*: the customer sent i back, or did not buy i again, and bought another item j, new to
them, of the same category (without categories: of i's neighbours) within 60 days; is j the first
alternative, or one of four? Beside it the plain rule: the most bought of the category or
neighbours in the last 60 days that costs at most as much. *Slips*: the bookshop's truth;
elsewhere lines of which four fifths of the pieces came back. Nothing may be tuned on a last
cutoff.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before numpy is loaded

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from complete_journey import read_orders, read_products  # noqa: E402
from guards_returns import online_retail  # noqa: E402

from anticipate import InteractionLog  # noqa: E402
from anticipate.datasets import make_log  # noqa: E402
from anticipate.evaluation.probability_metrics import auc  # noqa: E402
from anticipate.guards import FitGuard  # noqa: E402
from anticipate.guards.fit_near import neighbour_pairs  # noqa: E402
from anticipate.guards.fit_rows import nearly_all_back  # noqa: E402
from anticipate.guards.lines import read_lines  # noqa: E402
from anticipate.guards.return_rows import closed_lines, prices  # noqa: E402
from anticipate.kernels.fit import (  # noqa: E402
    BETTER_FIT,
    QUANTITY_SLIP,
    FitFindings,
    FitItems,
    FitTables,
    check_fit,
)
from anticipate.log import History  # noqa: E402

DAYS, WINDOW = 28, 60
CUTOFFS = {
    "retail": (("2011-06-15", "2011-07-15", "2011-08-10"), "2011-09-10"),
    "bookshop": (("2024-10-01", "2024-12-01", "2025-02-01"), "2025-04-01"),
    "journey": (("2017-06-01", "2017-07-15", "2017-08-25"), "2017-10-01"),
}
ROW = "  {:<34}{:>9}{:>9}{:>9}{:>9}{:>9}"


class Data(NamedTuple):
    log: InteractionLog
    slips: pd.DataFrame | None  # the truth where it is known


def bookshop() -> Data:
    log, truth = make_log(6000, random_state=11, return_truth=True)
    made = truth["accidental"]
    return Data(log, made[made["kind"] == "quantity_slip"])


def journey() -> Data:
    log = InteractionLog.from_frame(
        read_orders(), customer_id="household_id", item_id="product_id",
        timestamp="transaction_timestamp", quantity="quantity", amount="sales_value",
        order_id="basket_id", timezone="America/New_York", items=read_products(),
        on_bad_rows="quarantine",
    )  # fmt: skip
    return Data(log, None)


LOADERS: dict[str, Callable[[], Data]] = {
    "retail": lambda: Data(online_retail(), None),
    "bookshop": bookshop,
    "journey": journey,
}


def events_table(history: History) -> pd.DataFrame:
    events = history.events
    return pd.DataFrame({
        "customer": history.customer_ids[events.customer],
        "item": history.item_ids[np.maximum(events.item, 0)],
        "at": pd.to_datetime(events.timestamp, unit="us", utc=True),
        "buys": events.event == 3,
        "back": (events.event == 4) | (events.event == 5),
        "pieces": events.quantity,
        "price": events.price,
        "order": events.order,
    })  # fmt: skip


def review(guard: FitGuard, cart: pd.DataFrame, history: History) -> tuple[FitFindings, FitItems]:
    """What ``guard.review`` finds, silent kinds too."""
    read = read_lines(cart, history)
    items = FitItems.from_mapping(guard.item_table(history.item_ids))
    none = np.zeros(read.history.n_customers, dtype=bool)
    found = check_fit(
        read.history.events, read.history.returns.returned, read.lines, prices(cart),
        tables=FitTables(items, guard.slip_), objects=none, marketing=none,
    )  # fmt: skip
    return found, items


def show_named(cart: pd.DataFrame, found: FitFindings, items: FitItems, before: History) -> None:
    named = found.kind == BETTER_FIT
    if not named.any():
        print("  named: none")
        return
    other = found.alternative[named]
    back = cart.groupby("item_id")["back"].agg(["sum", "size"])
    theirs = back.reindex(before.item_ids[other])
    weight = theirs["size"].to_numpy() > 0
    alternative = (theirs["sum"] / theirs["size"]).to_numpy()[weight].mean()
    ours = cart["back"].to_numpy()[named].mean()
    cheaper = items.price[other] < cart["price"].to_numpy()[named] * (1 - 1e-9)
    print(
        f"  named: {named.sum()} of {len(cart)} lines; cheaper {cheaper.mean():.3f}; came back "
        f"{ours:.4f}, alternatives {alternative:.4f}; difference {ours - alternative:.4f}, "
        f"foreseen {found.probability[named].mean():.4f}"
    )
    warned = found.warn & named
    if warned.any():
        theirs = back.reindex(before.item_ids[found.alternative[warned]])
        rest = np.nanmean(theirs["sum"] / theirs["size"])
        print(
            f"  warned: {warned.sum()}; {cart['back'].to_numpy()[warned].mean() - rest:.4f} right"
        )


def near_table(before: History) -> pd.DataFrame:
    """Groups by item: the category, or one group for each item and its neighbours."""
    if "category" in before.items.columns:
        table = before.items["category"].dropna().rename("group").rename_axis("item").reset_index()
        return table.assign(start=True)
    start, end, _ = neighbour_pairs(before.purchases, before.n_items)
    ids = before.item_ids
    members = pd.DataFrame({"group": ids[start], "item": ids[end], "start": False})
    own = pd.DataFrame({"group": np.unique(ids[start])})
    return pd.concat([members, own.assign(item=own["group"], start=True)], ignore_index=True)


def switches(table: pd.DataFrame, near: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """(item, other, kind): one for each customer, item left and group."""
    window = pd.Timedelta(days=WINDOW)
    before, after = table[table["at"] < cutoff], table[table["at"] >= cutoff]
    sent = after[after["back"] & (after["at"] < cutoff + pd.Timedelta(days=DAYS))]
    sent = sent.assign(kind="sent back", since=sent["at"])
    bought = before[before["buys"]].merge(near[near["start"]], on="item")
    if not near["start"].all():  # neighbours: of the last basket alone
        newest = bought.groupby("customer")["at"].transform("max")
        bought = bought[bought["at"] == newest]
    last = bought.sort_values("at", kind="stable")
    last = last.drop_duplicates(["customer", "group"], keep="last")
    again = after[after["buys"] & (after["at"] < cutoff + window)][["customer", "item"]]
    last = last.merge(again.drop_duplicates(), how="left", on=["customer", "item"], indicator=True)
    last = last[last["_merge"] == "left_only"].assign(kind="not again", since=cutoff)
    starts = pd.concat([
        sent.merge(near[near["start"]], on="item"), last
    ])[["customer", "item", "group", "kind", "since"]]  # fmt: skip
    later = after[after["buys"]][["customer", "item", "at"]].merge(near, on="item")
    known = before[before["buys"]][["customer", "item"]].drop_duplicates().assign(known=True)
    later = later.merge(known, how="left", on=["customer", "item"])
    later = later[later["known"].isna()].rename(columns={"item": "other"})
    both = starts.merge(later[["customer", "group", "other", "at"]], on=["customer", "group"])
    both = both[(both["other"] != both["item"]) & (both["at"] >= both["since"])
                & (both["at"] < both["since"] + window)]  # fmt: skip
    both = both.sort_values(["at", "other"], kind="stable")
    return both.drop_duplicates(["customer", "item", "kind"])[["item", "other", "kind"]]


def plain_rule(table: pd.DataFrame, near: pd.DataFrame, items: FitItems, ids: np.ndarray,
               cutoff: pd.Timestamp, wanted: pd.Index) -> dict[object, list[object]]:  # fmt: skip
    """The four most bought lately of the group at no higher price."""
    recent = table[table["buys"] & (table["at"] < cutoff)
                   & (table["at"] >= cutoff - pd.Timedelta(days=WINDOW))]  # fmt: skip
    popular = recent.groupby("item")["customer"].nunique()
    price = pd.Series(items.price[:-1], index=ids)
    members = near.assign(n=near["item"].map(popular), price=near["item"].map(price))
    members = members.dropna().sort_values(["n", "item"], ascending=[False, True], kind="stable")
    by_group = dict(list(members.groupby("group", sort=False)))
    group_of = near[near["start"]].set_index("item")["group"]
    found = {}
    for item in wanted:
        part = by_group.get(group_of.get(item))
        if part is not None:
            able = part[(part["price"] <= price[item] * (1 + 1e-9)) & (part["item"] != item)]
            found[item] = able["item"].head(4).tolist()
    return found


def show_switches(real: pd.DataFrame, items: FitItems, ids: np.ndarray,
                  rule: dict[object, list[object]]) -> None:  # fmt: skip
    place = pd.Index(ids).get_indexer(real["item"])
    others = np.append(ids.astype(object), None)
    ours = [[o for o in others[items.alternatives[p]] if o is not None] for p in place]
    plain = [rule.get(item, []) for item in real["item"]]
    hit = pd.DataFrame({
        "kind": real["kind"].to_numpy(),
        "named": [len(o) > 0 for o in ours],
        "first": [o[:1] == [j] for o, j in zip(ours, real["other"], strict=True)],
        "four": [j in o for o, j in zip(ours, real["other"], strict=True)],
        "rule": [o[:1] == [j] for o, j in zip(plain, real["other"], strict=True)],
        "rules": [j in o for o, j in zip(plain, real["other"], strict=True)],
    })  # fmt: skip
    print(ROW.format("switches", "n", "first", "one of 4", "rule 1", "rule 4"))
    for kind, part in hit.groupby("kind"):
        for name, rows in ((kind, part), (f"{kind}, alternative named", part[part["named"]])):
            numbers = rows[["first", "four", "rule", "rules"]].mean()
            print(ROW.format(name, len(rows), *(f"{one:.3f}" for one in numbers)))


def show_slips(cart: pd.DataFrame, found: FitFindings) -> None:
    truth, slip = cart["slip"].to_numpy(), found.kind == QUANTITY_SLIP
    p = np.where(slip, found.probability, 0.0)
    warned = found.warn & slip
    right = truth[warned].mean() if warned.any() else np.nan
    score = auc(truth, p) if 0 < truth.sum() < len(truth) else np.nan
    print(
        f"  slips: {truth.sum()} of {len(truth)} lines; AUC {score:.3f}; far above usual "
        f"{slip.sum()} lines, of them slips {truth[slip].mean() if slip.any() else np.nan:.3f} "
        f"(P {p[slip].mean() if slip.any() else np.nan:.3f}); warned {warned.sum()}, precision "
        f"{right:.3f}, recall {truth[warned].sum() / max(truth.sum(), 1):.3f}"
    )


def run(data: Data, cutoff: str, costs: dict[str, float]) -> None:
    start = pd.Timestamp(cutoff, tz=data.log.timezone)
    end = start + pd.Timedelta(days=DAYS + WINDOW + 1)
    before, known = data.log.as_of(start), data.log.as_of(end)
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guard = FitGuard(**costs).fit(before)
    print(f"{cutoff}: fit {time.perf_counter() - began:.1f} s, "
          f"{guard.report_['n_items_with_alternative']} items have an alternative")  # fmt: skip
    for kind in ("better_fit", "quantity_slip"):
        print(f"  {kind}: {guard.report_[kind]['silent_because'] or 'speaks'}")
    table = events_table(known)
    closed, slipped = closed_lines(known, WINDOW), nearly_all_back(known, WINDOW)
    back = np.zeros(len(table), dtype=bool)
    back[closed.row] = closed.returned
    table = table.assign(came=back, slip=slipped)
    inside = (
        table["buys"] & (table["at"] >= start) & (table["at"] < start + pd.Timedelta(days=DAYS))
    )
    cart = table[inside].rename(columns={
        "customer": "customer_id", "item": "item_id", "at": "timestamp", "pieces": "quantity"
    })  # fmt: skip
    cart = cart.drop(columns=["buys", "back", "order"]).rename(columns={"came": "back"})
    if data.slips is not None:
        key = ["customer_id", "item_id", "timestamp"]
        true = pd.MultiIndex.from_frame(data.slips[key])
        cart["slip"] = pd.MultiIndex.from_frame(cart[key]).isin(true)
    found, items = review(guard, cart, before)
    show_named(cart, found, items, before)
    near = near_table(before)
    real = switches(table, near, start)
    real = real[real["item"].isin(before.item_ids)]
    wanted = pd.Index(real["item"].unique())
    rule = plain_rule(table, near, items, before.item_ids, start, wanted)
    show_switches(real, items, before.item_ids, rule)
    show_slips(cart, found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=(*LOADERS, "all"), default="all")
    parser.add_argument("--windows", choices=("earlier", "last", "all"), default="earlier")
    parser.add_argument("--cost-misfit", type=float, default=1.0)
    parser.add_argument("--cost-slip", type=float, default=1.0)
    asked = parser.parse_args()
    costs = {"cost_misfit": asked.cost_misfit, "cost_slip": asked.cost_slip}
    for name in LOADERS if asked.data == "all" else (asked.data,):
        earlier, last = CUTOFFS[name]
        cutoffs = {"earlier": earlier, "last": (last,), "all": (*earlier, last)}[asked.windows]
        data = LOADERS[name]()
        print(f"\n{name}: {data.log.n_events} events")
        for cutoff in cutoffs:
            run(data, cutoff, costs)


if __name__ == "__main__":
    main()
