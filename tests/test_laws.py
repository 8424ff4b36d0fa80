"""Every law on every operator: the table is the catalogue, so no operator escapes."""

import importlib
import pkgutil

import pytest

import xform
from tests import laws
from xform import higher_order, ops
from xform.core.primitive import catalogue

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
