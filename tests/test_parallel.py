"""Work over several processes. Each test runs in a process of its own, so that a deadlock fails it and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest
from command import PATIENCE, ROOT

from inspector import parallel

pytestmark = pytest.mark.skipif(not parallel.is_possible(), reason="this system does not fork")

BEGINNING = """
import os, sys
from inspector import parallel
from inspector.errors import InspectorError
from inspector.parallel import OrderedWork

HERE = os.getpid()

def same(value):
    return value

def done(work, jobs, values, packing=same):
    # The results of work that makes values alone.
    for text, value in whole(lambda given: (b"", work(given)), jobs, values, packing):
        assert not text
        yield value

def whole(work, jobs, values, packing=same):
    # The results of any work, each used before the next is asked for.
    with OrderedWork(work, jobs, packing) as ordered:
        for value in values:
            yield from kept(ordered.feed(value))
        yield from kept(ordered.rest())

def kept(results):
    return ((bytes(text), value) for text, value in results)

def children():
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return "none"

"""


def run(program):
    """The lines that a program prints which begins as above."""
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("jobs", [1, 2, 3, 5])
@pytest.mark.parametrize("room", [1 << 20, 4096, 1], ids=["wide", "narrow", "none"])
def test_results_come_in_order_whatever_their_sizes(jobs, room):
    """Also far larger than the memory that is shared, and than a pipe, in each direction."""
    assert run(f"""
        parallel.WORK_ROOM = parallel.RESULT_ROOM = {room}
        sizes = [0, 1, 3_000_000, 10, 200_000, 200_000, 200_000, 2_000_000, 2_000_000, 5] * 3 + [60_000] * 30
        numbers = range(len(sizes))
        filled = lambda number, size: bytes([number % 256]) * size
        part = lambda number: filled(number, sizes[number] // 3)
        expected = [(filled(number, sizes[-number]), [number, part(number)]) for number in numbers]
        fed = [(number, filled(number, sizes[number]), sizes[-number]) for number in numbers]

        def work(given):
            number, data, size = given
            assert data == filled(number, sizes[number])
            return filled(number, size), [number, part(number)]

        print(list(whole(work, {jobs}, fed)) == expected, children())
    """) == ["True none"]


def test_texts_that_wait_for_one_before_them_stay_as_they_are():
    """Also when the memory that they came in is used for others."""
    assert run("""
        reader, writer = os.pipe()

        def work(value):
            if value == 0 and os.getpid() != HERE:
                os.read(reader, 1)  # until the other process has done much more
            return b"%05d" % value * 1_000, value

        with OrderedWork(work, 3, same) as ordered:
            got = []
            for value in range(parallel.MOST_WAITING * 3):
                got += kept(ordered.feed(value))
            print(got)
            os.write(writer, b"x")
            got += kept(ordered.rest())
        print([value for _, value in got] == list(range(len(got))))
        print(all(text == b"%05d" % value * 1_000 for text, value in got))
    """) == ["[]", "True", "True"]


def test_what_goes_to_another_process_is_packed_for_it():
    assert run("""
        reader, writer = os.pipe()

        def work(value):
            if os.getpid() != HERE:
                os.read(reader, 1)  # until the caller has done the rest
            return b"", str(value)

        with OrderedWork(work, 2, list) as ordered:
            got = []
            for value in range(6):
                got += ordered.feed({value})
            os.write(writer, b"x" * 6)
            got += ordered.rest()
        print(parallel.MOST_AHEAD, *(value for _, value in got))
    """) == ["4 [0] [1] [2] [3] {4} {5}"]


def test_all_processes_work_and_the_caller_too():
    assert run("""
        import threading
        workers = set(done(lambda value: (sum(range(200_000)), os.getpid())[1], 3, range(200)))
        print(len(workers), HERE in workers)
    """) == ["3 True"]


def test_results_are_not_heaped_up_while_one_is_waited_for():
    """Of the work given out meanwhile no more is done than is to be held."""
    assert run("""
        reader, writer = os.pipe()
        ahead = 0

        def work(value):
            if value == 0:
                os.read(reader, 1)  # until the caller has fed much more
            return value

        most = 2 * parallel.MOST_WAITING
        with OrderedWork(lambda value: (b"", work(value)), 2, same) as ordered:
            got, counts = [], []
            for value in range(most):
                got += ordered.feed(value)
            print(got)
            os.write(writer, b"x")
            for value in range(most, 100):
                got += ordered.feed(value)
                counts.append(value + 1 - len(got))
            got += ordered.rest()
        print([value for _, value in got] == list(range(100)), max(counts) <= most)
    """) == ["[]", "True True"]


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_an_error_comes_in_the_place_of_its_result(jobs):
    assert run(f"""
        def work(value):
            if value >= 20:
                raise InspectorError(f"{{value}} is too much", where="here", hint="take less")
            return value

        got = []
        try:
            for each in done(work, {jobs}, range(40)):
                got.append(each)
        except InspectorError as error:
            print(got == list(range(20)), error)
        print(children())
    """) == ["True here: 20 is too much (take less)", "none"]


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 9)", "1 / 0", "os.close(0); sys.exit(1)"])
def test_a_process_that_ends_is_told(end):
    assert run(f"""
        def work(value):
            if os.getpid() != HERE and value > 10:
                {end}
            return value

        try:
            print(list(done(work, 3, range(1_000))))
        except InspectorError as error:
            print(error)
        print(children())
    """) == ["a worker process has ended (--jobs 1 does without others)", "none"]


def test_a_process_that_ends_within_a_large_piece_of_work_is_told():
    assert run("""
        def work(value):
            if os.getpid() != HERE:
                os._exit(0)
            return value

        try:
            print(sum(map(len, done(work, 2, [bytes(3_000_000)] * 10))))
        except InspectorError as error:
            print(error)
        print(children())
    """) == ["a worker process has ended (--jobs 1 does without others)", "none"]


def test_no_process_is_left_when_the_caller_breaks_off():
    assert run("""
        found = done(lambda value: bytes(2_000_000), 3, range(100))
        print(len(next(found)))
        found.close()
        print(children())
    """) == ["2000000", "none"]


def test_without_further_processes_the_caller_does_all():
    assert run("""
        def fork():
            raise BlockingIOError(11, "no more processes")

        os.fork = fork
        before = len(os.listdir("/dev/fd"))
        print(list(done(str, 4, range(5))), len(os.listdir("/dev/fd")) - before)
    """) == ["['0', '1', '2', '3', '4'] 0"]


def test_without_memory_to_share_the_caller_does_all():
    assert run("""
        parallel.WORK_ROOM = 1 << 60
        print(list(done(str, 4, range(5))), children())
    """) == ["['0', '1', '2', '3', '4'] none"]


def test_nothing_fed_gives_nothing():
    assert run("print(list(done(str, 3, [])), children())") == ["[] none"]
