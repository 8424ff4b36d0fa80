"""The cache of object files on disk."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from xform.__main__ import main
from xform.compiler.target import Target, host
from xform.config import config
from xform.errors import CacheWarning
from xform.runtime import cache

CONTENTS = b"object code \x00\xff" * 50
KEY = "a" * 64


@pytest.fixture
def directory(tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_warned", type(cache._warned)())
    folder = tmp_path / "cache"
    before = config.cache_dir
    config.update("cache_dir", str(folder))  # For every thread, which a scope would not do.
    yield folder
    config.update("cache_dir", before)


class Builder:
    """Counts how often the contents are made."""

    def __init__(self, contents=CONTENTS):
        self.count = 0
        self.contents = contents

    def __call__(self):
        self.count += 1
        return self.contents


def names(directory):
    return sorted(path.name for path in directory.iterdir() if path.name != cache._LEDGER)


def test_contents_are_made_once(directory):
    build = Builder()
    assert cache.get_or_build(KEY, build) == CONTENTS
    assert cache.get_or_build(KEY, build) == CONTENTS
    assert build.count == 1
    assert cache.get_or_build("b" * 64, Builder(b"")) == b""
    assert cache.get_or_build("b" * 64, Builder(b"x")) == b""


def test_the_directory_is_private(directory):
    cache.get_or_build(KEY, Builder())
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert names(directory) == [f"{KEY}.o"]


def damage_by_truncation(path):
    path.write_bytes(path.read_bytes()[:-10])


def damage_by_flipping(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def damage_by_emptying(path):
    path.write_bytes(b"")


def damage_by_another_format(path):
    path.write_bytes(path.read_bytes().replace(b"xform-object-2", b"xform-object-1"))


def damage_by_extending(path):
    path.write_bytes(path.read_bytes() + b"more")


def damage_by_a_bare_object(path):
    path.write_bytes(CONTENTS)


def damage_by_another_name(path):
    cache.get_or_build("c" * 64, Builder(b"code of another program"))
    (path.parent / f"{'c' * 64}.o").replace(path)


DAMAGES = [value for name, value in list(globals().items()) if name.startswith("damage_by")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entries_are_made_again(directory, damage):
    build = Builder()
    cache.get_or_build(KEY, build)
    path = directory / f"{KEY}.o"
    damage(path)
    with pytest.warns(CacheWarning, match=KEY):
        assert cache.get_or_build(KEY, build) == CONTENTS
    assert build.count == 2
    assert cache.get_or_build(KEY, build) == CONTENTS
    assert build.count == 2
    damage(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.get_or_build(KEY, build) == CONTENTS
    assert build.count == 3


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs users")
def test_entries_of_other_users_are_not_read(directory, monkeypatch):
    build = Builder()
    cache.get_or_build(KEY, build)
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    with pytest.warns(CacheWarning, match="another user"):
        cache.get_or_build(KEY, build)
    assert build.count == 2


def test_an_entry_that_is_a_directory(directory):
    (directory / f"{KEY}.o").mkdir(parents=True)
    build = Builder()
    with pytest.warns(CacheWarning):
        assert cache.get_or_build(KEY, build) == CONTENTS
    assert cache.get_or_build(KEY, build) == CONTENTS
    assert build.count == 2
    assert names(directory) == [f"{KEY}.o"]


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("not a directory")
    build = Builder()
    with config.scoped(cache_dir=str(tmp_path / "file")), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.get_or_build(KEY, build) == CONTENTS
        assert cache.get_or_build(KEY, build) == CONTENTS
    assert build.count == 2


def test_no_cache():
    build = Builder()
    with config.scoped(cache_dir=""):
        cache.get_or_build(KEY, build)
        cache.get_or_build(KEY, build)
    assert build.count == 2


def test_errors_of_the_builder_leave_nothing(directory):
    with pytest.raises(ZeroDivisionError):
        cache.get_or_build(KEY, lambda: 1 // 0)
    assert not directory.exists()


def test_many_writers(directory):
    def write(number):
        return cache.get_or_build(KEY, lambda: CONTENTS)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(64))) == {CONTENTS}
    assert names(directory) == [f"{KEY}.o"]


def test_keys():
    target = host()
    text = "define i32 @f() { ret i32 0 }"
    key = cache.cache_key(text, target, "O2")
    assert key == cache.cache_key(text, target, "O2")
    others = [
        cache.cache_key(text + " ", target, "O2"),
        cache.cache_key(text, target),
        cache.cache_key(text, target, "O3"),
        cache.cache_key(text, target, "O", "2"),
        cache.cache_key(text, Target(target.triple, "other", "", 16, False), "O2"),
    ]
    assert len({key, *others}) == 6
    assert len(key) == 64


def name(number):
    return f"{number:064x}"


def aged(directory, number, seconds):
    """Let an entry be last used so long ago."""
    then = time.time() - seconds
    os.utime(directory / f"{name(number)}.o", (then, then))


def kept(directory):
    return {int(path.stem, 16) for path in directory.glob("*.o")}


def test_what_was_used_longest_ago_is_removed(directory):
    with config.scoped(cache_bytes=10_000):
        for k in range(8):
            cache.get_or_build(name(k), Builder(b"x" * 1000))
            aged(directory, k, 1000 - k)
        cache.get_or_build(name(0), Builder(b"not asked for"))
        for k in range(8, 10):
            cache.get_or_build(name(k), Builder(b"x" * 1000))
        # 10 entries of 1047 bytes are too many; down to seven eighths are kept.
        assert kept(directory) == {0, 4, 5, 6, 7, 8, 9} | {3}
        assert sum(entry.nbytes for entry in cache.entries(directory)) <= 10_000 * 7 / 8
        assert cache.get_or_build(name(0), Builder(b"")) == b"x" * 1000


def test_an_entry_larger_than_the_cache_is_not_kept(directory):
    build = Builder(b"x" * 2000)
    with config.scoped(cache_bytes=2000):
        cache.get_or_build(KEY, build)
        cache.get_or_build(KEY, build)
    assert build.count == 2
    assert kept(directory) == set()


OTHER = """
from xform.runtime import cache
for k in range(90):
    cache.get_or_build(f"{k:064x}", lambda: b"x" * 1000)
