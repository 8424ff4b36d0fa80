"""Options: read from the environment, set for the process, set for a block of one thread."""

import contextvars
import os
import subprocess
import sys
import threading

import pytest

from xform.config import NO_SETTINGS, Config, config
from xform.errors import ArgumentError


def test_defaults():
    fresh = Config({})
    assert (fresh.enable_x64, fresh.native, fresh.dump, fresh.num_threads) == (
        False,
        True,
        "",
        None,
    )
    assert fresh.cache_dir.endswith("xform")


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("ENABLE_X64", "1", True),
        ("ENABLE_X64", "true", True),
        ("ENABLE_X64", "True", True),
        ("NATIVE", "0", False),
        ("NATIVE", "off", False),
        ("NUM_THREADS", "4", 4),
        ("NUM_THREADS", "", None),
        ("CACHE_DIR", "", ""),
        ("DUMP", "lower,fuse", "lower,fuse"),
    ],
)
def test_environment(variable, text, value):
    fresh = Config({f"XFORM_{variable}": text})
    assert getattr(fresh, variable.lower()) == value


@pytest.mark.parametrize(
    ("variable", "text"),
    [("ENABLE_X64", "maybe"), ("ENABLE_X64", ""), ("NUM_THREADS", "0"), ("NUM_THREADS", "-2")],
)
def test_bad_environment_names_the_variable(variable, text):
    with pytest.raises(ArgumentError, match=f"XFORM_{variable} takes"):
        Config({f"XFORM_{variable}": text})


def test_environment_reaches_the_process():
    code = "from xform.config import config; print(config.enable_x64)"
    environ = {**os.environ, "XFORM_ENABLE_X64": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert run.stdout.strip() == "True", run.stderr


def test_update():
    fresh = Config({})
    fresh.update("enable_x64", True)
    assert fresh.enable_x64 is True
    assert fresh.code_key() == (True, 256 << 20, 1)
    fresh.update("num_threads", 2)
    fresh.update("num_threads", None)
    assert fresh.num_threads is None


def test_update_with_the_name_jax_gives_it():
    with pytest.raises(ArgumentError) as caught:
        config.update("jax_enable_x64", True)
    assert caught.value.instead == "config.update('enable_x64', True)"


@pytest.mark.parametrize(("name", "value"), [("enable_x64", "perhaps"), ("num_threads", 0)])
def test_update_with_a_bad_value(name, value):
    before = getattr(config, name)
    with pytest.raises(ArgumentError, match=name):
        config.update(name, value)
    assert getattr(config, name) == before


def test_unknown_names():
    with pytest.raises(AttributeError, match="did you mean 'enable_x64'"):
        _ = config.enable_x46
    with pytest.raises(AttributeError, match="there are enable_x64, disable_jit"):
        _ = config.qqqq
    with pytest.raises(ArgumentError, match="name of an option: enable_x64"):
        config.update("qqqq", 1)
    with pytest.raises(ArgumentError), config.scoped(qqqq=1):
        pass


def test_assignment_says_what_to_write():
    with pytest.raises(ArgumentError) as caught:
        config.enable_x64 = True
    assert caught.value.instead == "config.update('enable_x64', True)"


def test_scopes_nest_and_end():
    fresh = Config({})
    with fresh.scoped(check=True, enable_x64=True):
        with fresh.scoped(enable_x64=False):
            assert (fresh.enable_x64, fresh.check, fresh.scopes) == (False, True, 3)
        assert fresh.enable_x64 is True
    assert (fresh.enable_x64, fresh.check, fresh.scopes) == (False, False, 0)


def test_a_scope_ends_when_its_block_raises():
    with pytest.raises(KeyError), config.scoped(check=not config.check):
        raise KeyError
    assert config.scopes == 0


def test_a_scope_is_of_one_thread():
    seen = []
    with config.scoped(enable_x64=True):
        thread = threading.Thread(target=lambda: seen.append(config.enable_x64))
        thread.start()
        thread.join()
        assert config.enable_x64 is True
    assert seen == [False]


def test_update_inside_a_scope_waits_for_its_end():
    fresh = Config({})
    with fresh.scoped(log="compile"):
        fresh.update("log", "cache")
        assert fresh.log == "compile"
    assert fresh.log == "cache"


def test_scopes_in_many_threads_leave_nothing_behind():
    fresh = Config({})
    wrong = []

    def work(on):
        for _ in range(300):
            with fresh.scoped(enable_x64=on):
                if fresh.enable_x64 is not on:
                    wrong.append(on)

    threads = [threading.Thread(target=work, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert (fresh.enable_x64, fresh.scopes) == (False, 0)


def test_listeners_hear_of_every_change():
    fresh = Config({})
    heard = []
    forget = fresh.on_change(lambda: heard.append((fresh.enable_x64, fresh.scopes)))
    fresh.update("enable_x64", True)
    with fresh.scoped(enable_x64=False):
        pass
    forget()
    fresh.update("enable_x64", False)
    assert heard == [(True, 0), (False, 1), (True, 0)]


def test_the_table_of_the_docstring_is_complete():
    table = sys.modules[Config.__module__].__doc__
    for name in Config({}).__slots__:
        assert name.startswith("_") or f"| `{name}`" in table


def test_settings_are_one_object_for_each():
    with config.scoped(enable_x64=True):
        first = config.settings
        with config.scoped(log="compile"):
            assert config.settings is first
        with config.scoped(enable_x64=False):
            assert config.settings == (("enable_x64", False),)
            with config.scoped(enable_x64=True):
                assert config.settings is first
    assert config.settings is NO_SETTINGS


def test_a_block_of_a_generator_ends_before_one_within():
    def numbers():
        with config.scoped(enable_x64=True):
            yield 1

    running = numbers()
    next(running)
    assert config.enable_x64 is True
    with config.scoped(tape_bytes=1000):
        assert (config.enable_x64, config.settings) == (
            True,
            (("enable_x64", True), ("tape_bytes", 1000)),
        )
        running.close()
        assert (config.enable_x64, config.settings) == (False, (("tape_bytes", 1000),))
    assert (config.settings, config.scopes) == (NO_SETTINGS, 0)


def test_a_block_that_ended_holds_in_no_copy_of_the_context():
    with config.scoped(enable_x64=True):
        copied = contextvars.copy_context()
    with config.scoped(enable_x64=False, check=True):
        assert copied.run(lambda: (config.enable_x64, config.settings)) == (False, NO_SETTINGS)


def test_a_block_that_a_generator_leaves_in_another_thread():
    def numbers():
        with config.scoped(enable_x64=True):
            yield 1

    running = numbers()
    next(running)
    thread = threading.Thread(target=running.close)
    thread.start()
    thread.join()
    assert (config.enable_x64, config.settings, config.scopes) == (False, NO_SETTINGS, 0)
