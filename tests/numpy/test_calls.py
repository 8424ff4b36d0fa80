"""Every function against NumPy: values, shapes, dtypes; eagerly and staged.

`calls.txt` holds expressions in the names of `DATA`, without the module in front.
"""

from pathlib import Path

import numpy as np
import pytest

import xform
import xform.numpy as xnp
from xform.core import dtypes
from xform.errors import XformError
from xform.interpreters.evaluate import evaluate_closed
from xform.interpreters.staging import stage
from xform.tree import flatten, unflatten

CALLS = Path(__file__).with_name("calls.txt").read_text().splitlines()


def _data():
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.normal(size=shape).astype(np.float32)

    f, g = normal(3, 4), normal(3, 4)
    i = rng.integers(-5, 6, (3, 4)).astype(np.int32)
    nanf = f.copy()
    nanf[0, 1] = np.nan
    nanf[2] = np.nan
    return {
        "f": f,
        "g": g,
        "i": i,
        "b": f > 0,
        "c": (f + 1j * g).astype(np.complex64),
        "v": normal(5),
        "w": normal(4),
        "nanf": nanf,
        "p": np.abs(f) + np.float32(0.1),
        "ip": np.abs(i) + 1,
        "T": normal(2, 3, 4),
        "s": np.asarray(np.float32(1.5)),
        "e": np.zeros((0, 3), np.float32),
        "one": np.ones((1, 1), np.float32),
    }


DATA = _data()

# Sums in another order than NumPy's.
TOLERANCE = {"rtol": 2e-5, "atol": 2e-5}
WIDE_TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}


def _call(module, call, data):
    return eval(f"module.{call}", {**data, "module": module, "np": np})


def _check(expected, got, tolerance):
    wanted, structure = flatten(expected)
    found, other = flatten(got)
    assert len(wanted) == len(found), (structure, other)
    for reference, x in zip(wanted, found, strict=True):
        reference = np.asarray(reference)
        if hasattr(x, "dtype"):
            assert x.dtype == dtypes.canonicalize(reference.dtype)
        np.testing.assert_allclose(np.asarray(x), reference, **tolerance)
        assert np.shape(x) == reference.shape


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_equals_numpy(call):
    _check(_call(np, call, DATA), _call(xnp, call, DATA), TOLERANCE)


WIDE = {"float32": np.float64, "int32": np.int64, "complex64": np.complex128}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_equals_numpy_in_64_bits(call):
    """With x64 on, widths are exactly NumPy's."""
    data = {k: x.astype(WIDE.get(x.dtype.name, x.dtype)) for k, x in DATA.items()}
    with xform.config.scoped(enable_x64=True):
        _check(_call(np, call, data), _call(xnp, call, data), WIDE_TOLERANCE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_staged_equals_eager(call):
    """A traced call gives the same numbers, or an error that names why it needs them known."""
    names = list(DATA)
    avals = [xform.core.avals.ShapedArray(DATA[n].shape, DATA[n].dtype) for n in names]
    structure = []

    def function(*tracers):
        leaves, tree = flatten(_call(xnp, call, dict(zip(names, tracers, strict=True))))
        structure.append(tree)
        return [xnp.asarray(x) for x in leaves]

    try:
        program = stage(function, avals)
    except XformError as error:
        assert "known" in str(error) or "numbers in it" in str(error)
        return
    outputs = evaluate_closed(program, [xnp.asarray(DATA[n]) for n in names])
    eager = _call(xnp, call, DATA)
    leaves = flatten(eager)[0]
    assert len(leaves) == len(outputs)
    for x, y in zip(leaves, outputs, strict=True):
        assert np.asarray(x).shape == y.shape
        assert not hasattr(x, "dtype") or x.dtype == y.dtype
        np.testing.assert_allclose(np.asarray(y), np.asarray(x), **TOLERANCE)
    assert unflatten(structure[0], outputs) is not None


def test_names_are_those_of_the_module():
    assert len(xnp.__all__) > 350
    assert all(hasattr(xnp, name) for name in xnp.__all__)


def test_missing_name_lists_near_names():
    with pytest.raises(AttributeError, match="argsort"):
        _ = xnp.argsrot
    with pytest.raises(AttributeError, match="not available yet"):
        _ = xnp.busday_count
