"""What may be asked: the request bodies, strict.

Reads  parsed JSON.
Gives  checked requests; their JSON Schema is the documentation's.
Never  a guess: text is no number, 1 is not true, an unknown field is an error.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    field_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

MOST_CUSTOMERS, MOST_LINES, MOST_RECENT = 1_000, 500, 1_000
MOST_LINES_TOGETHER = 10_000  # of all carts of one request
ONE, MANY, AN_ID, A_LINE = "?one", "?many", "?id", "?line"  # tags; no field is named like them
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class _OneMessage:
    """A union that fails says so once, not once for each of its kinds."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = dict(handler(source))
        schema.update(custom_error_type="kind", custom_error_message=self.message)
        return cast(CoreSchema, schema)


_Whole = Annotated[int, Field(ge=-(2**63), le=2**64 - 1)]
_Text = Annotated[str, Field(min_length=1, max_length=256)]
Id = Annotated[
    _Whole | _Text,
    _OneMessage("Input should be text of 1 to 256 characters or a whole number of 64 bits"),
]
Time = Annotated[
    str,
    Field(max_length=64, description="ISO 8601; without an offset, in the bundle's timezone"),
]
Number = Annotated[float, Field(ge=-1e12, le=1e12)]


class Line(TypedDict):
    """One line of a cart."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    item_id: Id
    quantity: NotRequired[Annotated[float, Field(gt=0, le=1e9)] | None]
    price: NotRequired[Annotated[float, Field(ge=0, le=1e12, description="per piece")] | None]
    gift: NotRequired[bool | None]


class Row(TypedDict):
    """One event since the bundle was made, in the columns of a log."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    customer_id: Id
    timestamp: Time
    event: NotRequired[Annotated[str, Field(max_length=64)] | None]
    item_id: NotRequired[Id | None]
    quantity: NotRequired[Annotated[float, Field(ge=0, le=1e9)] | None]
    price: NotRequired[Number | None]
    value: NotRequired[Number | None]
    order_id: NotRequired[Id | None]
    event_id: NotRequired[Id | None]
    gift: NotRequired[bool | None]
    channel: NotRequired[Id | None]
    reason: NotRequired[Id | None]
    known_at: NotRequired[Time | None]


def _kind_of_line(line: Any) -> str:
    return A_LINE if isinstance(line, dict) else AN_ID


CartLine = Annotated[
    Annotated[Id, Tag(AN_ID)] | Annotated[Line, Tag(A_LINE)], Discriminator(_kind_of_line)
]
Recent = Annotated[list[Row], Field(max_length=MOST_RECENT)]
Cart = Annotated[list[CartLine], Field(min_length=1, max_length=MOST_LINES)]


Language = Literal["en", "ko"]


class _Question(BaseModel):
    """What every question has; nothing is filled in but the time, from the clock."""

    model_config = _STRICT
    as_of: Time | None = None
    recent: Recent | None = None


class _Worded(_Question):
    audience: Literal["customer", "staff"] = "customer"
    language: Language = "en"


_N = Annotated[int, Field(ge=1, le=32)]
_Ids = Annotated[list[Id], Field(min_length=1, max_length=MOST_CUSTOMERS)]


class SuggestOne(_Worded):
    customer_id: Id
    cart: Annotated[list[CartLine], Field(max_length=MOST_LINES)] | None = None
    n: _N = 3


class SuggestMany(_Worded):
    customer_ids: _Ids
    n: _N = 3


class CheckOne(_Worded):
    customer_id: Id
    cart: Cart


class OneCart(BaseModel):
    model_config = _STRICT
    customer_id: Id
    cart: Cart


class CheckMany(_Worded):
    carts: Annotated[
        list[OneCart],
        Field(
            min_length=1,
            max_length=MOST_CUSTOMERS,
            description=f"at most {MOST_LINES_TOGETHER} lines together",
        ),
    ]

    @field_validator("carts")
    @classmethod
    def _not_too_many_lines(cls, carts: list[OneCart]) -> list[OneCart]:
        if sum(len(one.cart) for one in carts) > MOST_LINES_TOGETHER:
            raise PydanticCustomError(
                "too_long", f"Input should have at most {MOST_LINES_TOGETHER} lines together"
            )
        return carts


class AskOne(_Question):
    customer_id: Id


class AskMany(_Question):
    customer_ids: _Ids


class BriefOne(AskOne):
    language: Language = "en"


class BriefMany(AskMany):
    language: Language = "en"


def _how_many(body: Any) -> str:
    many = isinstance(body, dict) and ("customer_ids" in body or "carts" in body)
    return MANY if many else ONE


_BY_NUMBER = Discriminator(_how_many)
Suggest = Annotated[Annotated[SuggestOne, Tag(ONE)] | Annotated[SuggestMany, Tag(MANY)], _BY_NUMBER]
Check = Annotated[Annotated[CheckOne, Tag(ONE)] | Annotated[CheckMany, Tag(MANY)], _BY_NUMBER]
Churn = Annotated[Annotated[AskOne, Tag(ONE)] | Annotated[AskMany, Tag(MANY)], _BY_NUMBER]
Brief = Annotated[Annotated[BriefOne, Tag(ONE)] | Annotated[BriefMany, Tag(MANY)], _BY_NUMBER]
