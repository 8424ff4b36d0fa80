"""What the laws try operators on, and how they compare results.

Examples come from a row's domain, tolerances from its accuracy and the dtype.
"""

import inspect
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xform import errors
from xform.core import dtypes
from xform.core.avals import ShapedArray
from xform.core.axes import named_size
from xform.core.primitive import Linear, Multilinear, Primitive, Zero, infer
from xform.core.trace import aval_of
from xform.core.values import to_numpy
from xform.interpreters.batching import batch_flat, to_front
from xform.interpreters.forward import jvp_flat

DRAWS = 6  # examples for each dtype of a row that draws its own
DOUBLE = {"float32": "float64", "complex64": "complex128"}
SHORT = ("float16", "bfloat16")


class Example:
    """Inputs and parameters on which a row is tried."""

    def __init__(self, row: Primitive, inputs: Sequence[Any], params: dict[str, Any]) -> None:
        self.row = row
        self.inputs = [np.asarray(x) for x in inputs]
        self.params = params

    def __repr__(self) -> str:
        return f"{self.row}({', '.join(str(aval_of(x)) for x in self.inputs)}, {self.params})"

    @property
    def devices(self) -> tuple[int, ...]:
        """The sizes of the named axes that the row runs inside of: leading dimensions."""
        axes = self.params["axes"] if self.row.domain.devices else ()
        return tuple(size for _, size in axes)

    @property
    def avals(self) -> list[ShapedArray]:
        """What the row is given: its inputs, on one device."""
        count = len(self.devices)
        for x in self.inputs:
            if x.shape[:count] != self.devices:
                raise errors.ShapeError(f"expected devices {self.devices} in front", str(x.shape))
        return [ShapedArray(x.shape[count:], aval_of(x).dtype) for x in self.inputs]

    @property
    def outputs(self) -> tuple[ShapedArray, ...]:
        found = infer(self.row, self.avals, self.params)
        return tuple(a.update(shape=(*self.devices, *a.shape)) for a in found)

    def with_inputs(self, inputs: Sequence[Any]) -> "Example":
        return Example(self.row, inputs, self.params)

    def flat(self, *inputs: Any) -> list[Any]:
        """The operator as a function of flat arguments with flat results, on all devices."""
        axes = self.params["axes"] if self.row.domain.devices else ()
        return on_devices(self.on_one_device, axes, inputs)

    def on_one_device(self, *inputs: Any) -> list[Any]:
        out = self.row.bind(*inputs, **self.params)
        return list(out) if self.row.multiple_results else [out]

    def inexact(self) -> list[int]:
        """The positions of the inputs that have tangents."""
        return [k for k, a in enumerate(self.avals) if dtypes.is_inexact(a.dtype)]

    def movable(self) -> list[int]:
        """The positions of the inputs that the row differentiates: the others raise `GradError`."""
        return [k for k in self.inexact() if self._differentiates(k)]

    def _differentiates(self, k: int) -> bool:
        tangents: list[Any] = [Zero(a.tangent()) for a in self.avals]
        tangents[k] = np.ones_like(self.inputs[k])
        try:
            jvp_flat(self.flat, self.inputs, tangents)
        except errors.GradError:
            return False
        return True

    def magnitudes(self) -> list[Any]:
        """What roundings are measured by where results cancel: the results for absolute values.

        Of rows that are not linear, and so do not cancel, nothing.
        """
        if not isinstance(self.row.jvp, Linear | Multilinear):
            return [0.0] * len(self.outputs)
        sizes = [np.abs(x).astype(x.dtype) if floats(x) else x for x in self.inputs]
        return [np.abs(widened(y)) for y in self.flat(*sizes)]


def on_devices(function: Any, axes: Sequence[Any], inputs: Sequence[Any]) -> list[Any]:
    """A function of one device's inputs within named axes, which lie in front."""
    if not axes:
        return list(function(*inputs))
    (name, count), *rest = axes
    outs, dims = batch_flat(
        lambda *xs: on_devices(function, rest, xs),
        named_size(count, name),
        inputs,
        [0] * len(inputs),
    )
    return [to_front(count, y, d) for y, d in zip(outs, dims, strict=True)]


def draw_array(rng: Any, shape: Any, dtype: Any, low: float, high: float) -> np.ndarray[Any, Any]:
    """Numbers of an interval: unsigned ones of its part from 0 on, complex ones of its square."""
    dtype = dtypes.check_user_dtype(dtype)
    if dtypes.is_bool(dtype):
        return np.asarray(rng.integers(0, 2, shape)).astype(bool)
    if dtypes.is_integer(dtype):
        least = 0 if dtypes.is_unsigned(dtype) else int(np.floor(low))
        return np.asarray(rng.integers(least, int(np.ceil(high)) + 1, shape)).astype(dtype)
    drawn = rng.uniform(low, high, shape)
    if dtypes.is_complex(dtype):
        drawn = drawn + 1j * rng.uniform(low, high, shape)
    return np.asarray(drawn).astype(dtype)


