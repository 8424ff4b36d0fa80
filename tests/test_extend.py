"""Operators of a user's own: rows that the library does not know."""

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform import extend


def _positive(x):
    if x.min() < 0:
        raise ValueError("expected no negative numbers")
    return np.sqrt(x)


ROOT = extend.Primitive(
    name="root_of_positive",
    params=(),
    abstract_eval=lambda x: x,
    impl=_positive,
    jvp=(lambda t, y, x: t / (2 * y),),
    transpose=extend.Absent("not linear"),
    batch=extend.elementwise,
    lower=extend.Opaque(),
)
X = np.float32([1, 4, 9])


def test_transformations_treat_it_like_any_other():
    np.testing.assert_array_equal(xform.jit(ROOT)(X), [1, 2, 3])
    np.testing.assert_array_equal(xform.vmap(ROOT)(X[None]), [[1, 2, 3]])
    slopes = xform.jit(xform.grad(lambda x: xnp.sum(ROOT(x))))(X)
    np.testing.assert_allclose(slopes, [1 / 2, 1 / 4, 1 / 6], rtol=1e-6)


def test_an_error_of_its_impl_comes_out_of_compiled_code():
    f = xform.jit(lambda x: ROOT(x) + 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="negative"):
            f(-X)
        np.testing.assert_array_equal(f(X), [2, 3, 4])


def test_a_row_must_be_complete():
    with pytest.raises(xform.errors.ArgumentError, match="transpose"):
        extend.Primitive(
            name="incomplete",
            params=(),
            abstract_eval=lambda x: x,
            impl=np.sqrt,
            jvp=extend.constant,
            transpose=None,
            batch=extend.elementwise,
            lower=extend.Opaque(),
        )
