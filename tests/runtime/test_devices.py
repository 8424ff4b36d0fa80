"""Devices as threads: small native programs that meet, fail, wait for ever, and fork."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from xform import errors
from xform.compiler.target import host
from xform.config import config
from xform.runtime import engine
from xform.runtime.device_threads import run_on_devices, threads

pytestmark = pytest.mark.skipif(threads() is None, reason="needs the native runtime")

# Each program is `int32_t f(void **buffers, int64_t device, void *group)`.
TEXT = """
declare i32 @group_exchange(ptr, i64, i64, ptr, ptr)
declare i32 @group_leave(ptr, i64, i64)
declare i32 @group_meet(ptr, i64, i64)

; buffers: input, output, number of devices, number of rounds
define i32 @sums(ptr %buffers, i64 %device, ptr %group) {
entry:
  %all = alloca ptr, i64 64
  %x = load ptr, ptr %buffers
  %slot1 = getelementptr ptr, ptr %buffers, i64 1
  %out = load ptr, ptr %slot1
  %slot2 = getelementptr ptr, ptr %buffers, i64 2
  %count_at = load ptr, ptr %slot2
  %count = load i64, ptr %count_at
  %slot3 = getelementptr ptr, ptr %buffers, i64 3
  %rounds_at = load ptr, ptr %slot3
  %rounds = load i64, ptr %rounds_at
  br label %round
round:
  %r = phi i64 [ 0, %entry ], [ %r1, %left ]
  %e = call i32 @group_exchange(ptr %group, i64 %device, i64 0, ptr %x, ptr %all)
  %bad = icmp ne i32 %e, 0
  br i1 %bad, label %failed, label %add
add:
  %k = phi i64 [ 0, %round ], [ %k1, %add ]
  %total = phi double [ 0.0, %round ], [ %total1, %add ]
  %theirs_at = getelementptr ptr, ptr %all, i64 %k
  %theirs = load ptr, ptr %theirs_at
  %v = load double, ptr %theirs
  %total1 = fadd double %total, %v
  %k1 = add i64 %k, 1
  %more = icmp slt i64 %k1, %count
  br i1 %more, label %add, label %leave
leave:
  %l = call i32 @group_leave(ptr %group, i64 %device, i64 1)
  %bad2 = icmp ne i32 %l, 0
  br i1 %bad2, label %failed, label %left
left:
  ; The next round adds up what this one gave, divided by the number of devices, and one more.
  %n = sitofp i64 %count to double
  %mean = fdiv double %total1, %n
  %next = fadd double %mean, 1.0
  store double %next, ptr %x
  store double %total1, ptr %out
  %r1 = add i64 %r, 1
  %again = icmp slt i64 %r1, %rounds
  br i1 %again, label %round, label %done
done:
  ret i32 0
failed:
  ret i32 -1
}

define i32 @nothing(ptr %buffers, i64 %device, ptr %group) {
  ret i32 0
}

; Device 1 fails with status 7; the others wait for it.
define i32 @fails(ptr %buffers, i64 %device, ptr %group) {
  %one = icmp eq i64 %device, 1
  br i1 %one, label %fail, label %wait
fail:
  ret i32 7
wait:
  %s = call i32 @group_meet(ptr %group, i64 %device, i64 0)
  ret i32 %s
}

; Device 1 finishes; the others wait for it at collective 2.
define i32 @left_alone(ptr %buffers, i64 %device, ptr %group) {
  %one = icmp eq i64 %device, 1
  br i1 %one, label %gone, label %wait
gone:
  ret i32 0
wait:
  %s = call i32 @group_meet(ptr %group, i64 %device, i64 2)
  ret i32 %s
}

