"""The shipped LLVM IR of the runtime is the one its C sources give."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from xform import _kernels

FOLDER = Path(_kernels.runtime.__file__).parent


def test_the_ir_is_current():
    command = [sys.executable, str(FOLDER / "build.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "runtime.ll is current\n"), done.stdout


@pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs ziglang")
def test_the_sources_compile(tmp_path):
    spec = importlib.util.spec_from_file_location("build_runtime", FOLDER / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    text = build.compile_runtime()
    source = _kernels.runtime.runtime_source()
    assert f"; exports: {' '.join(source.exports)}\n" in text
    assert f"; imports: {' '.join(source.imports)}\n" in text


def test_the_ir_says_nothing_of_machines():
    text = _kernels.runtime.runtime_source().text
    for word in ("target triple", "target-cpu", "source_filename", "/home", "/work", "/tmp"):
        assert word not in text
