"""From a simplified program to a loop graph: each equation becomes the loop shape its row names."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import errors
from .._kernels import scalar
from ..core.avals import ShapedArray
from ..core.axes import Axes
from ..core.jaxpr import Equation, Jaxpr, Literal, Var
from ..core.loops import (
    Branch,
    Collective,
    Contract,
    Generate,
    Loop,
    Map,
    Opaque,
    Parallel,
    Piece,
    Reduce,
    Scan,
    Update,
    View,
)
from ..core.primitive import Absent
from .loop_graph import Input, LoopGraph, Node, Scalar, dtype_name, reachable
from .meetings import lowered
from .operands import matrix

_OPAQUE = Opaque()
_NOTHING = ShapedArray((), np.bool_)  # stands for the result of what has effects only

# What a formula of two operands is called by the combiners of reductions and scans.
COMBINERS = {
    "add": "add",
    "mul": "mul",
    "max": "max",
    "min": "min",
    "and": "and",
    "or": "or",
    "xor": "xor",
    "set": None,
    "argmax": "gt",
    "argmin": "lt",
    "logaddexp": "max",
}


def lower(program: Jaxpr, devices: Axes = ()) -> LoopGraph:
    """The loop graph of a program without calls, of one of the devices along the axes if any."""
    builder = _Lowering(devices)
    inputs = [builder.node(Input(k), (), v.aval, {}) for k, v in enumerate(program.invars)]
    env: dict[Var, Node] = dict(zip(program.invars, inputs, strict=True))
    acting: list[Node] = []
    for position, equation in enumerate(program.equations):
        builder.position = position
        operands = [builder.atom(a, env) for a in equation.inputs]
        results = builder.equation(equation, operands)
        if equation.effects:
            acting += results
        if equation.outputs:
            env.update(zip(equation.outputs, results, strict=True))
    outputs = tuple(builder.atom(a, env) for a in program.outvars)
    # In the order of the program: effects keep it, and values are forgotten as soon as they can be.
    kept = tuple(sorted(reachable((*acting, *outputs)), key=lambda n: n.id))
    return LoopGraph(kept, tuple(inputs), outputs, program.name)


class _Lowering:
    def __init__(self, devices: Axes) -> None:
        self.devices = devices
        self.count = 0
        self.position = 0  # of the equation being lowered
        self.scalars: dict[Literal, Node] = {}

    def node(
        self,
        loop: Any,
        inputs: Sequence[Node],
        aval: ShapedArray,
        params: Any,
        equation: Equation | None = None,
        result: int = 0,
    ) -> Node:
        self.count += 1
        primitive = equation.primitive if equation else None
        if equation is None:
            return Node(self.count, loop, inputs, aval, params)
        return Node(
            self.count,
            loop,
            inputs,
            aval,
            params,
            primitive,
            result,
            equation.source,
            self.position,
        )

    def atom(self, atom: Any, env: dict[Var, Node]) -> Node:
        if not isinstance(atom, Literal):
            return env[atom]
        if atom not in self.scalars:
            self.scalars[atom] = self.node(Scalar(atom.value), (), atom.aval, {})
        return self.scalars[atom]

    def equation(self, equation: Equation, operands: Sequence[Node]) -> list[Node]:
        loop = equation.primitive.lower
        if isinstance(loop, Absent):
            raise errors.CompileError(
                f"expected an operator that can be compiled, got {equation.primitive.name}",
                where=equation.source.text,
                why=loop.reason,
            )
        if isinstance(loop, Collective):
            return [lowered(self, equation, operands, self.devices)]
        if not _is_native(loop, equation, operands):
            loop = _OPAQUE
        elif isinstance(loop, Contract) and is_small(equation, operands):
            return [self.contraction(equation, operands)]
        elif isinstance(loop, Reduce) and is_unrolled(loop, equation):
            return [self.unrolled(equation, operands[0])]
        elif isinstance(loop, Reduce) and (found := division(loop, equation)):
            return [self.divided(equation, operands[0], *found)]
        if isinstance(loop, Contract):
            return [self.product(equation, operands)]
        if isinstance(loop, Map) and loop.scalar == "pow":
            operands = self.power_operands(equation, operands)
        params = dict(equation.params)
        if isinstance(loop, Map) and "new_dtype" in params:
            params["new_dtype"] = np.dtype(params["new_dtype"]).name
        avals = [v.aval for v in equation.outputs] or [_NOTHING]
        nodes = [
            self.node(loop, operands, aval, params, equation, k) for k, aval in enumerate(avals)
        ]
        for n in nodes:
            n.first = nodes[0]
            n.siblings = tuple(nodes)
        return nodes

    def product(self, equation: Equation, operands: Sequence[Node]) -> Node:
        """A contraction by a kernel. An operand that is no matrix in memory is laid out as one."""
        out = equation.outputs[0].aval
        lc, rc, lb, rb = dimension_numbers(equation)
        params = dict(equation.params)
        node = self.node(equation.primitive.lower, operands, out, params, equation)
        if all(matrix(node, side) is not None for side in (0, 1)):
            return node
        laid_out = []
        numbers = []
        for x, contracted, batch in ((operands[0], lc, lb), (operands[1], rc, rb)):
            free = [d for d in range(x.aval.ndim) if d not in (*contracted, *batch)]
            order = (*batch, *free, *contracted)
            where = tuple(order.index(d) for d in range(x.aval.ndim))
            shape = ShapedArray(tuple(x.shape[d] for d in order), x.aval.dtype)
            laid_out.append(self.node(View(_spread(where)), (x,), shape, {}, equation))
            last = x.aval.ndim
            numbers.append((tuple(range(last - len(contracted), last)), tuple(range(len(batch)))))
        (left, left_batch), (right, right_batch) = numbers
        params["dimension_numbers"] = ((left, right), (left_batch, right_batch))
        return self.node(equation.primitive.lower, laid_out, out, params, equation)

    def unrolled(self, equation: Equation, x: Node) -> Node:
        """A reduction of a few elements as that many operands, so that it needs no loop."""
        axes = equation.params["axes"]
        out = equation.outputs[0].aval
        dtype = (
            _product_dtype(out.dtype) if equation.primitive.lower.combine == "add" else out.dtype
        )
        aval = ShapedArray(out.shape, dtype)
        terms = []
        for at in itertools.product(*(range(x.shape[a]) for a in axes)):
            view = self.node(
                View(_fixed(dict(zip(axes, at, strict=True)))),
                (x,),
                ShapedArray(out.shape, x.aval.dtype),
                {},
                equation,
            )
            terms.append(self.converted(view, dtype, equation))
        combine = Map(equation.primitive.lower.combine)
        while len(terms) > 1:
            odd = terms[len(terms) // 2 * 2 :]
            pairs = zip(terms[0::2], terms[1::2], strict=False)
            terms = [self.node(combine, pair, aval, {}, equation) for pair in pairs] + odd
        return self.converted(terms[0], out.dtype, equation)

    def divided(self, equation: Equation, x: Node, axis: int, parts: int) -> Node:
        """A reduction of many elements to few in parts, which threads share, and then of those."""
        axes = equation.params["axes"]
        combine = equation.primitive.lower.combine
        out = equation.outputs[0].aval
        dtype = _product_dtype(out.dtype) if combine in ("add", "mul") else out.dtype
        size = x.shape[axis] // parts
        shape = (parts, *x.shape[:axis], size, *x.shape[axis + 1 :])
        aval = ShapedArray(shape, x.aval.dtype)
        view = self.node(View(_in_parts(axis, size)), (x,), aval, {}, equation)
        whole = self.converted(view, dtype, equation)
        inner = {"axes": tuple(a + 1 for a in axes)}
        each = ShapedArray((parts, *out.shape), dtype)
        results = self.node(Reduce(combine), (whole,), each, inner, equation)
        last = ShapedArray(out.shape, dtype)
        total = self.node(Reduce(combine), (results,), last, {"axes": (0,)}, equation)
        return self.converted(total, out.dtype, equation)

    def power_operands(self, equation: Equation, operands: Sequence[Node]) -> list[Node]:
        """An integer exponent in the dtype of the base."""
        x, y = operands
        return [x, self.converted(y, x.aval.dtype, equation)]

    def contraction(self, equation: Equation, operands: Sequence[Node]) -> Node:
        """A contraction as a sum over products, so that it fuses with what is around it."""
        x, y = operands
        lc, rc, lb, rb = dimension_numbers(equation)
        free_x = [d for d in range(x.aval.ndim) if d not in (*lc, *lb)]
        free_y = [d for d in range(y.aval.ndim) if d not in (*rc, *rb)]
        names_x = [*(("b", k) for k in range(len(lb))), *(("m", d) for d in free_x)]
        order = [*names_x, *(("n", d) for d in free_y), *(("k", k) for k in range(len(lc)))]
        own_x = {d: ("m", d) for d in free_x}
        own_x |= {d: ("b", k) for k, d in enumerate(lb)} | {d: ("k", k) for k, d in enumerate(lc)}
        own_y = {d: ("n", d) for d in free_y}
        own_y |= {d: ("b", k) for k, d in enumerate(rb)} | {d: ("k", k) for k, d in enumerate(rc)}
        extent = {own_x[d]: e for d, e in enumerate(x.shape)}
        extent |= {own_y[d]: e for d, e in enumerate(y.shape)}
        shape = tuple(extent[name] for name in order)
        out = equation.outputs[0].aval
        dtype = _product_dtype(out.dtype)
        factors = []
        for operand, own in ((x, own_x), (y, own_y)):
            where = tuple(order.index(own[d]) for d in range(operand.aval.ndim))
            spread = ShapedArray(shape, operand.aval.dtype)
            view = self.node(View(_spread(where)), (operand,), spread, {}, equation)
            factors.append(self.converted(view, dtype, equation))
        whole = ShapedArray(shape, dtype)
        product = self.node(Map("mul"), factors, whole, {}, equation)
        axes = tuple(range(len(order) - len(lc), len(order)))
        total = self.node(
            Reduce("add"), (product,), ShapedArray(out.shape, dtype), {"axes": axes}, equation
        )
        return self.converted(total, out.dtype, equation)

    def converted(self, x: Node, dtype: np.dtype[Any], equation: Equation) -> Node:
        if x.aval.dtype == dtype:
            return x
        params = {"new_dtype": dtype.name}
        loop = Map("convert_element_type", ("new_dtype",))
        return self.node(loop, (x,), ShapedArray(x.shape, dtype), params, equation)


_MOST_UNROLLED = 4
_UNROLLED = ("add", "mul", "max", "min", "and", "or", "xor")


def is_unrolled(loop: Reduce, equation: Equation) -> bool:
    """Whether a reduction has so few elements that it is written out."""
    shape = equation.inputs[0].aval.shape
    count = math.prod(shape[a] for a in equation.params["axes"])
    return loop.combine in _UNROLLED and 0 < count <= _MOST_UNROLLED


_PARTS = range(64, 7, -1)
_LEAST_DIVIDED = 1 << 19  # elements that are reduced
_MOST_RESULTS = 64  # more are shared without that


def division(loop: Reduce, equation: Equation) -> tuple[int, int] | None:
    """The axis and the number of equal parts of a reduction of many elements to few."""
    x, out = equation.inputs[0].aval, equation.outputs[0].aval
    if loop.combine not in _UNROLLED or x.size < _LEAST_DIVIDED or out.size > _MOST_RESULTS:
        return None
    axis = max(equation.params["axes"], key=lambda a: x.shape[a])
    parts = next((p for p in _PARTS if x.shape[axis] % p == 0), None)
    return None if parts is None else (axis, parts)


def _in_parts(axis: int, size: int) -> Any:
    """The pieces of a view with an axis cut into parts, which come first."""

    def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
        part, *rest = index
        rest[axis] = part * size + rest[axis]
        return [Piece(0, tuple(rest))]

    return pieces


def _fixed(at: dict[int, int]) -> Any:
    """The pieces of a view with some dimensions at fixed places."""

    def pieces(index: Sequence[Any], read: Any, x: ShapedArray) -> list[Piece]:
        rest = iter(index)
        return [Piece(0, tuple(at[d] if d in at else next(rest) for d in range(x.ndim)))]

    return pieces


def _spread(where: tuple[int, ...]) -> Any:
    """The pieces of a view of an operand spread over more dimensions."""
    return lambda index, read, x: [Piece(0, tuple(index[d] for d in where))]


def _product_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Products of 16-bit floats are summed in float32."""
    return np.dtype(np.float32) if dtype.name in ("float16", "bfloat16") else dtype


