"""Named axes: which are in scope, and how a batch says what its axis is called."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from .. import errors
from .effects import Effects, NamedAxis
from .trace import Trace, active, current_trace

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


class AxesTrace(Trace):
    """Brings named axes into scope for the programs that are staged inside.

    `exact` says that what is the same on all devices counts as one value, also for gradients.
    """

    __slots__ = ("bound", "exact")

    def __init__(self, parent: Trace, bound: Axes, exact: bool = False) -> None:
        super().__init__(parent)
        self.bound = bound
        self.exact = exact

    def __repr__(self) -> str:
        return f"a program for devices along {self.bound}"

    @property
    def axes(self) -> Axes:
        return self.bound

    def process(self, primitive: Any, args: Sequence[Any], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        with active(self.parent):
            return primitive.bind(*args, **params)


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


def effects_of_rules(inner: Effects, **params: Any) -> Effects:
    """The effects of an operator that holds functions of the user's.

    What axes they communicate along is not known before they run: any that are in scope now.
    """
    return inner | {NamedAxis(name) for name in axis_environment()}


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


def require_local_gradients() -> None:
    """Raises `GradError` where the gradients of one device would not be what is wanted."""
    at: Trace | None = current_trace()
    while at is not None:
        if isinstance(at, AxesTrace) and at.exact:
            raise errors.GradError(
                "expected shard_map(..., check_vma=False) around a function that takes gradients",
                f"check_vma=True, and devices along {', '.join(repr(n) for n, _ in at.bound)}",
                why="gradients taken on a device are those of its own output: nothing sums those "
                "of values that all devices share",
                instead="shard_map(..., check_vma=False) and lax.psum of the gradients, or the "
                "gradient of the function that shard_map returns",
            )
        at = at.parent