; Every device waits somewhere else.
define i32 @apart(ptr %buffers, i64 %device, ptr %group) {
  %s = call i32 @group_meet(ptr %group, i64 %device, i64 %device)
  ret i32 %s
}
"""

NAMES = ("sums", "nothing", "fails", "left_alone", "apart")


@pytest.fixture(scope="module")
def programs():
    library = engine.link(host().object_code(TEXT), NAMES, threads().symbols)
    return library


def summed(programs, count, rounds=1):
    """What each device gets: sums over devices of 0, 1, 2, ..."""
    x = np.arange(count, dtype=np.float64) * 8  # Far apart in value, and each in its own memory.
    inputs = [x[d : d + 1].copy() for d in range(count)]
    outputs = [np.zeros(1) for _ in range(count)]
    numbers = [np.array([count]), np.array([rounds])]
    tables = [
        [a.ctypes.data, o.ctypes.data, *(n.ctypes.data for n in numbers)]
        for a, o in zip(inputs, outputs, strict=True)
    ]
    run_on_devices(programs["sums"], tables, ("sum", "end of sum"))
    return [float(o[0]) for o in outputs]


def expected(count, rounds):
    total = 8.0 * sum(range(count))
    for _ in range(rounds - 1):
        total = count * (total / count + 1)
    return [total] * count


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("rounds", [1, 2, 500])
def test_sums(programs, count, rounds):
    np.testing.assert_allclose(summed(programs, count, rounds), expected(count, rounds))


def test_many_calls_use_the_same_workers(programs):
    summed(programs, 4)
    before = threads().workers()
    for _ in range(300):
        assert summed(programs, 4, 3) == expected(4, 3)
    assert threads().workers() == before


def test_threads_of_python_run_devices_at_the_same_time(programs):
    found = []

    def work():
        for _ in range(50):
            found.append(summed(programs, 3, 20) == expected(3, 20))

    running = [threading.Thread(target=work) for _ in range(4)]
    for t in running:
        t.start()
    for t in running:
        t.join()
    assert found == [True] * 200


def test_calls_after_the_workers_slept(programs):
    for pause in (0.01, 0.1, 0.3):
        time.sleep(pause)
        assert summed(programs, 3, 2) == expected(3, 2)


@pytest.mark.parametrize("count", [2, 5])
def test_a_device_that_fails_stops_the_others(programs, count):
    start = time.monotonic()
    with pytest.raises(errors.CollectiveError, match="device 1 failed with status 7"):
        run_on_devices(programs["fails"], [[]] * count)
    assert time.monotonic() - start < 10
    assert summed(programs, count) == expected(count, 1)


def test_devices_that_wait_for_ever_are_named(programs):
    with (
        config.scoped(collective_timeout_s=0.2),
        pytest.raises(errors.CollectiveTimeoutError) as caught,
    ):
        run_on_devices(programs["left_alone"], [[]] * 3, ("a", "b", "psum (f.py:3)"))
    assert isinstance(caught.value, TimeoutError)
    assert "device 0 waits at psum (f.py:3)" in caught.value.got
    assert "device 1 computes" in caught.value.got
    assert "device 2 waits at psum (f.py:3)" in caught.value.got
    assert summed(programs, 3) == expected(3, 1)


def test_devices_that_meet_at_different_collectives(programs):
    with pytest.raises(errors.CollectiveError, match="same collective") as caught:
        run_on_devices(programs["apart"], [[]] * 2, ("psum", "pmax"))
    assert "psum" in caught.value.got or "pmax" in caught.value.got
    assert summed(programs, 2) == expected(2, 1)


def test_one_device_needs_no_worker(programs):
    run_on_devices(programs["nothing"], [[]])
    assert summed(programs, 1) == [0.0]


@pytest.mark.parametrize("busy", [False, True])
def test_ctrl_c(programs, busy):
    """While waiting, and while devices meet that are always there in time and never wait."""
    main = threading.main_thread().ident
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    start = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            if busy:
                summed(programs, 2, rounds=100_000_000)
            else:
                run_on_devices(programs["left_alone"], [[]] * 3)
    finally:
        timer.join()
    assert time.monotonic() - start < 10
    assert summed(programs, 3) == expected(3, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning", "ignore:.*fork:RuntimeWarning")
def test_a_child_makes_workers_of_its_own(programs):
    assert summed(programs, 4) == expected(4, 1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if summed(programs, 4, 5) == expected(4, 5) else 2
        finally:
            os._exit(status)
    deadline = time.monotonic() + 20
    done = 0
    while not done and time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.01)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child waits for workers that it does not have")
    assert os.waitstatus_to_exitcode(status) == 0
    assert summed(programs, 4) == expected(4, 1)


def test_the_layout_is_that_of_the_source():
    native = threads()
    assert native.group_bytes(3) - native.group_bytes(2) == 64
    assert native.group_bytes(0) % 8 == 0
