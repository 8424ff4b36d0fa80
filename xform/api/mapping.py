"""vmap."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any

from .. import errors, tree
from ..core.axes import named_size
from ..core.trace import aval_of
from ..interpreters.batching import batch_flat, place
from .flat import FlatFunction, argument_names, as_arrays, canonical, name_of


def vmap(
    fun: Callable[..., Any],
    in_axes: Any = 0,
    out_axes: Any = 0,
    axis_name: Hashable = None,
    axis_size: int | None = None,
    spmd_axis_name: Hashable = None,
) -> Callable[..., Any]:
    """A function that maps `fun` over an axis of its arguments, all elements in one pass.

    Args:
        fun: a function of one example.
        in_axes: which axis of each positional argument to map: an int, None for an argument shared
            by all elements, or a tuple with one entry per argument, each an int, None, or a pytree
            prefix of the argument. Keyword arguments are mapped over axis 0.
        out_axes: where the mapped axis goes in the outputs: an int or a pytree prefix of the
            output; None for an output that is the same for every element.
        axis_name: a name for the mapped axis.
        axis_size: its size, needed only when no argument is mapped.
        spmd_axis_name: accepted for JAX's signature: where the mapped axis of a `shard_map` inside
            would lie, which makes no difference to devices that share one memory.

    Errors:
        ShapeError: sizes of the mapped axes that disagree. AxisError: an axis out of range.
            TreeError: axes that are no prefix of the arguments or outputs.

    >>> import xform, xform.numpy as xnp
    >>> xform.vmap(lambda x, w: x @ w, in_axes=(0, None))(xnp.eye(2), xnp.array([1.0, 2.0]))
    Array([1., 2.], dtype=float32)
    """
    in_axes = check_in_axes(in_axes)

    @functools.wraps(fun)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        check_in_axes(in_axes, args)
        leaves, in_tree = tree.flatten((args, kwargs))
        leaves = [canonical(x) for x in leaves]
        axes = leaf_axes(in_axes, args, kwargs)
        names = functools.partial(argument_names, fun, args, kwargs)
        axes = [
            checked_axis(x, a, names, k) for k, (x, a) in enumerate(zip(leaves, axes, strict=True))
        ]
        size = mapped_size(leaves, axes, axis_size, names)
        flat = FlatFunction(fun, in_tree, takes_kwargs=True)
        outs, dims = batch_flat(flat, named_size(size, axis_name), leaves, axes)
        wanted = output_axes(out_axes, flat.value(list(range(len(outs)))))
        placed = [
            _place_output(size, y, d, w, fun) for y, d, w in zip(outs, dims, wanted, strict=True)
        ]
        return flat.value(as_arrays(placed))

    return mapped


def check_in_axes(in_axes: Any, args: tuple[Any, ...] | None = None) -> Any:
    """`in_axes` as an int, None or a tuple; with arguments, one entry for each of them."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not isinstance(in_axes, int | tuple | None.__class__) or isinstance(in_axes, bool):
        raise errors.ArgumentError(
            "expected in_axes to be an int, None, or a tuple with one entry per argument",
            repr(in_axes),
        )
    if args is not None and isinstance(in_axes, tuple) and len(in_axes) != len(args):
        zeros = ", ".join(["0"] * len(args)) + ("," if len(args) == 1 else "")
        raise errors.ArgumentError(
            f"expected in_axes with one entry for each of the {len(args)} positional arguments",
            f"{in_axes}",
            instead=f"in_axes=({zeros})",
        )
    return in_axes


def leaf_axes(in_axes: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int | None]:
    """The axis to map of each leaf of the arguments, keywords last; None for shared ones."""
    prefix = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
    axes: list[int | None] = []
    for spec, arg in zip(prefix, args, strict=True):
        axes.extend(_broadcast(spec, arg, "in_axes"))
    axes.extend(0 for _ in tree.leaves(kwargs))
    return axes


def _broadcast(prefix: Any, full: Any, what: str) -> list[int | None]:
    try:
        # None is an axis in the prefix, and no leaf in what it describes.
        given, structure = tree.flatten(prefix, lambda x: x is None)
        parts = structure.flatten_up_to(full)
    except errors.TreeError as fault:
        raise errors.TreeError(
            f"expected {what} to be a prefix of the structure it describes",
            f"{prefix!r} for {tree.structure(full)}",
            instead=f"one {what} entry per leaf, or one int for a whole subtree",
        ) from fault
    axes = [axis for axis, part in zip(given, parts, strict=True) for _ in tree.leaves(part)]
    for axis in axes:
        if axis is not None and (not isinstance(axis, int) or isinstance(axis, bool)):
            raise errors.ArgumentError(f"expected axes that are ints or None in {what}", repr(axis))
    return axes


def checked_axis(
    x: Any, axis: int | None, names: Callable[[], list[str]], position: int
) -> int | None:
    """The axis counted from the front; one that the array lacks raises `AxisError`."""
    if axis is None:
        return None
    ndim = aval_of(x).ndim
    if not -ndim <= axis < ndim:
        raise errors.AxisError(
            f"expected argument {names()[position]!r} to have an axis {axis} to map over",
            f"shape {aval_of(x).shape}",
            instead="in_axes with None for arguments that all elements share",
        )
    return axis % ndim


def mapped_size(
    leaves: list[Any], axes: list[int | None], given: int | None, names: Callable[[], list[str]]
) -> int:
    """The size that the mapped axes have in common."""
    sizes = [None if a is None else aval_of(x).shape[a] for x, a in zip(leaves, axes, strict=True)]
    found = {s for s in sizes if s is not None}
    if given is not None:
        found.add(given)
    if len(found) == 1:
        return found.pop()
    if not found:
        raise errors.ArgumentError(
            "expected at least one argument mapped over an axis",
            "in_axes that are all None" if leaves else "no array arguments",
            instead="in_axes=0 for some argument, or axis_size=n",
        )
    listed = [
        f"{n}: {s} along axis {a}"
        for n, s, a in zip(names(), sizes, axes, strict=True)
        if s is not None
    ]
    raise errors.ShapeError(
        "expected equal sizes of the mapped axes",
        "; ".join(listed) + (f"; axis_size={given}" if given is not None else ""),
        instead="in_axes with None for arguments that all elements share",
    )


def output_axes(out_axes: Any, outputs: Any) -> list[int | None]:
    """Where the mapped axis goes in each output; None for outputs without it."""
    if isinstance(out_axes, list) and not isinstance(outputs, list):
        out_axes = tuple(out_axes)
    return _broadcast(out_axes, outputs, "out_axes")


def _place_output(size: int, y: Any, dim: int | None, wanted: int | None, fun: Any) -> Any:
    if wanted is None:
        if dim is not None:
            raise errors.ArgumentError(
                f"expected an output of {name_of(fun)} that is the same for every element, "
                "as out_axes=None says",
                "one that depends on a mapped argument",
                instead="out_axes=0, or reduce over the mapped values outside of vmap",
            )
        return y
    ndim = aval_of(y).ndim + (dim is None)
    if not -ndim <= wanted < ndim:
        raise errors.AxisError(
            f"expected out_axes within the {ndim} dimensions of the mapped output", str(wanted)
        )
    return place(size, y, dim, wanted % ndim)
