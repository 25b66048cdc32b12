"""Results that say how good they are: metrics, plain baselines, backtest, report.

Reads  models' tables, the History they were made from, the Outcomes that followed.
Gives  a ``Report``: every number beside the best plain rule's, graded A to D.
Never  a model: the tables arrive as arguments.
"""

from .backtest import rolling_cutoffs, training_slices
from .baselines import (
    churn_baselines,
    frequent_lists,
    mean_gap_dates,
    mean_gap_pair_dates,
    needs_baselines,
    popular_lists,
    timing_baselines,
    warning_baselines,
)
from .calibration import expected_calibration_error, gains_table, reliability_table
from .churn_section import evaluate_churn, list_length
from .grading import best_baseline, grade, improvement
from .groups import customer_groups
from .guard_metrics import (
    catch_share,
    catch_share_at,
    precision_at_prevalence,
    score_limit,
    warnings_per_1000,
)
from .guard_section import evaluate_guard
from .injection import first_carts, injected_carts, owned_items
from .matching import MatchedLists, match_codes, match_lists
from .needs_section import bought_pairs, evaluate_needs, evaluate_suggestions, history_pairs
from .probability_metrics import (
    auc,
    brier,
    brier_skill,
    calibration_line,
    lift_at_top,
    log_loss,
    log_losses,
    precision_at_n,
)
from .ranking_metrics import (
    capped_recall_at_k,
    hit_at_k,
    ndcg_at_k,
    new_recall_at_k,
    recall_at_k,
    repeat_recall_at_k,
    repeat_share_at_k,
)
from .report import Report
from .sections import GroupRow, MetricRow, Section, group_rows, mean_row, number_row
from .stability_metrics import top_overlap
from .timing_metrics import clip_days, clipped_errors_days, covered, winkler_scores_days
from .timing_section import evaluate_timing
from .trust_sections import evaluate_reasons, evaluate_stability

__all__ = [
    "GroupRow",
    "MatchedLists",
    "MetricRow",
    "Report",
    "Section",
    "auc",
    "best_baseline",
    "bought_pairs",
    "brier",
    "brier_skill",
    "calibration_line",
    "capped_recall_at_k",
    "catch_share",
    "catch_share_at",
    "churn_baselines",
    "clip_days",
    "clipped_errors_days",
    "covered",
    "customer_groups",
    "evaluate_churn",
    "evaluate_guard",
    "evaluate_needs",
    "evaluate_reasons",
    "evaluate_stability",
    "evaluate_suggestions",
    "evaluate_timing",
    "expected_calibration_error",
    "first_carts",
    "frequent_lists",
    "gains_table",
    "grade",
    "group_rows",
    "history_pairs",
    "hit_at_k",
    "improvement",
    "injected_carts",
    "lift_at_top",
    "list_length",
    "log_loss",
    "log_losses",
    "match_codes",
    "match_lists",
    "mean_gap_dates",
    "mean_gap_pair_dates",
    "mean_row",
    "ndcg_at_k",
    "needs_baselines",
    "new_recall_at_k",
    "number_row",
    "owned_items",
    "popular_lists",
    "precision_at_n",
    "precision_at_prevalence",
    "recall_at_k",
    "reliability_table",
    "repeat_recall_at_k",
    "repeat_share_at_k",
    "rolling_cutoffs",
    "score_limit",
    "timing_baselines",
    "top_overlap",
    "training_slices",
    "warning_baselines",
    "warnings_per_1000",
    "winkler_scores_days",
]
