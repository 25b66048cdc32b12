"""Whom to contact: service levels under a budget, what a campaign changed, and uplift.

Names load on first use, so that a service that only ranks loads neither pandas nor scikit-learn.

Read the plan's files in this order: ``levels`` (what may be offered), ``people`` and ``limits``
(to whom, and to whom not), ``eligibility`` and ``offers`` (what each level would save), ``draws``
(who is held out), ``choosing`` over ``knapsack`` with ``prices`` and ``rounding``, and ``held_out``
(what these would have got), ``plan_table`` and ``reasons``; ``plan`` is the door. ``ranking`` is
the simple case for services. After a campaign: ``effect_asked``, ``effect_arms`` and
``effect_money`` (who, what was paid), ``effect_table``, ``effect_words``; the door is ``effect``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .effect import CampaignEffect, MeasuredGain, campaign_effect
    from .levels import Level
    from .plan import ContactPlan
    from .plan_file import read_plan
    from .uplift import ClassTransformation, TLearner
    from .uplift_metrics import auuc, auuc_interval, qini, qini_interval, uplift_curve
    from .uplift_shared import SharedLearner

_HOMES = {
    "CampaignEffect": "effect",
    "ClassTransformation": "uplift",
    "ContactPlan": "plan",
    "Level": "levels",
    "MeasuredGain": "effect",
    "SharedLearner": "uplift_shared",
    "TLearner": "uplift",
    "auuc": "uplift_metrics",
    "auuc_interval": "uplift_metrics",
    "campaign_effect": "effect",
    "qini": "uplift_metrics",
    "qini_interval": "uplift_metrics",
    "read_plan": "plan_file",
    "uplift_curve": "uplift_metrics",
}
__all__ = [
    "CampaignEffect",
    "ClassTransformation",
    "ContactPlan",
    "Level",
    "MeasuredGain",
    "SharedLearner",
    "TLearner",
    "auuc",
    "auuc_interval",
    "campaign_effect",
    "qini",
    "qini_interval",
    "read_plan",
    "uplift_curve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'anticipate.retention' has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
