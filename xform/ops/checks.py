"""What `abstract_eval` rules reject, in the words of `errors`."""

from __future__ import annotations

from collections.abc import Sequence

from .. import errors
from ..core.avals import ShapedArray


def require(condition: bool, expected: str, got: str, instead: str | None = None) -> None:
    """Raises `ArgumentError` unless the condition holds."""
    if not condition:
        raise errors.ArgumentError(expected, got, instead=instead)


def require_shape(condition: bool, expected: str, got: str, instead: str | None = None) -> None:
    """Raises `ShapeError` unless the condition holds."""
    if not condition:
        raise errors.ShapeError(expected, got, instead=instead)


def require_dtype(condition: bool, expected: str, got: str, instead: str | None = None) -> None:
    """Raises `DtypeError` unless the condition holds."""
    if not condition:
        raise errors.DtypeError(expected, got, instead=instead)


def check_axes(axes: Sequence[int], x: ShapedArray) -> None:
    """Axes must be distinct dimensions of `x`, counted from the front."""
    if not all(0 <= a < x.ndim for a in axes) or len(set(axes)) != len(axes):
        raise errors.AxisError(
            f"expected distinct axes from 0 to {x.ndim - 1} of an array of shape {x.shape}",
            str(tuple(axes)),
        )


def check_permutation(permutation: Sequence[int], x: ShapedArray) -> None:
    """Raises `AxisError` unless each dimension of `x` occurs once."""
    if sorted(permutation) != list(range(x.ndim)):
        raise errors.AxisError(
            f"expected a permutation of the {x.ndim} dimensions of shape {x.shape}",
            str(tuple(permutation)),
        )


def check_same_shapes(name: str, avals: Sequence[ShapedArray]) -> None:
    """Raises `ShapeError` unless all shapes are equal."""
    if any(a.shape != avals[0].shape for a in avals):
        raise errors.ShapeError(
            f"expected arguments of {name} with equal shapes",
            ", ".join(str(a.shape) for a in avals),
            instead="the function of xform.numpy, which broadcasts, or reshape one argument "
            f"before {name}",
        )


def check_same_dtypes(name: str, avals: Sequence[ShapedArray]) -> None:
    """Raises `DtypeError` unless all dtypes are equal."""
    if any(a.dtype != avals[0].dtype for a in avals):
        raise errors.DtypeError(
            f"expected arguments of {name} with equal dtypes",
            ", ".join(str(a.dtype) for a in avals),
            instead="the function of xform.numpy, which promotes, or x.astype(...)",
        )
