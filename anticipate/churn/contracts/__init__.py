"""Contracts: what is open, what closes, and when.

Read ``state`` (rules and labels), ``rows``, ``candidates``, ``choice``, then ``hazard``, the
estimator; ``mode`` and ``money`` make the churn table of it.
"""
