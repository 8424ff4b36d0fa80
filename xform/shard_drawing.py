"""Drawings of how arrays are divided among devices."""

from __future__ import annotations

from typing import Any

from .errors import ArgumentError
from .runtime.array import Array
from .runtime.sharding import Sharding, sharding_of

__all__ = ["visualize_array_sharding", "visualize_sharding"]


def visualize_sharding(shape: Any, sharding: Sharding) -> None:
    """Prints which devices have which part of an array of one or two axes.

    Args:
        shape: the shape of the array.
        sharding: how it is divided.

    Raises:
        ArgumentError: a shape of another number of axes.

    >>> import xform
    >>> from xform.sharding import NamedSharding, PartitionSpec as P
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     rows = NamedSharding(xform.make_mesh((2,), ("i",)), P("i"))
    >>> xform.debug.visualize_sharding((4, 4), rows)
    ┌───────┐
    │ CPU 0 │
    ├───────┤
    │ CPU 1 │
    └───────┘
    """
    if not 1 <= len(shape) <= 2:
        raise ArgumentError("expected an array of one or two axes", f"shape {tuple(shape)}")
    print(_drawn(tuple(shape), sharding))


def visualize_array_sharding(arr: Any) -> None:
    """Prints which devices have which part of an array of one or two axes.

    Args:
        arr: an array.

    Raises:
        ArgumentError: a value that is no array, or has another number of axes.

    >>> import xform, xform.numpy as xnp
    >>> with xform.config.scoped(num_cpu_devices=2):
    ...     x = xform.pmap(lambda x: x + 1)(xnp.arange(2))
    >>> xform.debug.visualize_array_sharding(x)
    ┌───────┬───────┐
    │ CPU 0 │ CPU 1 │
    └───────┴───────┘
    """
    if type(arr) is not Array:
        raise ArgumentError("expected an array with numbers", type(arr).__name__)
    visualize_sharding(arr.shape, sharding_of(arr))


def _drawn(shape: tuple[int, ...], sharding: Sharding) -> str:
    rows, columns = (1, *shape) if len(shape) == 1 else shape
    parts: dict[tuple[int, int], list[int]] = {}
    for device, index in sharding.devices_indices_map(shape).items():
        row, column = (slice(None), *index) if len(index) == 1 else index
        at = (row.indices(rows)[0], column.indices(columns)[0])
        parts.setdefault(at, []).append(device.id)
    texts = {at: f" CPU {','.join(map(str, sorted(ids)))} " for at, ids in parts.items()}
    width = max(map(len, texts.values()))
    across = sorted({column for _, column in texts})
    lines = []
    for row in sorted({row for row, _ in texts}):
        lines.append("│" + "│".join(texts[row, c].center(width) for c in across) + "│")
    edge = "─" * width
    between = "├" + "┼".join(edge for _ in across) + "┤"
    top = "┌" + "┬".join(edge for _ in across) + "┐"
    bottom = "└" + "┴".join(edge for _ in across) + "┘"
    return "\n".join([top, f"\n{between}\n".join(lines), bottom])
