"""For those who write models and features of their own: seeded logs, and the laws as checks.

Reads  a model, a function of a history, a log.
Gives  nothing, or an ``AssertionError`` that names the law that was broken and where.
Never  a test framework: use it with any.
"""

from .laws import check_history_model
from .leaks import check_no_leak
from .random_logs import random_log

__all__ = ["check_history_model", "check_no_leak", "random_log"]
