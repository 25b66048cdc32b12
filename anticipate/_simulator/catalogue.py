"""What the shop sells: works in two editions, series with a box set, consumables, durables.

Reads  the lists below; titles are in the public domain or invented.
Gives  one row per item, and arrays that say which item is which edition of which work.
Never  a random number: the catalogue is the same for every seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .rows import Floats, Ints

# A line is: genre, then works. A work is "slug=title"; a series is "slug=title/title/title".
# The order within a line is the order of popularity.
BOOKS = """
mystery holmes=A Study in Scarlet/The Sign of the Four/The Hound of the Baskervilles
mystery moonstone=The Moonstone; white=The Woman in White; trent=Trent's Last Case
mystery brown=The Innocence of Father Brown/The Wisdom of Father Brown/The Secret of Father Brown
mystery yellow=The Mystery of the Yellow Room; bigbow=The Big Bow Mystery; case=The Leavenworth Case
scifi 1984=Nineteen Eighty-Four; worlds=The War of the Worlds; time=The Time Machine
scifi mars=A Princess of Mars/The Gods of Mars/The Warlord of Mars
scifi franken=Frankenstein; jekyll=Dr Jekyll and Mr Hyde; unseen=The Invisible Man
scifi moon=From the Earth to the Moon/Around the Moon/The Purchase of the North Pole
adventure musket=The Three Musketeers/Twenty Years After/The Vicomte of Bragelonne
adventure treasure=Treasure Island; monte=The Count of Monte Cristo; moby=Moby-Dick
adventure quater=King Solomon's Mines/Allan Quatermain/Allan's Wife
adventure leagues=Twenty Thousand Leagues; crusoe=Robinson Crusoe; kidnap=Kidnapped
classics pride=Pride and Prejudice; eyre=Jane Eyre; expect=Great Expectations
classics barset=The Warden/Barchester Towers/Doctor Thorne
classics emma=Emma; middle=Middlemarch; heights=Wuthering Heights
classics pallis=Can You Forgive Her?/Phineas Finn/The Eustace Diamonds
children oz=The Wonderful Wizard of Oz/The Marvelous Land of Oz/Ozma of Oz
children alice=Alice in Wonderland; peter=Peter and Wendy; garden=The Secret Garden
children anne=Anne of Green Gables/Anne of Avonlea/Anne of the Island
children willows=The Wind in the Willows; heidi=Heidi; pinocchio=Pinocchio
cookery kitchen=The Small Kitchen in Spring/The Small Kitchen in Summer/The Small Kitchen in Winter
cookery soups=Forty Soups; rice=A Bowl of Rice; cakes=Cakes without Hurry
cookery bread=Bread at Home/Rye and Slow Dough/The Patient Baker
cookery fish=Fish on Fridays; herbs=A Window of Herbs; pickle=The Pickle Shelf
"""
PRINT_ONLY = frozenset({"cookery"})
# id, name, category, price, typical days between two purchases, share of customers who buy it
CONSUMABLES = (
    ("K-coffee-beans", "Coffee beans, 1 kg", "coffee", 14.90, 30, 0.34),
    ("K-coffee-decaf", "Decaf coffee, 500 g", "coffee", 9.90, 38, 0.09),
    ("K-tea-green", "Green tea, 100 g", "tea", 7.50, 42, 0.15),
    ("K-tea-earl", "Earl Grey, 100 g", "tea", 6.90, 46, 0.15),
    ("K-cocoa", "Cocoa, 250 g", "tea", 6.20, 55, 0.07),
    ("K-notebook", "Notebook, ruled", "stationery", 4.50, 60, 0.15),
    ("K-paper", "Paper, 500 sheets", "stationery", 8.90, 75, 0.12),
    ("K-ink", "Ink, black", "stationery", 18.00, 100, 0.08),
    ("K-candle", "Candle", "home", 9.50, 56, 0.07),
)
# id, name, category, price, days it lasts, share of customers who buy it
DURABLES = (
    ("D-lamp", "Reading lamp", "home", 49.00, 1500, 0.20),
    ("D-ereader", "E-reader", "electronics", 129.00, 1100, 0.20),
    ("D-booklight", "Clip-on book light", "electronics", 12.90, 300, 0.15),
    ("D-bag", "Canvas bag", "home", 15.90, 240, 0.15),
    ("D-press", "French press", "home", 24.90, 500, 0.12),
    ("D-stand", "Book stand", "home", 19.90, 1800, 0.10),
)


@dataclass(frozen=True)
class Catalogue:
    """Items as a table, and the same as arrays of codes (a code is a row of ``items``; -1 none).

    A *unit* is what a reader begins: a single work, or a series read from volume 1 on.
    """

    items: pd.DataFrame
    genres: tuple[str, ...]
    work_unit: Ints  # (n_works,)
    work_volume: Ints  # (n_works,) 0 for a single work or the first volume
    print_item: Ints  # (n_works,)
    ebook_item: Ints  # (n_works,)
    unit_genre: Ints  # (n_units,)
    unit_weight: Floats  # (n_units,) popularity
    unit_box: Ints  # (n_units,) box set of a series
    goods_item: Ints  # (n_goods,) consumables and durables
    goods_gap_days: Floats  # (n_goods,)
    goods_share: Floats  # (n_goods,)

    def code(self, item_id: str) -> int:
        return int(np.flatnonzero(self.items["item_id"].to_numpy() == item_id)[0])


def make_catalogue() -> Catalogue:
    """The shop's catalogue: 72 works, 12 series, 15 goods."""
    works = _works()
    items = _items(works)
    code = {item: row for row, item in enumerate(items["item_id"])}
    units = works[works["volume"] == 0]
    genres = tuple(dict.fromkeys(works["genre"]))
    goods = CONSUMABLES + DURABLES
    rank = np.asarray(units.groupby("genre").cumcount(), dtype=np.float64)
    return Catalogue(
        items=items,
        genres=genres,
        work_unit=works["unit"].to_numpy(np.int64),
        work_volume=works["volume"].to_numpy(np.int64),
        print_item=_codes(works["work_id"] + "-print", code),
        ebook_item=_codes(works["work_id"] + "-ebook", code),
        unit_genre=np.array([genres.index(genre) for genre in units["genre"]]),
        unit_weight=np.power(1.0 + rank, -0.6),
        unit_box=_codes("B-" + units["slug"] + "-box", code),
        goods_item=np.array([code[row[0]] for row in goods]),
        goods_gap_days=np.array([float(row[4]) for row in goods]),
        goods_share=np.array([row[5] for row in goods]),
    )


