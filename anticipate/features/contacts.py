"""Contacts: what a customer told us.

Reads  contacts, complaints, their resolution and ratings before the customer's cutoff.
Gives  counts (0 where nothing was said) and ratings (NaN there).
Never  a topic. A ``resolved`` closes the customer's earlier complaints that it does not
       contradict: where both name an item, or both an order, it must be the same one.
"""

from __future__ import annotations

from ..kernels import contacts as kernel
from .feature import Feature

FEATURES = (
    Feature("n_contacts", "events", "contacts", kernel.n_contacts),
    Feature("n_complaints", "events", "complaints", kernel.n_complaints),
    Feature(
        "n_complaints_resolved", "events", "complaints that a resolved event followed",
        kernel.n_complaints_resolved,
    ),
    Feature(
        "n_complaints_open", "events", "unresolved complaints in [cutoff - 30 d, cutoff)",
        kernel.n_complaints_open,
    ),
    Feature("n_ratings", "events", "ratings with a value", kernel.n_ratings),
    Feature("rating_mean", "the log's rating scale", "mean rating", kernel.rating_mean),
    Feature("rating_last", "the log's rating scale", "latest rating", kernel.rating_last),
)  # fmt: skip
