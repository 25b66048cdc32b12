"""Every column name, event name and unit of the library, in one place.

Tables that come in and go out use these words and no others.
"""

from __future__ import annotations

# -- columns of an interaction log -------------------------------------------------
CUSTOMER = "customer_id"
ITEM = "item_id"
TIMESTAMP = "timestamp"  # when it happened; int64 microseconds UTC inside
KNOWN_AT = "known_at"  # when it became known; defaults to the timestamp
EVENT = "event"
QUANTITY = "quantity"  # pieces, float64
PRICE = "price"  # per piece, in the log's one currency
AMOUNT = "amount"  # line total = price * quantity; accepted on the way in only
VALUE = "value"  # a rating's value
ORDER = "order_id"
EVENT_ID = "event_id"
GIFT = "gift"  # bool
CHANNEL = "channel"
REASON = "reason"  # topic of a contact, complaint or return

LOG_COLUMNS = (
    CUSTOMER,
    ITEM,
    TIMESTAMP,
    EVENT,
    QUANTITY,
    PRICE,
    VALUE,
    ORDER,
    EVENT_ID,
    GIFT,
    CHANNEL,
    REASON,
    KNOWN_AT,
)

# -- events ------------------------------------------------------------------------
VIEW, SEARCH, CART, PURCHASE, RETURN, CANCEL = (
    "view",
    "search",
    "cart",
    "purchase",
    "return",
    "cancel",
)
CONTACT, COMPLAINT, RESOLVED, RATING, WISH = "contact", "complaint", "resolved", "rating", "wish"
NOT_INTERESTED = "not_interested"
WARNING_ACCEPTED, WARNING_DISMISSED = "warning_accepted", "warning_dismissed"
CONTACTED, SUBSCRIBE, RENEW, LAPSE = "contacted", "subscribe", "renew", "lapse"

EVENTS = (
    VIEW,
    SEARCH,
    CART,
    PURCHASE,
    RETURN,
    CANCEL,
    CONTACT,
    COMPLAINT,
    RESOLVED,
    RATING,
    WISH,
    NOT_INTERESTED,
    WARNING_ACCEPTED,
    WARNING_DISMISSED,
    CONTACTED,
    SUBSCRIBE,
    RENEW,
    LAPSE,
)
EVENT_CODES = {name: code for code, name in enumerate(EVENTS)}  # int8 in the arrays
ITEM_OPTIONAL = frozenset(
    (SEARCH, CONTACT, COMPLAINT, RESOLVED, CONTACTED, SUBSCRIBE, RENEW, LAPSE)
)

# -- attributes --------------------------------------------------------------------
WORK = "work_id"  # the same thing in another format or edition
CATEGORY = "category"
NAME = "name"
LIFETIME_DAYS = "lifetime_days"
CONSUMABLE = "consumable"
CONTAINS = "contains"
COVERED_BY = "covered_by"
OBJECTS_TO = "objects_to"
LEVEL = "level"  # of service, that a customer is entitled to
VALID_FROM = "valid_from"
PROFILING, MARKETING = "profiling", "marketing"  # values of objects_to

# -- time --------------------------------------------------------------------------
MICROSECONDS_PER_DAY = 86_400_000_000
NO_TIME = -(2**63)  # NaT in int64 microseconds
MISSING = -1  # missing code
