"""Every law on every operator: the table is the catalogue, so no operator escapes."""

import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pytest

import xform
from tests import laws
from xform import higher_order, ops
from xform.core.loops import Map, Piece, View
from xform.core.primitive import catalogue, elementwise, linear
from xform.ops.collective import psum
from xform.ops.cumulative import cumsum
from xform.ops.elementwise import mul, square, stop_gradient, sub

for _package in (ops, higher_order):
    for _module in pkgutil.iter_modules(_package.__path__, _package.__name__ + "."):
        importlib.import_module(_module.name)

ROWS = sorted(catalogue, key=lambda row: row.name)


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("law", laws.LAWS)
def test_law(law, row):
    with xform.config.scoped(enable_x64=True):
        laws.LAWS[law](row)


def test_the_catalogue_is_whole():
    assert len(ROWS) == len(catalogue)
    assert {"add", "sin", "reduce_max", "cumsum", "erf", "dot_general", "sort"} <= {
        row.name for row in ROWS
    }


WRONG = (
    ("types", "sin", {"impl": lambda x: np.sin(x).astype(np.float16)}),
    ("types", "reduce_max", {"impl": lambda x, *, axes: np.max(x, axis=axes, keepdims=True)}),
    ("forward", "sin", {"jvp": (lambda t, y, x: mul(t, x),)}),
    ("forward", "tanh", {"jvp": (lambda t, y, x: sub(t, mul(t, square(stop_gradient(y)))),)}),
    ("adjoint", "cumsum", {"transpose": lambda ct, x, **params: cumsum(ct, **params)}),
    ("adjoint", "mul", {"transpose": lambda ct, x, y: [mul(ct, x), None]}),
    ("linearity", "square", {"jvp": linear, "transpose": lambda ct, x: ct}),
    ("batching", "cumsum", {"batch": elementwise}),
    ("devices", "psum_scatter", {"transpose": lambda ct, x, **params: psum(ct, **params)}),
    ("devices", "all_to_all", {"batch": catalogue["ppermute"].batch}),
    ("compiled", "sin", {"lower": Map("cos")}),
    ("compiled", "rev", {"lower": View(lambda index, read, x, *, dimensions: [Piece(0, index)])}),
    ("special", "max", {"impl": np.fmax}),
    ("refusal", "cumsum", {"abstract_eval": lambda x, *, axis, reverse: x}),
)


@pytest.mark.parametrize(("law", "name", "change"), WRONG)
def test_laws_find_wrong_rules(law, name, change):
    row = catalogue[name]
    wrong = replace(row, **change)
    with xform.config.scoped(enable_x64=True), pytest.raises(Exception):  # noqa: B017
        laws.LAWS[law](wrong)
