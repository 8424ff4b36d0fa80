"""Named axes: which are in scope, and how a batch says what its axis is called."""

from __future__ import annotations

from collections.abc import Hashable

from .. import errors
from .trace import Trace, current_trace

Axes = tuple[tuple[Hashable, int], ...]
"""Named axes with their sizes, major to minor."""


class NamedSize(int):
    """The size of a batch whose axis has a name, which batch rules pass on with the size."""

    name: Hashable

    def __new__(cls, size: int, name: Hashable) -> NamedSize:
        found = super().__new__(cls, size)
        found.name = name
        return found

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return int, (int(self),)


def named_size(size: int, name: Hashable) -> int:
    """The size of a batch axis with a name; a plain integer where there is none.

    >>> axis_name(named_size(3, "i")), axis_name(named_size(3, None))
    ('i', None)
    """
    return int(size) if name is None else NamedSize(size, name)


def axis_name(size: int) -> Hashable:
    """The name of the axis that a batch rule is given the size of; None if it has none."""
    return size.name if isinstance(size, NamedSize) else None


def axis_environment() -> dict[Hashable, int]:
    """The sizes of the named axes in scope, innermost first."""
    found: dict[Hashable, int] = {}
    at: Trace | None = current_trace()
    while at is not None:
        for name, size in at.axes:
            if name is not None:
                found.setdefault(name, size)
        at = at.parent
    return found


def unknown_axis(name: Hashable, what: str) -> errors.UnknownAxisError:
    """The error for an axis name that nothing around binds."""
    known = ", ".join(map(repr, axis_environment()))
    return errors.UnknownAxisError(
        f"expected {what} inside a function mapped over an axis of that name",
        f"the axis name {name!r}; " + (f"in scope are {known}" if known else "none is in scope"),
        instead=f"vmap(f, axis_name={name!r}), or pmap, around the function that uses it",
    )


def size_of_axis(name: Hashable, what: str) -> int:
    """The size of a named axis in scope; raises `UnknownAxisError` if it is not."""
    try:
        return axis_environment()[name]
    except (KeyError, TypeError):
        raise unknown_axis(name, what) from None