def _works() -> pd.DataFrame:
    rows, unit = [], 0
    for line in BOOKS.strip().splitlines():
        genre, _, rest = line.partition(" ")
        for entry in rest.split("; "):
            slug, _, titles = entry.partition("=")
            volumes = titles.split("/")
            for volume, title in enumerate(volumes):
                tail = f"-{volume + 1}" if len(volumes) > 1 else ""
                rows.append((genre, slug, f"B-{slug}{tail}", title, unit, volume))
            unit += 1
    return pd.DataFrame(rows, columns=["genre", "slug", "work_id", "title", "unit", "volume"])


def _items(works: pd.DataFrame) -> pd.DataFrame:
    printed = _edition(works, "print", 8.90)
    digital = _edition(works[~works["genre"].isin(PRINT_ONLY)], "ebook", 5.90)
    tables = [printed, digital, _box_sets(works), _goods(CONSUMABLES, True)]
    items = pd.concat([*tables, _goods(DURABLES, False)])
    return items.sort_values("item_id", ignore_index=True).infer_objects()


def _edition(works: pd.DataFrame, edition: str, price: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item_id": works["work_id"] + "-" + edition,
            "name": works["title"],
            "category": works["genre"],
            "price": (price + works["unit"] % 7 * 0.5).round(2),
            "work_id": works["work_id"],
            "lifetime_days": np.nan,
            "consumable": False,
            "contains": None,
        }
    )


def _box_sets(works: pd.DataFrame) -> pd.DataFrame:
    series = works.groupby("slug", sort=True).filter(lambda volumes: len(volumes) > 1)
    volumes = series.groupby("slug")["work_id"].agg(lambda ids: "|".join(f"{i}-print" for i in ids))
    boxes = series[series["volume"] == 0].set_index("slug").loc[volumes.index]
    table = _edition(boxes.assign(work_id="B-" + volumes.index), "box", 22.90)
    return table.assign(
        name=(boxes["title"] + ", box of three").to_numpy(),
        contains=volumes.to_numpy(),
        work_id=None,
    )


def _goods(rows: tuple[tuple[str, str, str, float, int, float], ...], eaten: bool) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["item_id", "name", "category", "price", "days", "share"])
    return table.drop(columns=["days", "share"]).assign(
        work_id=None,
        lifetime_days=np.nan if eaten else table["days"].astype(float),
        consumable=eaten,
        contains=None,
    )


def _codes(ids: pd.Series, code: dict[str, int]) -> Ints:
    return np.array([code.get(item, -1) for item in ids], dtype=np.int64)
