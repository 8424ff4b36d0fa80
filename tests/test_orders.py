"""Derivatives of high order: right, and no larger than they must be."""

import itertools

import numpy as np
import pytest

import xform
from benchmarks import orders
from xform.config import config

LENGTHS = (8, 10, 12)
MOST_GROWTH = 4  # of the program, with each order: a product's derivative is two products


@pytest.fixture(autouse=True)
def _double():
    with config.scoped(enable_x64=True, cache_dir=""):
        yield


@pytest.mark.parametrize("word", orders.WORDS)
@pytest.mark.parametrize("name", orders.FUNCTIONS)
def test_programs_grow_linearly_with_the_length_of_the_function(name, word):
    counts = orders.sizes(word, orders.FUNCTIONS[name], LENGTHS)
    first, second = orders.steps(counts, LENGTHS)
    # Constants are folded in polynomials, now one more, now one less.
    assert second <= first + 1.0


@pytest.mark.parametrize("letter", ["r", "f"])
@pytest.mark.parametrize("name", orders.FUNCTIONS)
def test_each_order_multiplies_the_program_by_a_constant(name, letter):
    sizes = [orders.sizes(letter * k, orders.FUNCTIONS[name], (8,))[0] for k in range(1, 5)]
    for before, after in itertools.pairwise(sizes):
        assert after <= MOST_GROWTH * before


@pytest.mark.parametrize("name", orders.FUNCTIONS)
def test_all_words_of_one_length_are_one_derivative(name):
    f = orders.FUNCTIONS[name](3)
    for order in range(1, 5):
        words = [w for w in orders.WORDS if len(w) == order]
        found = [float(xform.jit(orders.derivative(w, f))(0.5)) for w in words]
        np.testing.assert_allclose(found, found[0], rtol=1e-11, atol=1e-11)


def test_the_table_has_a_line_for_each_word():
    table = list(orders.lines(["calls"], ["r", "fr"]))
    assert [line.split()[:2] for line in table[1:]] == [["calls", "r"], ["calls", "fr"]]
