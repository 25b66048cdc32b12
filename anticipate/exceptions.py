"""Errors and warnings of the library.

Each error is also a builtin kind, so callers may catch ``ValueError`` or ``AnticipateError``.
Messages say what is wrong, what was seen and what to do; never a customer's content.
"""

from __future__ import annotations


class AnticipateError(Exception):
    """Base of every error raised on purpose."""


class ColumnError(AnticipateError, KeyError):
    """A column is missing, or two columns contradict each other."""

    def __str__(self) -> str:  # KeyError would show the repr of the message
        return str(self.args[0]) if self.args else ""


class BadRowsError(AnticipateError, ValueError):
    """Rows of the input cannot be used; counted by reason with the first row numbers."""


class IdTypeError(AnticipateError, TypeError):
    """Ids are of a wrong or mixed type."""


class TimeError(AnticipateError, ValueError):
    """A time is missing, impossible, or lacks a timezone."""


class CutoffError(AnticipateError, ValueError):
    """A cutoff, window or ``as_of`` that the data or the model cannot answer honestly."""


class EmptyHistoryError(AnticipateError, ValueError):
    """There is nothing before the cutoff to learn from."""


class ParameterError(AnticipateError, ValueError):
    """An argument has a value outside its range."""


class ReadError(AnticipateError, ValueError):
    """A file cannot be read; the message names it and what to do."""


class BundleError(AnticipateError, ValueError):
    """A bundle is damaged, foreign, or from a newer version."""


class MissingExtraError(AnticipateError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""


class OutputError(AnticipateError, OSError):
    """A result could not be written; nothing half-written was left."""


class AnticipateWarning(UserWarning):
    """Base of every warning."""


class MinimumDataWarning(AnticipateWarning):
    """Fewer data than a model needs to be trusted; a simpler answer was given."""


class FutureCutoffWarning(AnticipateWarning):
    """The cutoff lies past the end of the data, or far past the bundle's."""


class FilteredOutWarning(AnticipateWarning):
    """Filters left nothing to recommend."""


class NoHoldoutWarning(AnticipateWarning):
    """Nobody is held out of a contact plan, so that its effect cannot be measured."""


class NoMeasurableEffectWarning(AnticipateWarning):
    """A measured effect may be chance alone: its interval covers 0."""


class RiskRankingWarning(AnticipateWarning):
    """Customers are ranked by risk alone, which saves less than the plan would."""
