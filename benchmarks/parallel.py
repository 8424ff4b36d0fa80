"""Two CPU devices: the cost of a call of `pmap`, in xform and in JAX.

`run.py` starts it in a process of its own, because both libraries fix the number of devices when
they start. Writes the rows as JSON to the file it is given.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import cases
import jax
import jax.lax
import jax.nn
import jax.numpy as jnp
import numpy as np
from report import Row
from timing import medians

import xform
import xform.lax
import xform.nn
import xform.numpy as xnp

DEVICES = "Two devices"
LIBRARIES = (
    cases.Library("xform", xform, xnp, xform.nn, xform.lax),
    cases.Library("jax", jax, jnp, jax.nn, jax.lax),
)


def tiny(library: cases.Library):
    """A function so small that only the call counts."""
    function = library.root.pmap(lambda x: 2 * x + library.lax.psum(x, "i"), axis_name="i")
    x = library.np.asarray(np.arange(8, dtype=np.float32).reshape(2, 4))
    return lambda: library.wait(function(x))


def network_step(library: cases.Library, devices: int = 2, copies: int = 1):
    """A step of training, a part of the batch on each device; the batch is repeated so often."""
    lax, tree = library.lax, library.root.tree
    slopes_of = library.root.value_and_grad(cases.mlp_loss(library))

    def step(params, images, labels):
        value, slopes = slopes_of(params, images, labels)
        if devices > 1:
            value, slopes = lax.pmean((value, slopes), "i")
        return tree.map(lambda p, g: p - 0.1 * g, params, slopes), value

    params, images, labels = cases.mlp_arguments()
    images, labels = (np.concatenate([x] * copies) for x in (images, labels))
    if devices > 1:
        images, labels = (x.reshape(devices, -1, x.shape[-1]) for x in (images, labels))
        function = library.root.pmap(step, axis_name="i", in_axes=(None, 0, 0))
    else:
        function = library.root.jit(step)
    given = tree.map(library.np.asarray, (params, images, labels))
    return lambda: library.wait(function(*given))


def scaling(copies: int, least: float | None) -> Row:
    """Two devices against one, which has as many threads as each of the two.

    Twenty steps at a time, as in training: between single steps of the two the caches of the second
    core go cold.
    """
    two, one = (network_step(LIBRARIES[0], devices, copies) for devices in (2, 1))
    (found, loss), (wanted, mean) = two(), one()
    for x, y in zip(xform.tree.leaves(found), xform.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(np.asarray(x)[0], np.asarray(y), rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(np.asarray(loss), np.asarray(mean), rtol=1e-4)
    times = medians({"xform": lambda: [two() for _ in range(20)],
                     "one device": lambda: [one() for _ in range(20)]}, 2.0)  # fmt: skip
    title = f"20 such steps on two devices, and on one, batch {copies * cases.BATCH}"
    return Row(DEVICES, title, times, against="one device", least=least)


def main(path: str) -> None:
    """Measures and writes the rows."""
    rows = []
    for title, make, least, allowance in (
        ("pmap of a tiny function", tiny, 1.0, 0.0),
        ("training step of a network by pmap and pmean", network_step, 1.0, 0.0),
    ):
        functions = {library.name: make(library) for library in LIBRARIES}
        found, wanted = (functions[name]() for name in ("xform", "jax"))
        for x, y in zip(xform.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=2e-4, atol=2e-5)
        rows.append(Row(DEVICES, title, medians(functions), least=least, allowance_s=allowance))
    rows += [scaling(1, None), scaling(4, 1.5)]
    Path(path).write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