"""


def run_other(directory):
    environ = {**os.environ, "XFORM_CACHE_DIR": str(directory), "XFORM_NATIVE": "0"}
    subprocess.run([sys.executable, "-c", OTHER], env=environ, check=True)
    for k in range(90):
        aged(directory, k, 1000 - k)


def test_entries_of_other_processes_count(directory):
    cache.get_or_build(name(1000), Builder(b""))
    run_other(directory)
    with config.scoped(cache_bytes=100_000):
        for k in range(2000, 2020):
            cache.get_or_build(name(k), Builder(b"x" * 1000))
    assert sum(entry.nbytes for entry in cache.entries(directory)) <= 100_000
    assert kept(directory) >= {1000, *range(40, 90), *range(2000, 2020)}


@pytest.mark.parametrize("damage", [b"", b"12", b"bytes of entries\n12\nx\n", b"\0" * 5000])
def test_a_damaged_ledger_is_made_again(directory, damage):
    run_other(directory)
    with config.scoped(cache_bytes=50_000):
        (directory / cache._LEDGER).write_bytes(damage)
        cache.get_or_build(name(1000), Builder(b"x"))
    assert sum(entry.nbytes for entry in cache.entries(directory)) <= 50_000
    assert 1000 in kept(directory)


def test_a_long_ledger_is_summed_up(directory):
    for k in range(900):
        cache.get_or_build(name(k), Builder(b"x" * 1000))
    ledger = directory / cache._LEDGER
    assert ledger.stat().st_size < cache._LEDGER_BYTES
    assert cache._total(ledger) == sum(entry.nbytes for entry in cache.entries(directory))


def test_other_files_are_left_alone(directory):
    directory.mkdir()
    others = ["notes.txt", "lib.o", ".tmp", ".other.tmp", name(1)]
    for other in others:
        (directory / other).write_text("mine")
        os.utime(directory / other, (0, 0))
    with config.scoped(cache_bytes=1000):
        for k in range(5):
            cache.get_or_build(name(k), Builder(b"x" * 400))
    cache.clear(directory)
    assert names(directory) == sorted(others)


def test_temporary_files_of_killed_writers_are_removed(directory):
    directory.mkdir()
    old, young = directory / ".xform-old.tmp", directory / ".xform-young.tmp"
    old.write_bytes(b"half an entry")
    os.utime(old, (0, 0))
    young.write_bytes(b"being written by another process")
    assert [entry.path for entry in cache.leftovers(directory)] == [old]
    cache.get_or_build(KEY, Builder())
    assert (old.exists(), young.exists()) == (False, True)


WRITER = """
import sys
from pathlib import Path
from xform.config import config
from xform.runtime import cache
print("ready", flush=True)
for k in range(10**9):
    key = f"{k % 40:064x}"
    contents = bytes([k % 40]) * 300_000
    if cache.get_or_build(key, lambda: contents) != contents:
        sys.exit("wrong contents")
    if k % 3 == 0:
        Path(config.cache_dir, f"{key}.o").unlink(missing_ok=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_writers_that_are_killed(directory, tmp_path):
    environ = {**os.environ, "XFORM_CACHE_DIR": str(directory), "XFORM_CACHE_BYTES": "6000000"}
    wait = random.Random(5)
    for _ in range(3):
        command = [sys.executable, "-W", "error", "-c", WRITER]
        running = [
            subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        for process in running:
            assert process.stdout.readline() == "ready\n"
        time.sleep(wait.uniform(0.05, 0.3))
        for process in running:
            assert process.poll() is None
            process.kill()
            process.communicate()
    assert cache.entries(directory)
    assert {cache.fault_of(entry) for entry in cache.entries(directory)} == {""}
    for temporary in directory.glob(".xform-*.tmp"):
        os.utime(temporary, (0, 0))
    (directory / cache._LEDGER).unlink(missing_ok=True)  # A count also removes what was left over.
    cache.get_or_build(KEY, Builder())
    assert not list(directory.glob(".xform-*.tmp"))
    assert sum(entry.nbytes for entry in cache.entries(directory)) <= 4 * 6_000_000


def said(capsys, *arguments):
    status = main(["cache", *arguments])
    return status, capsys.readouterr().out


def test_the_command_line(directory, capsys):
    assert said(capsys, "info") == (
        0,
        f"directory: {directory}\nentries:   0\nsize:      0 bytes of at most 1.0 GiB\n",
    )
    assert said(capsys, "verify") == (0, "0 entries, 0 damaged\n")
    assert said(capsys, "clear") == (0, "removed 0 files, 0 bytes\n")
    for k in range(3):
        cache.get_or_build(name(k), Builder(b"x" * 1000))
        aged(directory, k, 0)
    (directory / ".xform-old.tmp").write_bytes(b"")
    os.utime(directory / ".xform-old.tmp", (0, 0))
    status, text = said(capsys, "info")
    assert status == 0
    assert "entries:   3\nsize:      3.1 KiB of at most 1.0 GiB\noldest:    used 20" in text
    assert "leftovers: 1 of writers that were killed" in text
    assert said(capsys, "verify") == (0, "3 entries, 0 damaged\n")
    path = directory / f"{name(1)}.o"
    damage_by_flipping(path)
    fault = "its checksum does not agree with its contents"
    assert said(capsys, "verify") == (1, f"{path}: {fault}\n3 entries, 1 damaged\n")
    assert said(capsys, "clear") == (0, "removed 4 files, 3.1 KiB\n")
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["cache"], ["cache", "shred"], ["house"]])
def test_wrong_commands(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: python -m xform" in capsys.readouterr().err


def test_the_module_is_a_program(tmp_path):
    environ = {**os.environ, "XFORM_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "xform", "cache", "verify"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    # Importing xform puts the native runtime there.
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" entries, 0 damaged\n")
