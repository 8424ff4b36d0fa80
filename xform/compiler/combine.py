"""The combiners of reductions and scans: their start, their step, how lanes are joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._kernels import builder as llvm, scalar
from .loop_graph import Node

Value = llvm.Value


def name(node: Node) -> str:
    """The name of the formula that combines."""
    return str(node.loop.combine)


def width(node: Node) -> int:
    """How many values are carried: argmax and argmin carry the position too."""
    return 2 if name(node) in ("argmax", "argmin") else 1


def _dtype(node: Node) -> str:
    """The dtype carried: 16-bit floats are added and multiplied in float32."""
    dtype = node.inputs[0].dtype
    short = dtype in ("float16", "bfloat16") and name(node) in ("add", "mul", "logaddexp")
    return "float32" if short else dtype


def _is_keyed(node: Node) -> bool:
    """Whether floats are compared as integers: one instruction, where NaN and the order of zeros
    take five between floats."""
    return name(node) in ("max", "min") and _dtype(node) in ("float32", "float64")


def _key(b: llvm.Builder, node: Node, x: Value) -> Value:
    """An integer in the order of the floats; NaN is the one that wins."""
    nan = float("nan") if name(node) == "max" else -float("nan")
    x = b.select(b.compare("uno", x, x), nan, x)
    return _turned(b, b.bits(x))


def _turned(b: llvm.Builder, bits: Value) -> Value:
    """The bits of a negative float but for the sign, the other way round: its own inverse."""
    size = int(bits.element[1:])
    sign = b.shift_right_arithmetic(bits, size - 1)
    return bits ^ (sign & (2 ** (size - 1) - 1))


def identity(combiner: str, dtype: str) -> float | int | bool:
    """The value that changes nothing."""
    if combiner in ("argmax", "max", "logaddexp"):
        return _lowest(dtype)
    if combiner in ("argmin", "min"):
        return _highest(dtype)
    if combiner == "mul":
        return 1
    if combiner == "and":
        return True if dtype == "bool" else -1
    return 0


def _lowest(dtype: str) -> float | int | bool:
    if dtype == "bool":
        return False
    if "float" in dtype:
        return float("-inf")
    return int(np.iinfo(dtype).min)


def _highest(dtype: str) -> float | int | bool:
    if dtype == "bool":
        return True
    if "float" in dtype:
        return float("inf")
    return int(np.iinfo(dtype).max)


def start(b: llvm.Builder, node: Node, lanes: int) -> tuple[Value, ...]:
    """The carried values before the first item."""
    dtype = _dtype(node)
    first = b.constant(scalar.element(dtype), identity(name(node), dtype), lanes)
    if _is_keyed(node):
        first = _turned(b, b.bits(first))
    if width(node) == 1:
        return (first,)
    return first, b.constant("i64", -1, lanes)


def first(b: llvm.Builder, node: Node, item: Value, position: Value | None) -> tuple[Value, ...]:
    """The carried values after one item only."""
    item = _enter(b, node, item)
    return (item,) if position is None else (item, position)


def step(
    b: llvm.Builder, node: Node, before: Sequence[Value], item: Value, position: Value | None
) -> tuple[Value, ...]:
    """The carried values after one more item."""
    item = _enter(b, node, item)
    lanes = before[0].lanes
    if position is None:
        return (_pair(b, node, before[0], b.splat(item, lanes)),)
    return _better(b, node, before, (b.splat(item, lanes), b.splat(position, lanes)))


def _enter(b: llvm.Builder, node: Node, item: Value) -> Value:
    source, target = node.inputs[0].dtype, _dtype(node)
    if _is_keyed(node):
        return _key(b, node, item)
    if source == target:
        return item
    return scalar.apply(b, "convert_element_type", source, [item], {"new_dtype": target})[0]


def leave(b: llvm.Builder, node: Node, value: Value) -> Value:
    """A carried value in the dtype of the result."""
    source, target = _dtype(node), node.inputs[0].dtype
    if _is_keyed(node):
        return b.float_of_bits(_turned(b, value), scalar.element(target))
    if source == target:
        return value
    return scalar.apply(b, "convert_element_type", source, [value], {"new_dtype": target})[0]


def _pair(b: llvm.Builder, node: Node, x: Value, y: Value) -> Value:
    dtype = _dtype(node)
    if _is_keyed(node):
        return b.intrinsic(f"s{name(node)}", x, y)
    if name(node) != "logaddexp":
        return scalar.apply(b, name(node), dtype, [x, y], {})[0]
    # log(exp x + exp y) = max + log1p(exp(-|x - y|)); equal infinities have no difference.
    top = scalar.apply(b, "max", dtype, [x, y], {})[0]
    distance = b.fabs(x - y)
    same = b.compare("oeq", x, y)
    distance = b.select(same, 0.0, distance)
    small = scalar.apply(b, "exp", dtype, [-distance], {})[0]
    return top + scalar.apply(b, "log1p", dtype, [small], {})[0]


def _better(
    b: llvm.Builder, node: Node, x: Sequence[Value], y: Sequence[Value]
) -> tuple[Value, Value]:
    """The (value, position) that an argmax prefers: NaN, then the value, then the lower position.

    Position -1 is no item yet.
    """
    signed = node.inputs[0].aval.dtype.kind == "i"
    (vx, px), (vy, py) = x, y
    beyond = name(node) == "argmax"
    if vx.is_float:
        wins = b.compare("ogt" if beyond else "olt", vy, vx)
        nan_x, nan_y = b.compare("uno", vx, vx), b.compare("uno", vy, vy)
        tie = b.compare("oeq", vx, vy) | (nan_x & nan_y)
        wins = (wins & ~nan_x) | (nan_y & ~nan_x)
    else:
        sign = "s" if signed else "u"
        wins = b.compare(sign + ("gt" if beyond else "lt"), vy, vx)
        tie = b.compare("eq", vx, vy)
    # As unsigned numbers, no position (-1) is after all others.
    earlier = b.compare("ult", py, px)
    chosen = wins | (tie & earlier) | (b.compare("eq", px, -1) & b.compare("ne", py, -1))
    return b.select(chosen, vy, vx), b.select(chosen, py, px)


def finish(b: llvm.Builder, node: Node, values: Sequence[Value], lanes: int) -> Value:
    """The result: the lanes joined by halves, in a fixed order, in the result's dtype."""
    while lanes > 1:
        half = lanes // 2
        low = [b.shuffle(v, range(half)) for v in values]
        high = [b.shuffle(v, range(half, lanes)) for v in values]
        if len(values) == 1:
            values = [_pair(b, node, low[0], high[0])]
        else:
            values = _better(b, node, low, high)
        lanes = half
    if len(values) == 1:
        return leave(b, node, values[0])
    element = scalar.element(node.dtype)
    position = values[1]
    return position if element == "i64" else b.cast("trunc", position, element)
