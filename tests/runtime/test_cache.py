"""The cache of object files on disk."""

from __future__ import annotations

import os
import stat
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

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
    assert [path.name for path in directory.iterdir()] == [f"{KEY}.o"]


def damage_by_truncation(path):
    path.write_bytes(path.read_bytes()[:-10])


def damage_by_flipping(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def damage_by_emptying(path):
    path.write_bytes(b"")


def damage_by_another_format(path):
    path.write_bytes(path.read_bytes().replace(b"xform-object-1", b"xform-object-0"))


def damage_by_extending(path):
    path.write_bytes(path.read_bytes() + b"more")


def damage_by_a_bare_object(path):
    path.write_bytes(CONTENTS)


DAMAGES = [value for name, value in list(globals().items()) if name.startswith("damage_by")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entries_are_made_again(directory, damage):
    build = Builder()
    cache.get_or_build(KEY, build)
    (path,) = directory.iterdir()
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
    assert [path.name for path in directory.iterdir()] == [f"{KEY}.o"]


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
    assert [path.name for path in directory.iterdir()] == [f"{KEY}.o"]


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
