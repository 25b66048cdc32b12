"""Buy-till-you-die estimators on a purchase summary, and what a purchase day is worth.

Read ``cells`` (what is learned from), ``climb`` and ``maximise`` (the fit), ``estimator`` (what all
do alike), then each model's file.
"""
