"""`jit` as an operator: a call of a program, compiled as one function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import errors, runtime
from ..core.avals import ShapedArray
from ..core.jaxpr import Jaxpr
from ..core.loops import Inline
from ..core.primitive import Custom, Domain, LinearInput, Zero, define
from ..interpreters import rewrite
from ..interpreters.batching import to_front
from ..interpreters.partial import Split
from ..interpreters.staging import stage
from ..ops.structural import add, transpose


def split_by(flags: Sequence[bool], values: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """(values whose flag is false, values whose flag is true)."""
    pairs = list(zip(flags, values, strict=True))
    return [v for f, v in pairs if not f], [v for f, v in pairs if f]


def merge_by(flags: Sequence[bool], no: Sequence[Any], yes: Sequence[Any]) -> list[Any]:
    """The inverse of `split_by`."""
    first, second = iter(no), iter(yes)
    return [next(second) if f else next(first) for f in flags]


def nonzero(tangents: Sequence[Any]) -> list[bool]:
    """For each tangent whether it may be other than zero."""
    return [not isinstance(t, Zero) for t in tangents]


def program_jvp(bind: Any, jaxpr: Jaxpr, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Outputs and tangents of a program, by one `bind(jaxpr, inputs)` of its jvp program."""
    flags = nonzero(tangents)
    derived, consts, out_flags = rewrite.jvp_program(jaxpr, flags)
    moving = [t for t, f in zip(tangents, flags, strict=True) if f]
    results = bind(derived, [*consts, *primals, *moving])
    count = len(jaxpr.outvars)
    outs, some = results[:count], results[count:]
    nothing = [Zero(a.tangent()) for a, f in zip(jaxpr.out_avals, out_flags, strict=True) if not f]
    return outs, merge_by(out_flags, nothing, some)


def program_batch(
    bind: Any, jaxpr: Jaxpr, size: int, inputs: Sequence[Any], dims: Sequence[int | None]
) -> Any:
    """Outputs of a program under a batch, and where their batch dimension is."""
    fronted = [x if d is None else to_front(size, x, d) for x, d in zip(inputs, dims, strict=True)]
    derived, consts, flags = rewrite.batch_program(jaxpr, size, [d is not None for d in dims])
    return bind(derived, [*consts, *fronted]), [0 if f else None for f in flags]


def program_transpose(bind: Any, jaxpr: Jaxpr, cts: Sequence[Any], inputs: Sequence[Any]) -> Any:
    """Cotangents of the linear inputs of a program, None for the others."""
    linear = [isinstance(x, LinearInput) for x in inputs]
    flags = nonzero(cts)
    derived, consts, out_flags = rewrite.transpose_program(jaxpr, linear, flags)
    given = [x for x, f in zip(inputs, linear, strict=True) if not f]
    needed = [ct for ct, f in zip(cts, flags, strict=True) if f]
    results = bind(derived, [*consts, *given, *needed])
    linear_avals = [x.aval for x in inputs if isinstance(x, LinearInput)]
    nothing = [Zero(a) for a, f in zip(linear_avals, out_flags, strict=True) if not f]
    found = merge_by(out_flags, nothing, results)
    return merge_by(linear, [None] * (len(inputs) - len(found)), found)


def _jvp(primals: Sequence[Any], tangents: Sequence[Any], *, jaxpr: Jaxpr, name: str) -> Any:
    return program_jvp(lambda p, xs: call(*xs, jaxpr=p, name=name), jaxpr, primals, tangents)


def _batch(
    size: int, inputs: Sequence[Any], dims: Sequence[int | None], *, jaxpr: Jaxpr, name: str
) -> Any:
    return program_batch(lambda p, xs: call(*xs, jaxpr=p, name=name), jaxpr, size, inputs, dims)


def _transpose(cts: Sequence[Any], *inputs: Any, jaxpr: Jaxpr, name: str) -> Any:
    return program_transpose(lambda p, xs: call(*xs, jaxpr=p, name=name), jaxpr, cts, inputs)


def program_partial(
    row: Any, split: Split, trace: Any, inputs: Sequence[Any], unknown: Sequence[bool], params: Any
) -> list[Any]:
    """The known part of a split program is called now; the rest is staged as a call with the
    residuals as inputs."""
    known, later = split_by(unknown, inputs)
    results = trace.evaluate_known(row, known, {**params, "jaxpr": split.known})
    count = len(results) - split.residuals
    outs, residuals = results[:count], results[count:]
    if not any(split.out_unknown):
        return outs  # type: ignore[no-any-return]
    passed = [known[k] for k in split.forwarded]
    rest = trace.write(row, [*passed, *residuals, *later], {**params, "jaxpr": split.later})
    return merge_by(split.out_unknown, outs, rest)


def _partial(
    trace: Any, inputs: Sequence[Any], unknown: Sequence[bool], *, jaxpr: Jaxpr, name: str
) -> list[Any]:
    split = rewrite.split(jaxpr, unknown)
    return program_partial(call, split, trace, inputs, unknown, {"name": name})


def _example(rng: Any, dtype: Any) -> Any:
    aval = ShapedArray((3, 2), dtype)
    square = stage(
        lambda x, y: [add(x, y), transpose(y, permutation=(1, 0))], [aval, aval], "example"
    )
    inputs = [rng.uniform(-2, 2, (3, 2)).astype(dtype) for _ in range(2)]
    return inputs, {"jaxpr": square.jaxpr, "name": "example"}


def program_avals(*avals: ShapedArray, jaxpr: Jaxpr, **_: Any) -> tuple[ShapedArray, ...]:
    """`abstract_eval` of a call: the inputs must be those of the program."""
    expected = jaxpr.in_avals
    if len(avals) != len(expected) or any(
        a.strong() is not b.strong() for a, b in zip(avals, expected, strict=False)
    ):
        raise errors.ShapeError(
            f"expected inputs of the types of the program {jaxpr.name}: {list(expected)}",
            f"{list(avals)}",
        )
    return jaxpr.out_avals


call = define(
    "jit",
    params=("jaxpr", "name"),
    abstract_eval=program_avals,
    impl=lambda *arrays, jaxpr, name: runtime.executable.run_program(jaxpr, arrays),
    jvp=Custom(_jvp),
    transpose=_transpose,
    batch=_batch,
    lower=Inline("jaxpr"),
    multiple_results=True,
    partial=_partial,
    domain=Domain(draw=_example),
)
