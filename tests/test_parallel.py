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

def done(work, jobs, values):
    with OrderedWork(work, jobs) as ordered:
        for value in values:
            yield from ordered.feed(value)
        yield from ordered.rest()

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
@pytest.mark.parametrize("pipe", [1 << 20, 4096], ids=["wide", "narrow"])
def test_results_come_in_order_whatever_their_sizes(jobs, pipe):
    """Also far larger than a pipe, in each direction, and where the system gives no wide pipes."""
    assert run(f"""
        parallel.PIPE_SIZE = {pipe}
        sizes = [0, 1, 3_000_000, 10, 200_000, 200_000, 200_000, 2_000_000, 2_000_000, 5] * 3 + [60_000] * 30
        expected = [(number, bytes([number % 256]) * sizes[-number]) for number in range(len(sizes))]
        fed = [(number, bytes([number % 256]) * size, sizes[-number]) for number, size in enumerate(sizes)]

        def work(given):
            number, data, size = given
            assert len(data) == sizes[number]
            return number, bytes([number % 256]) * size

        print(list(done(work, {jobs}, fed)) == expected, children())
    """) == ["True none"]


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

        with OrderedWork(work, 2) as ordered:
            got, counts = [], []
            for value in range(parallel.MOST_WAITING):
                got += ordered.feed(value)
            print(got)
            os.write(writer, b"x")
            for value in range(parallel.MOST_WAITING, 100):
                got += ordered.feed(value)
                counts.append(value + 1 - len(got))
            got += ordered.rest()
        print(got == list(range(100)), max(counts) <= parallel.MOST_WAITING)
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


def test_nothing_fed_gives_nothing():
    assert run("print(list(done(str, 3, [])), children())") == ["[] none"]
