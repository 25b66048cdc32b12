"""A value made when it is first read, kept in the object.

Reads  a method without arguments.
Gives  an attribute.
Never  a lock: Python 3.11's ``functools.cached_property`` takes one at every first read, of every
       request. Two threads that come at once make the same value twice, and either is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

Value = TypeVar("Value")


class once(Generic[Value]):
    """``functools.cached_property`` without a lock."""

    def __init__(self, make: Callable[[Any], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, of: None, owner: type) -> once[Value]: ...
    @overload
    def __get__(self, of: object, owner: type) -> Value: ...
    def __get__(self, of: object | None, owner: type) -> once[Value] | Value:
        if of is None:
            return self
        value = of.__dict__[self._name] = self._make(of)
        return value
