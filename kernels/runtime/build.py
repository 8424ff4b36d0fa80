"""Make runtime.ll from the C files of this folder: a step of development, not of use.

    python kernels/runtime/build.py            writes runtime.ll
    python kernels/runtime/build.py --check    fails when runtime.ll is older than its sources

The compiler is the clang of the `ziglang` wheel. Different versions of it write different text,
so what is compared is a digest of the sources, which the file's head records.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
OUTPUT = FOLDER / "runtime.ll"

# One generic 64-bit target: what differs between machines is stripped from the text again.
_COMMAND = (
    "-m",
    "ziglang",
    "cc",
    "-target",
    "x86_64-linux-gnu",
    "-std=c11",
    "-O2",
    "-g0",
    "-S",
    "-emit-llvm",
    "-fno-stack-protector",
    "-fno-sanitize=all",
    "-fno-vectorize",
    "-fno-slp-vectorize",
    "-fomit-frame-pointer",
    "-fno-asynchronous-unwind-tables",
    "-fno-strict-aliasing",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-unused-command-line-argument",
)

# Lines and attributes that speak of the machine, the compiler or its paths.
_STRIPPED = (
    re.compile(r"^(target (triple|datalayout)|source_filename|!llvm\.ident|; ModuleID).*\n", re.M),
    re.compile(r' "(target-cpu|target-features|tune-cpu|frame-pointer|min-legal-vector-width)"'
               r'="[^"]*"'),
)  # fmt: skip
_IMPORT = re.compile(r"^(?:declare .*?|)@(_?Py\w+)(?:\(| = external)", re.MULTILINE)
_FUNCTION = re.compile(r"^define (?!internal).*?@(\w+)\(", re.MULTILINE)
_VARIABLE = re.compile(r"^@(\w+) = (?:dso_local |local_unnamed_addr )*global", re.MULTILINE)


def digest() -> str:
    """The SHA-256 of the C sources and of this program's command."""
    found = hashlib.sha256(" ".join(_COMMAND).encode())
    for path in sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h"))):
        found.update(f"{path.name}\n".encode())
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()


def recorded() -> str:
    """The digest in the head of runtime.ll, or nothing where there is no such file."""
    if not OUTPUT.exists():
        return ""
    found = re.search(r"^; sources: (\w+)$", OUTPUT.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def compile_runtime() -> str:
    """Compile runtime.c, with all it includes, to the text of an LLVM module."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "runtime.ll"
        command = [sys.executable, *_COMMAND, "-o", str(made), "runtime.c"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the C compiler failed:\n{done.stderr}")
        text = made.read_text(encoding="utf-8")
    for pattern in _STRIPPED:
        text = pattern.sub("", text)
    head = {
        "sources": digest(),
        "imports": " ".join(sorted(set(_IMPORT.findall(text)))),
        "exports": " ".join(sorted({*_FUNCTION.findall(text), *_VARIABLE.findall(text)})),
    }
    lines = ["; Made from runtime.c by build.py; do not edit."]
    lines += [f"; {name}: {value}" for name, value in head.items()]
    return "\n".join(lines) + "\n\n" + text.strip() + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    options = parser.parse_args(arguments)
    if options.check:
        current = recorded() == digest()
        print(f"runtime.ll is {'current' if current else 'out of date: run build.py'}")
        return not current
    if importlib.util.find_spec("ziglang") is None:
        print("runtime.ll was not made: pip install ziglang for its C compiler")
        return 1
    OUTPUT.write_text(compile_runtime(), encoding="utf-8")
    print(f"wrote {OUTPUT.name}: {OUTPUT.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
