"""A program run by many devices at once, as an operator.

The parameters hold the program of one device, the named axes along which devices lie, and which of
these axes each input and output differs along: it has a leading dimension for each. Every rule
transforms the program of one device, with the named axes in scope. An output that is the same on
all devices along an axis is taken from the first; an input that is the same is given to all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import errors, runtime
from ..core import dtypes
from ..core.avals import ShapedArray
from ..core.axes import Axes
from ..core.effects import Effects, NamedAxis
from ..core.jaxpr import Jaxpr, subprograms
from ..core.loops import Branch, Collective, Contract, Convolve, Loop, Parallel
from ..core.primitive import Custom, Domain, LinearInput, Primitive, Zero, define
from ..core.trace import aval_of
from ..interpreters import rewrite
from ..interpreters.evaluate import evaluate_program
from ..interpreters.spmd import in_scope, on_all_devices, program_for_all, stage_for_devices
from ..ops.arithmetic import div, mul
from ..ops.collective import psum
from ..ops.structural import add, full_like, moveaxis
from .call import merge_by, nonzero, split_by

Places = tuple[int, ...]


def _everywhere(axes: Axes) -> Places:
    """The places of a value that differs along every axis."""
    return tuple(range(len(axes)))


def _bind(
    program: Jaxpr,
    inputs: Sequence[Any],
    axes: Axes,
    in_axes: Sequence[Places],
    out_axes: Sequence[Places],
) -> list[Any]:
    found: list[Any] = parallel_call(
        *inputs,
        jaxpr=program,
        axes=axes,
        in_axes=tuple(in_axes),
        out_axes=tuple(out_axes),
        name=program.name,
    )
    return found


def _avals(
    *avals: ShapedArray,
    jaxpr: Jaxpr,
    axes: Axes,
    in_axes: tuple[Places, ...],
    out_axes: tuple[Places, ...],
    name: str,
) -> tuple[ShapedArray, ...]:
    sizes = [size for _, size in axes]
    if not len(avals) == len(in_axes) == len(jaxpr.invars):
        raise errors.ShapeError(
            f"expected {len(jaxpr.invars)} inputs of the program {name}", f"{len(avals)}"
        )
    for aval, which, wanted in zip(avals, in_axes, jaxpr.in_avals, strict=True):
        front = tuple(sizes[k] for k in which)
        expected = wanted.update(shape=(*front, *wanted.shape))
        if aval.strong() is not expected.strong():
            raise errors.ShapeError(
                f"expected an input {expected} for the devices of {name}", f"{aval}"
            )
    return tuple(
        a.update(shape=(*(sizes[k] for k in which), *a.shape))
        for a, which in zip(jaxpr.out_avals, out_axes, strict=True)
    )


def _impl(*arrays: Any, jaxpr: Jaxpr, axes: Axes, in_axes: Any, out_axes: Any, name: str) -> Any:
    return on_all_devices(jaxpr, axes, arrays, in_axes, out_axes)


def _eager(*arrays: Any, jaxpr: Jaxpr, axes: Axes, in_axes: Any, out_axes: Any, name: str) -> Any:
    return runtime.executable.run_program(_whole(jaxpr, axes, in_axes, out_axes, name), arrays)


def _whole(jaxpr: Jaxpr, axes: Axes, in_axes: Any, out_axes: Any, name: str) -> Jaxpr:
    """The program of all devices together, for the compiler."""
    return program_for_all(jaxpr, axes, in_axes, out_axes)


LEAST_WORK = 50_000  # scalar operations of a device that are worth waking its thread for


def _apart(*, jaxpr: Jaxpr, axes: Axes, **params: Any) -> bool:
    """Whether devices run by themselves: where each has enough to do, and all take one way."""
    return (
        math.prod(size for _, size in axes) > 1
        and runtime.device_threads.threads() is not None
        and jaxpr.effects <= {NamedAxis(name) for name, _ in axes}
        and _takes_one_way(jaxpr)
        and _work(jaxpr) >= LEAST_WORK
    )


def _takes_one_way(program: Jaxpr) -> bool:
    """Whether the devices meet at the same collectives, whatever their values are."""
    for e in program.equations:
        loop = e.primitive.lower
        chooses = isinstance(loop, Branch) or (isinstance(loop, Loop) and not loop.counted)
        if chooses and e.effects:
            return False
        if isinstance(loop, Collective) and not all(_travels(a.aval) for a in e.inputs):
            return False
        if not all(_takes_one_way(p) for p in subprograms(e.params)):
            return False
    return True


def _travels(aval: ShapedArray) -> bool:
    """Whether compiled collectives know the dtype."""
    return (
        dtypes.is_bool(aval.dtype)
        or dtypes.is_integer(aval.dtype)
        or (dtypes.is_float(aval.dtype) and aval.dtype.itemsize > 1)
    )


def _work(program: Jaxpr) -> float:
    """About how many scalar operations a program takes."""
    total = 0.0
    for e in program.equations:
        times = e.params.get("length", _TRIPS) if isinstance(e.primitive.lower, Loop) else 1
        total += times * sum(_work(p) for p in subprograms(e.params))
        size = max([v.aval.size for v in (*e.inputs, *e.outputs)], default=0)
        if isinstance(e.primitive.lower, Contract):
            size *= e.inputs[0].aval.size / max(1, e.outputs[0].aval.size) ** 0.5
        elif isinstance(e.primitive.lower, Convolve):
            window = e.inputs[1].aval
            outputs = window.shape[e.params["dimension_numbers"][1][0]]
            size = e.outputs[0].aval.size * window.size / max(1, outputs)
        total += size
    return total


_TRIPS = 16  # of a loop whose length is not known


def _effects(inner: Effects, *, axes: Axes, **params: Any) -> Effects:
    """The axes of the devices end here."""
    return inner - {NamedAxis(name) for name, _ in axes}


# -- derivatives -----------------------------------------------------------------------------------


def _jvp(
    primals: Sequence[Any],
    tangents: Sequence[Any],
    *,
    jaxpr: Jaxpr,
    axes: Axes,
    in_axes: tuple[Places, ...],
    out_axes: tuple[Places, ...],
    name: str,
) -> Any:
    flags = nonzero(tangents)
    with in_scope(axes):
        derived, consts, out_flags = rewrite.jvp_program(jaxpr, flags)
    moving, moving_axes = _chosen(flags, tangents, in_axes)
    _, out_moving = _chosen(out_flags, out_axes, out_axes)
    results = _bind(
        derived,
        [*consts, *primals, *moving],
        axes,
        [*(() for _ in consts), *in_axes, *moving_axes],
        [*out_axes, *out_moving],
    )
    count = len(jaxpr.outvars)
    outs, some = results[:count], results[count:]
    nothing = [Zero(aval_of(y).tangent()) for y, f in zip(outs, out_flags, strict=True) if not f]
    return outs, merge_by(out_flags, nothing, some)


def _chosen(flags: Sequence[bool], values: Sequence[Any], axes: Sequence[Places]) -> Any:
    """The flagged values, and the axes they differ along."""
    return split_by(flags, values)[1], split_by(flags, axes)[1]


def _partial(
    trace: Any,
    inputs: Sequence[Any],
    unknown: Sequence[bool],
    *,
    jaxpr: Jaxpr,
    axes: Axes,
    in_axes: tuple[Places, ...],
    out_axes: tuple[Places, ...],
    name: str,
) -> list[Any]:
    """The known part runs now; its residuals differ between all devices."""
    with in_scope(axes):
        split = rewrite.split(jaxpr, unknown)
    known, later = split_by(unknown, inputs)
    known_axes, later_axes = split_by(unknown, in_axes)
    known_out, later_out = split_by(split.out_unknown, out_axes)
    apart = [_everywhere(axes)] * split.residuals
    params = {
        "jaxpr": split.known,
        "axes": axes,
        "in_axes": tuple(known_axes),
        "out_axes": (*known_out, *apart),
        "name": name,
    }
    results = trace.evaluate_known(parallel_call, known, params)
    count = len(results) - split.residuals
    outs, residuals = results[:count], results[count:]
    if not any(split.out_unknown):
        return outs  # type: ignore[no-any-return]
    params = {
        "jaxpr": split.later,
        "axes": axes,
        "in_axes": (*(known_axes[k] for k in split.forwarded), *apart, *later_axes),
        "out_axes": tuple(later_out),
        "name": name,
    }
    passed = [known[k] for k in split.forwarded]
    rest = trace.write(parallel_call, [*passed, *residuals, *later], params)
    return merge_by(split.out_unknown, outs, rest)


def _transpose(
    cts: Sequence[Any],
    *inputs: Any,
    jaxpr: Jaxpr,
    axes: Axes,
    in_axes: tuple[Places, ...],
    out_axes: tuple[Places, ...],
    name: str,
) -> Any:
    """Each device transposes its part.

    What went to all devices along an axis gets the sum of their cotangents. What all devices had
    in common, and the first one's was taken, counts as their mean: each gets its share of the
    cotangent, so that the transposes of sums over devices see it once.
    """
    linear = [isinstance(x, LinearInput) for x in inputs]
    flags = nonzero(cts)
    with in_scope(axes):
        derived, consts, out_flags = rewrite.transpose_program(jaxpr, linear, flags)
    given, linear_in = split_by(linear, in_axes)
    other_inputs, _ = split_by(linear, inputs)
    needed, needed_axes = _chosen(flags, cts, out_axes)
    found_axes = [w for w, f in zip(linear_in, out_flags, strict=True) if f]
    program = _summed(
        derived,
        axes,
        [*(() for _ in (*consts, *given)), *needed_axes],
        found_axes,
        len(consts) + len(given),
    )
    results = _bind(
        program,
        [*consts, *other_inputs, *needed],
        axes,
        [*(() for _ in consts), *given, *needed_axes],
        found_axes,
    )
    avals = [x.aval for x in inputs if isinstance(x, LinearInput)]
    nothing = [Zero(a) for a, f in zip(avals, out_flags, strict=True) if not f]
    found = merge_by(out_flags, nothing, results)
    return merge_by(linear, [None] * len(other_inputs), found)


def _summed(
    derived: Jaxpr,
    axes: Axes,
    in_axes: Sequence[Places],
    out_axes: Sequence[Places],
    first: int,
) -> Jaxpr:
    """A transposed program whose inputs from `first` on are cotangents, shared and summed."""
    missing_in = [_missing(axes, w) for w in in_axes[first:]]
    missing_out = [_missing(axes, w) for w in out_axes]
    if not any((*missing_in, *missing_out)):
        return derived

    def build() -> Jaxpr:
        def function(*args: Any) -> list[Any]:
            shared = [
                div(x, full_like(x, math.prod(n for _, n in among))) if among else x
                for x, among in zip(args[first:], missing_in, strict=True)
            ]
            outs = evaluate_program(derived, (), [*args[:first], *shared])
            return [
                psum(y, axes=among, axis_index_groups=None) if among else y
                for y, among in zip(outs, missing_out, strict=True)
            ]

        staged = stage_for_devices(function, derived.in_avals, axes, derived.name)
        if staged.consts:
            raise AssertionError(f"program {derived.name} must not close over values")
        return staged.jaxpr

    key = ("summed", axes, first, tuple(missing_in), tuple(missing_out))
    found: Jaxpr = rewrite.remembered(derived, key, build)
    return found


def _missing(axes: Axes, which: Places) -> Axes:
    return tuple(axis for k, axis in enumerate(axes) if k not in which)


# -- batching --------------------------------------------------------------------------------------


def _batch(
    size: int,
    inputs: Sequence[Any],
    dims: Sequence[int | None],
    *,
    jaxpr: Jaxpr,
    axes: Axes,
    in_axes: tuple[Places, ...],
    out_axes: tuple[Places, ...],
    name: str,
) -> Any:
    """Each device has a batch of its part: the batch comes behind the devices."""
    placed = [
        x if d is None else moveaxis(x, d, len(which))
        for x, d, which in zip(inputs, dims, in_axes, strict=True)
    ]
    with in_scope(axes):
        derived, consts, flags = rewrite.batch_program(jaxpr, size, [d is not None for d in dims])
    outs = _bind(derived, [*consts, *placed], axes, [*(() for _ in consts), *in_axes], out_axes)
    return outs, [len(w) if f else None for w, f in zip(out_axes, flags, strict=True)]


# -- the row ---------------------------------------------------------------------------------------


def _example(rng: Any, dtype: Any) -> Any:
    """Two devices along "i", two along "j": products of what differs with what does not."""
    axes: Axes = (("i", 2), ("j", 2))
    avals = [ShapedArray((3,), dtype), ShapedArray((3,), dtype)]

    def function(x: Any, w: Any) -> list[Any]:
        total = psum(mul(x, w), axes=axes, axis_index_groups=None)
        return [add(mul(x, w), psum(x, axes=(("i", 2),), axis_index_groups=None)), total]

    program = stage_for_devices(function, avals, axes, "example").jaxpr
    inputs = [rng.uniform(-2, 2, s).astype(dtype) for s in ((2, 2, 3), (2, 3))]
    params = {
        "jaxpr": program,
        "axes": axes,
        "in_axes": ((0, 1), (1,)),
        "out_axes": ((0, 1), ()),
        "name": "example",
    }
    return inputs, params


parallel_call: Primitive = define(
    "parallel_call",
    params=("jaxpr", "axes", "in_axes", "out_axes", "name"),
    abstract_eval=_avals,
    impl=_impl,
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Parallel(_whole, _apart),
    multiple_results=True,
    partial=_partial,
    eager=_eager,
    effects=_effects,
    domain=Domain(draw=_example),
    ulp=8,
)
