"""Measures xform beside JAX and Numba: `make bench`.

Prints the tables, writes them to docs/benchmarks.md and all numbers to
benchmarks/results/latest.json. Needs the optional packages `bench`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from report import Report, Row

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = HERE / "results" / "latest.json"

STARTING = "Starting"

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XFORM_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


def environment(**more: str) -> dict[str, str]:
    """The environment of what is measured: one thread, and this checkout first."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": path, **more}


def startup(what: str, library: str, cache: str) -> float:
    """Seconds that a fresh process measures."""
    done = subprocess.run(
        [sys.executable, str(HERE / "startup.py"), what, library],
        env=environment(
            XFORM_CACHE_DIR=cache,
            PYTHONDONTWRITEBYTECODE="",
            PYTHONPYCACHEPREFIX=str(Path(cache, "bytecode")),
        ),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout)


def interleaved(what: str, cache: str, repeats: int, module: str = "") -> dict[str, float]:
    """The median over fresh processes, of each library in turn; the first of each warms caches."""
    samples: dict[str, list[float]] = {"xform": [], "jax": []}
    for _ in range(repeats + 1):
        for library, times in samples.items():
            times.append(startup(what, library + module, cache))
    return {library: statistics.median(times[1:]) for library, times in samples.items()}


def starting() -> list[Row]:
    """What happens in each process once."""
    with tempfile.TemporaryDirectory() as cache:
        return [
            Row(STARTING, "import xform, import jax", interleaved("import", cache, 7), least=2),
            Row(
                STARTING,
                "import xform.numpy, import jax.numpy",
                interleaved("import", cache, 7, ".numpy"),
            ),
            Row(
                STARTING,
                "first training step: from the cache on disk, and compiled by JAX",
                interleaved("step", cache, 3),
                least=10,
            ),
        ]


def on_two_devices() -> list[Row]:
    """What needs two devices of the CPU, on all cores."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        subprocess.run(
            [sys.executable, str(HERE / "parallel.py"), str(path)],
            env=environment(XFORM_NUM_CPU_DEVICES="2", JAX_NUM_CPU_DEVICES="2"),
            check=True,
        )
        return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def pin() -> None:
    """Keeps this process, and those it starts, on one core, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main() -> None:
    """Runs everything and writes the report."""
    parallel = on_two_devices()
    pin()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        subprocess.run(
            [sys.executable, str(HERE / "measure.py"), str(path)], env=environment(), check=True
        )
        record = json.loads(path.read_text(encoding="utf-8"))
    rows = [Row(**row) for row in record["rows"]]
    report = Report(record["versions"], [*rows, *parallel, *starting()])
    for group in report.groups():
        print(f"\n{report.table(group)}")
    missed = [row.title for row in report.rows if row.passed is False]
    print(f"\n{len(missed)} of {len(report.rows)} targets missed: {'; '.join(missed) or 'none'}")
    PAGE.write_text(report.markdown(), encoding="utf-8")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report.record(), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
