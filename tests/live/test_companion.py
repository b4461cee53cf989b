"""`serve` and the process beside it that does what is due: they work as one, and neither outlives the other."""

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fedcorp.commands.companion import NICENESS
from tests.live.harness import Department, Person, eventually, introduce, running

LEAST = 19  # the lowest priority that there is


@pytest.fixture
def finance(tmp_path: Path) -> Department:
    """A department that does not run, with ada."""
    made = Department(tmp_path, "finance")
    made.person("ada")
    return made


@pytest.fixture
def ben(finance: Department, tmp_path: Path) -> Iterator[Person]:
    """Somebody who follows ada from another department. Both departments run."""
    other = Department(tmp_path, "hr", server={"companion": False})
    person = other.person("ben")
    introduce(finance, other)
    with running(finance, other):
        person.follow(finance.people[0].handle)
        yield person


def is_over(process: psutil.Process) -> bool:
    """Whether a process has ended, be it that nobody has taken note of it."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_work_goes_on_when_its_process_is_killed(finance: Department, ben: Person) -> None:
    ada = finance.people[0]
    ada.publish("by two")
    eventually(lambda: "by two" in ben.texts())
    assert not psutil.Process(ben.department.processes[0].pid).children()
    served = psutil.Process(finance.processes[0].pid).nice()
    assert finance.companion().nice() == min(served + NICENESS, LEAST)

    finance.companion().kill()
    ada.publish("by one")
    eventually(lambda: "by one" in ben.texts())
    eventually(lambda: "ended by signal 9; this one does it from now on" in finance.log())
    finance.stop()


@pytest.mark.once
def test_neither_outlives_the_other(finance: Department) -> None:
    with running(finance):
        beside = finance.companion()
        finance.kill()
        eventually(lambda: is_over(beside))

        finance.start()
        beside = finance.companion()
        finance.stop()
        assert is_over(beside)

        finance.start()  # as systemd stops: everything in the group is told
        beside = finance.companion()
        for process in (beside, psutil.Process(finance.processes[0].pid)):
            process.send_signal(signal.SIGTERM)
        finance.stop()
        assert is_over(beside)
    assert "from now on" not in finance.log()


@pytest.mark.once
def test_whoever_ignores_the_ends_of_processes_may_start_it(finance: Department) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # which a new program inherits
    try:
        finance.launch()
    finally:
        signal.signal(signal.SIGCHLD, before)
    with contextlib.closing(finance):
        finance.wait_until_up()
        finance.companion().kill()
        eventually(lambda: "this one does it from now on" in finance.log())
        finance.stop()


@pytest.mark.once
def test_what_cannot_start_leaves_nothing_behind(finance: Department) -> None:
    finance.configure(server={"port": 1, "host": "192.0.2.1"})  # no machine has this address
    done = finance.attempt("serve")
    assert done.returncode == 2
    assert "cannot listen on 192.0.2.1" in done.stderr
    eventually(lambda: not left(finance))


def left(department: Department) -> list[psutil.Process]:
    """The processes that name a department's configuration and have not ended."""
    found = psutil.process_iter(["cmdline"])
    named = [process for process in found if str(department.config) in (process.info["cmdline"] or ())]
    return [process for process in named if not is_over(process)]
