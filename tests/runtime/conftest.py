"""Both kinds of the runtime, for tests that every behaviour must pass on each."""

from __future__ import annotations

import pytest

from xform.runtime import array, array_python, dispatch_python, native


class Kind:
    """One kind of arrays and jitted functions, under the names of the public modules."""

    def __init__(self, name, arrays, functions):
        self.name = name
        self.arrays = arrays
        self.Array = arrays.Array
        self.JitFunction = functions.JitFunction
        self.guard_enter = functions.guard_enter
        self.guard_exit = functions.guard_exit

    def __getattr__(self, name):
        return getattr(self.arrays, name)

    def __repr__(self):
        return self.name


def kinds():
    found = [Kind("python", array_python, dispatch_python)]
    if native.runtime() is not None:
        found.append(Kind("native", native.runtime(), native.runtime()))
    return found


assert array.Array in {kind.Array for kind in kinds()}


@pytest.fixture(params=kinds(), ids=repr)
def kind(request):
    return request.param


@pytest.fixture
def native_kind():
    if native.runtime() is None:
        pytest.skip(f"no native runtime: {native.reason()}")
    return kinds()[1]
