"""Plans for the tests of the dispatchers."""

from __future__ import annotations

import numpy as np

from tests.runtime.programs import VECTOR, copy
from xform.runtime.dispatch import ArrayLeaf, Plan, add_plan

MISSED = "the slow path"


def slow(*args, **kwargs):
    return MISSED


def vector(kind, start=0.0, of=VECTOR):
    values = np.arange(of.size, dtype=of.dtype).reshape(of.shape) + of.dtype.type(start)
    return kind.from_numpy(values, of)


def jitted(kind, *plans, slow=slow):
    function = kind.JitFunction(slow)
    for plan in plans:
        add_plan(function, plan)
    return function


def identity(arguments, result, out_avals, kwnames=(), **options):
    """A plan that copies each input to the output of the same number."""
    keepalive, kernel = copy(tuple(out.nbytes for out in out_avals))
    return Plan(
        arguments, kwnames, result, tuple(out_avals), kernel, keepalive=keepalive, **options
    )


def one(spec, out=VECTOR, **options):
    return identity((spec,), ArrayLeaf(out, 0), (out,), **options)


class Rude:
    """A value whose comparison runs whatever the test says."""

    def __init__(self, action=lambda: True):
        self.action = action

    def __hash__(self):
        return 5

    def __eq__(self, other):
        return self.action() if isinstance(other, Rude) else NotImplemented


def fail():
    raise ZeroDivisionError
