"""Batching: one more dimension through every operator."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from ..core.avals import ShapedArray
from ..core.axes import axis_name, named_size
from ..core.effects import NamedAxis
from ..core.primitive import AlongAxis, Elementwise, Primitive, Zero, effects_of, infer
from ..core.trace import Trace, Tracer, active, aval_of, current_trace
from ..ops.structural import broadcast_in_dim, moveaxis


class BatchTracer(Tracer):
    """A value with a batch dimension that the function does not see."""

    __slots__ = ("dim", "value")

    def __init__(self, trace: Trace, value: Any, dim: int) -> None:
        aval = aval_of(value)
        shape = aval.shape[:dim] + aval.shape[dim + 1 :]
        super().__init__(trace, ShapedArray(shape, aval.dtype, aval.weak_type))
        self.value = value
        self.dim = dim

    def origin(self) -> str:
        inner = (
            self.value.origin()
            if isinstance(self.value, Tracer)
            else f"a value of type {self.aval}"
        )
        return f"{inner}, being mapped over"


class BatchTrace(Trace):
    """Applies each operator's batch rule; those that use the axis by its name learn the name."""

    __slots__ = ("axis_name", "size")

    def __init__(self, parent: Trace, size: int) -> None:
        super().__init__(parent)
        self.size = int(size)
        self.axis_name = axis_name(size)

    def __repr__(self) -> str:
        name = "" if self.axis_name is None else f" {self.axis_name!r}"
        return f"vmap over an axis{name} of size {self.size}"

    @property
    def axes(self) -> tuple[tuple[Hashable, int], ...]:
        return ((self.axis_name, self.size),)

    def unpack(self, x: Any) -> tuple[Any, int | None]:
        if isinstance(x, BatchTracer) and x.owner is self:
            return x.value, x.dim
        return x, None

    def process(self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]) -> Any:
        pairs = [self.unpack(x) for x in args]
        values = [v for v, _ in pairs]
        dims = [d for _, d in pairs]
        used = self.is_used_by(primitive, params)
        if used and primitive.staged is None and callable(primitive.effects):
            # Here the operator ends, and its rule gives way to others: it must check its arguments.
            infer(primitive, [aval_of(x) for x in args], params)
        assert self.parent is not None
        with active(self.parent):
            if all(d is None for d in dims) and not used:
                return primitive.bind(*values, **params)
            size = named_size(self.size, self.axis_name if used else None)
            out, out_dim = batch_primitive(primitive, size, values, dims, params)
        if not primitive.multiple_results:
            return self.pack(out, out_dim)
        return [self.pack(y, d) for y, d in zip(out, out_dim, strict=True)]

    def is_used_by(self, primitive: Primitive, params: dict[str, Any]) -> bool:
        """Whether an operator may communicate along this axis, mapped inputs or not."""
        if self.axis_name is None:
            return False
        return NamedAxis(self.axis_name) in effects_of(primitive, params)

    def pack(self, value: Any, dim: int | None) -> Any:
        if dim is None:
            return value
        if isinstance(value, Zero):
            shape = value.aval.shape
            return Zero(value.aval.update(shape=(*shape[:dim], *shape[dim + 1 :])))
        return BatchTracer(self, value, dim)


def batch_primitive(
    primitive: Primitive,
    size: int,
    values: Sequence[Any],
    dims: Sequence[int | None],
    params: dict[str, Any],
) -> tuple[Any, Any]:
    """The batched output(s) of one operator and where the batch dimension is in each."""
    rule = primitive.rule("batch")
    if isinstance(rule, Elementwise):
        aligned, dim = align(size, values, dims)
        out = primitive.bind(*aligned, **params)
        return out, [dim] * len(out) if primitive.multiple_results else dim
    if isinstance(rule, AlongAxis):
        moved = [to_front(size, v, d) for v, d in zip(values, dims, strict=True)]
        shifted = {**params, **{k: _shift(params[k]) for k in rule.params}}
        out = primitive.bind(*moved, **shifted)
        return out, [0] * len(out) if primitive.multiple_results else 0
    return rule(size, values, dims, **params)  # type: ignore[no-any-return]


def _shift(axes: Any) -> Any:
    return tuple(a + 1 for a in axes) if isinstance(axes, tuple) else axes + 1


def align(size: int, values: Sequence[Any], dims: Sequence[int | None]) -> tuple[list[Any], int]:
    """All values with the batch dimension in one place: theirs if they agree, else in front.

    Scalars that are not batched stay scalars where every operand is one; else all get the full
    shape.
    """
    where = {d for d in dims if d is not None}
    ranks = {aval_of(v).ndim for v, d in zip(values, dims, strict=True) if d is not None}
    target = where.pop() if len(where) == 1 and len(ranks) == 1 else 0
    return [place(size, v, d, target) for v, d in zip(values, dims, strict=True)], target


def place(size: int, value: Any, dim: int | None, target: int) -> Any:
    """The value with its batch dimension at `target`, broadcast if it has none."""
    if dim is not None:
        return moveaxis(value, dim, target)
    shape = aval_of(value).shape
    full = (*shape[:target], size, *shape[target:])
    kept = tuple(i if i < target else i + 1 for i in range(len(shape)))
    return broadcast_in_dim(value, shape=full, broadcast_dimensions=kept)


def to_front(size: int, value: Any, dim: int | None) -> Any:
    """The value with its batch dimension in front, broadcast if it has none."""
    return place(size, value, dim, 0)


def batch_flat(
    function: Callable[..., Sequence[Any]],
    size: int,
    values: Sequence[Any],
    dims: Sequence[int | None],
) -> tuple[list[Any], list[int | None]]:
    """Outputs of a mapped function of flat arguments, and their batch dimensions or None.

    The size is a `NamedSize` where the axis has a name. `Zero` may be among the arguments, where it
    stands for the batch, and among the outputs, where it stands for one element.
    """
    trace = BatchTrace(current_trace(), size)
    tracers = [trace.pack(v, d) for v, d in zip(values, dims, strict=True)]
    with active(trace):
        outputs = function(*tracers)
    pairs = [trace.unpack(y) for y in outputs]
    return [v for v, _ in pairs], [d for _, d in pairs]
