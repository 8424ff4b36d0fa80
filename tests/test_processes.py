"""Jitted functions in processes of their own: the cache on disk, and the end of the process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

SCRIPT = """
import sys, numpy as np, xform, xform.numpy as xnp
f = xform.jit(lambda x: xnp.sum(xnp.sin(x) ** 2 + xnp.cos(x) ** 2))
print(float(f(np.ones(10, np.float32))))
"""


def run(script: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "XFORM_CACHE_DIR": str(cache)}
    command = [sys.executable, "-c", script]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120)


def test_a_damaged_cache_heals(tmp_path):
    for _ in range(3):
        done = run(SCRIPT, tmp_path)
        assert (done.returncode, done.stdout) == (0, "10.0\n"), done.stderr
        files = [p for p in tmp_path.rglob("*") if p.is_file()]
        assert files
        for k, path in enumerate(files):
            data = path.read_bytes()
            path.write_bytes(data[: len(data) // 2] if k % 2 else b"\0" * len(data))


def test_a_cache_that_cannot_be_written_changes_no_result(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = run(SCRIPT, tmp_path / "file" / "cache")
    assert (done.returncode, done.stdout) == (0, "10.0\n"), done.stderr


def test_the_process_ends_in_order(tmp_path):
    """The interpreter unloaded the code of types while objects of them were left."""
    done = run(SCRIPT + "keep = [f, xnp.ones(3)]; keep.append(keep)\n", tmp_path)
    assert done.returncode == 0, done.stderr
    done = run(SCRIPT + "xform.jit(lambda x: 1 / 0)(1.0)\n", tmp_path)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_functions_in_cycles_are_collected(tmp_path):
    """The collector freed the plans of a function before the function."""
    script = SCRIPT + (
        "import gc\n"
        "for k in range(50):\n"
        "    g = xform.jit(lambda x, k=k: x + k)\n"
        "    g.self = g\n"
        "    g(1.0), g(np.ones(3, np.float32)), g(xnp.ones(2))\n"
        "    del g\n"
        "    if k % 10 == 0: gc.collect()\n"
        "print(gc.collect() >= 0)\n"
    )
    done = run(script, tmp_path)
    assert (done.returncode, done.stdout) == (0, "10.0\nTrue\n"), done.stderr