def dimension_numbers(equation: Equation) -> tuple[tuple[int, ...], ...]:
    """(left contracted, right contracted, left batch, right batch) dimensions."""
    (lc, rc), (lb, rb) = equation.params["dimension_numbers"]
    return tuple(lc), tuple(rc), tuple(lb), tuple(rb)


_KERNEL_DTYPES = ("float32", "float64")
_SMALL = 16 * 16 * 16  # multiplications that are as fast in loops
_SMALL_SKINNY = 32 * 32 * 32
_SKINNY = 4  # rows or columns: fewer leave most of a kernel's registers empty


def is_small(equation: Equation, operands: Sequence[Node]) -> bool:
    """Whether a contraction is better off as loops: small, with a vector, or of another dtype."""
    x, y = operands
    lc, _, lb, _ = dimension_numbers(equation)
    out = equation.outputs[0].aval.dtype
    if x.dtype not in _KERNEL_DTYPES or y.dtype != x.dtype or out.name != x.dtype:
        return True
    k = math.prod(x.shape[d] for d in lc)
    batch = math.prod(x.shape[d] for d in lb)
    if not k or not x.aval.size or not y.aval.size:
        return True
    m = x.aval.size // (k * batch)
    n = y.aval.size // (k * batch)
    most = _SMALL_SKINNY if min(m, n) < _SKINNY else _SMALL
    return m == 1 or n == 1 or m * n * k <= most