def examples(row: Primitive, dtype: str, most: int | None = None) -> Iterator[Example]:
    """What a row is tried on in one dtype; the same at every run."""
    rng = np.random.default_rng(zlib.crc32(f"{row.name} {dtype}".encode()))
    domain = row.domain
    if domain.draw is not None:
        for _ in range(most or DRAWS):
            inputs, params = domain.draw(rng, np.dtype(dtypes.check_user_dtype(dtype)))
            yield Example(row, inputs, dict(params))
        return
    arity = len(positional(row.abstract_eval))
    cases = domain.cases or tuple((((shape,) * arity), {}) for shape in ((7,), (), (3, 37)))
    for shapes, params in cases[:most]:
        inputs = [
            draw_array(rng, shape, dtype, *domain.intervals[min(k, len(domain.intervals) - 1)])
            for k, shape in enumerate(shapes)
        ]
        yield Example(row, inputs, dict(params))


def positional(function: Any) -> list[str]:
    """The names of a rule's inputs."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def all_examples(row: Primitive, most: int | None = None) -> Iterator[Example]:
    for dtype in row.domain.dtypes:
        yield from examples(row, dtype, most)


def double_examples(row: Primitive) -> Iterator[Example]:
    """The examples that have derivatives, in 64 bits for each part."""
    wanted = {DOUBLE.get(d, d) for d in row.domain.dtypes}
    for dtype in sorted(wanted & {"float64", "complex128"}):
        yield from (e for e in examples(row, dtype) if e.movable())


def short_examples(row: Primitive, most: int | None = None) -> Iterator[Example]:
    """16-bit examples of rows that take 32-bit floats."""
    if "float32" not in row.domain.dtypes:
        return
    for dtype in SHORT:
        for example in examples(row, dtype, most):
            if accepted(example):
                yield example


def accepted(example: Example) -> bool:
    try:
        return bool(example.outputs) or True
    except errors.XformError:
        return False


# -- comparison -----------------------------------------------------------------------------------


def precision(dtype: Any) -> float:
    """The distance from 1 to the next number; 0 for exact dtypes."""
    return float(dtypes.finfo(dtypes.real_dtype(dtype)).eps) if dtypes.is_inexact(dtype) else 0.0


def floats(x: Any) -> bool:
    return dtypes.is_inexact(aval_of(x).dtype)


def widened(x: Any) -> np.ndarray[Any, Any]:
    x = to_numpy(x)
    return x.astype(np.float64) if dtypes.is_float(x.dtype) else x


def assert_close(got: Any, wanted: Any, rtol: float, scale: Any, what: str) -> None:
    """Equal shapes, NaN, infinities; numbers within `rtol` of the largest of them and `scale`."""
    got, wanted = widened(got), widened(wanted)
    assert got.shape == wanted.shape, f"{what}: shape {got.shape}, wanted {wanted.shape}"
    if not np.issubdtype(wanted.dtype, np.inexact):
        assert np.array_equal(got, wanted), f"{what}: {got}, wanted {wanted}"
        return
    with np.errstate(all="ignore"):
        size = np.maximum(np.maximum(np.abs(got), np.abs(wanted)), scale)
        near = np.abs(got - wanted) <= rtol * size
    same = (got == wanted) | near | (np.isnan(got) & np.isnan(wanted))
    assert same.all(), f"{what}: {got[~same][:4]}, wanted {wanted[~same][:4]}"


def assert_equal_within_ulp(
    got: Any, wanted: Any, ulp: float, what: str, magnitude: Any = 0.0
) -> None:
    """Equal dtypes and shapes; numbers within some units in the last place.

    The units are those of the largest of the number, the magnitude given, and the smallest normal
    number. A complex product rounds its parts three times, and which sums are fused is left open.
    """
    dtype = to_numpy(wanted).dtype
    assert to_numpy(got).dtype == dtype, f"{what}: dtype {to_numpy(got).dtype}, wanted {dtype}"
    ulp += 2 if dtypes.is_complex(dtype) else 0
    smallest = float(dtypes.finfo(dtypes.real_dtype(dtype)).tiny) if precision(dtype) else 0.0
    assert_close(got, wanted, ulp * precision(dtype), np.maximum(magnitude, smallest), what)


def compiled_ulp(example: Example) -> float:
    """The distance allowed between compiled code and `impl`: both may use up the row's promise."""
    return 2 * example.row.ulp
