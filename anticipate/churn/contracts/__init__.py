"""Contracts: what is open, what closes, and when.

Read ``state`` (rules and labels), ``rows``, ``candidates``, ``choice``, then ``hazard``, the
estimator; ``mode``, ``money`` and ``interval`` make the churn table of it.
"""