def _is_native(loop: Any, equation: Equation, operands: Sequence[Node]) -> bool:
    """Whether there is a kernel for this loop shape and dtypes; else the row's `impl` is called."""
    if isinstance(loop, Loop | Branch | Parallel):
        return True  # what is inside decides for itself
    avals = [*(n.aval for n in operands), *(v.aval for v in equation.outputs)]
    if not all(is_stored(a.dtype) for a in avals):
        return False
    if isinstance(loop, Map):
        at = 1 if loop.scalar == "select_n" and len(operands) > 1 else 0
        return bool(operands) and scalar.supports(loop.scalar, operands[at].dtype)
    if isinstance(loop, Reduce | Scan):
        name = COMBINERS.get(loop.combine)
        return name is not None and scalar.supports(name, operands[0].dtype)
    if isinstance(loop, Update):
        name = COMBINERS.get(loop.combine)
        return loop.combine == "set" or (
            name is not None and scalar.supports(name, operands[0].dtype)
        )
    if isinstance(loop, Contract):
        return scalar.supports("mul", operands[0].dtype)
    return isinstance(loop, View | Generate)


_STORED = frozenset(
    (
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
    )
)


def is_stored(dtype: np.dtype[Any]) -> bool:
    """Whether compiled code has a register type for the dtype."""
    return dtype_name(dtype) in _STORED


def is_data(node: Node) -> bool:
    """Whether a node is a constant that is kept as bytes."""
    return isinstance(node.loop, Scalar) and not is_stored(node.aval.dtype)
