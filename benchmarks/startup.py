"""Measures, in a process of its own, what happens once: prints seconds.

    python startup.py import MODULE
    python startup.py step xform|jax

`step` is the first call of a training step: tracing, compiling or finding the code in the cache on
disk, and running it.
"""

from __future__ import annotations

import importlib
import sys
import time


def imported(name: str) -> float:
    """Seconds to import a module and all it needs."""
    start = time.perf_counter()
    importlib.import_module(name)
    return time.perf_counter() - start


def first_step(name: str) -> float:
    """Seconds of the first call of a training step."""
    cases = importlib.import_module("cases")
    parts = ("", ".numpy", ".nn", ".lax")
    modules = [importlib.import_module(name + part) for part in parts]
    library = cases.Library(name, *modules)
    arguments = cases.mlp_arguments()
    start = time.perf_counter()
    library.wait(library.root.jit(cases.mlp_step(library, 0.1))(*arguments))
    return time.perf_counter() - start


if __name__ == "__main__":
    print({"import": imported, "step": first_step}[sys.argv[1]](sys.argv[2]))
