"""Programs that once went wrong, each named for what was wrong with them."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.programs.checks import CHECKS, double
from tests.programs.values import fixed


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    with double():
        yield


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, shape)


FOUND = {
    "numbers that follow a vector in lanes": fixed(
        """
        def inner(x):
            def body(carry, i):
                a, b = carry
                return (xnp.sin(a) * xnp.cos(b) + a * 3.0, i), None
            return lax.scan(body, (x, x), xnp.arange(3.0))[0]
        v0, v1 = xform.vmap(inner)(xnp.tanh(x0))
        return v0, v1
        """,
        drawn(32),
    ),
    "halves of negative indices": fixed(
        "v0 = xnp.flip(lax.pad(x0, 0.0, ((0, 0, 1),)))\nreturn v0", drawn(21)
    ),
    "suffix sums of many": fixed(
        "v0 = lax.associative_scan(xnp.add, x0, reverse=True)\nreturn v0", drawn(65)
    ),
    "inputs that are not used": fixed("v0 = xnp.sin(x1)\nreturn v0", drawn(), drawn(), drawn(3)),
    "results of a host call that are not used": fixed(
        "v0 = xnp.argsort(x0, axis=0)\nv1 = xnp.sort(v0, axis=0)\nreturn v1", drawn(17)
    ),
    "a reduction after a scan": fixed(
        "v0 = xnp.sin(x0) * 2\nv1 = xnp.cumsum(v0, axis=1)\nv2 = xnp.sum(v0, axis=0)\n"
        "return v1, v2",
        drawn(3, 4),
    ),
    "rows stored in another order than they are read": fixed(
        "v0 = xnp.sum(xnp.transpose(x0, (2, 1, 0)) ** 2, axis=2)\n"
        "v1 = v0 @ xnp.concatenate((v0, v0), axis=0)\nreturn v1",
        drawn(17, 4, 2),
    ),
    "a value that phases need at different places": fixed(
        "v0 = xnp.exp(x0)\nv1 = xnp.einsum('bij,cij->bc', v0, v0)\nreturn v1, v0", drawn(3, 4, 2)
    ),
    "an index from data, the same in all lanes, under a condition that is not": fixed(
        "v0 = xnp.concatenate((x0, x0 + 1), axis=0)\nv1 = lax.dynamic_slice_in_dim(v0, x1, 7)\n"
        "v2 = lax.dynamic_update_slice_in_dim(x0, x0[1:4], x1, 0)\nreturn v1, v2",
        drawn(5),
        np.array(2, np.uint8),
    ),
    "an index of 32 bits beside numbers of 64": fixed(
        "v0 = lax.dynamic_slice_in_dim(x0, x1, 2)\nreturn v0", drawn(8), np.array(2, np.int32)
    ),
}


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("way", CHECKS)
def test_found_before(name, way):
    CHECKS[way](FOUND[name])
