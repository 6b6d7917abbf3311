import os
import subprocess
import sys
import time

import pytest

from benchmarks.accounting import cpu_ns, cpu_ticks_s, machine_busy_ns, process_tree, rss_mb
from benchmarks.machine import Cores, choose_cores, pinned

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="platform: the accounting is Linux's")


def test_the_process_clock_counts_what_the_stat_file_counts():
    used_s = time.process_time()
    assert cpu_ns(os.getpid()) / 1e9 >= used_s
    # Ticks are sampled, and on a busy virtual machine a quarter of them goes missing; a wrong unit is off 1000 x.
    assert cpu_ns(os.getpid()) / 1e9 == pytest.approx(cpu_ticks_s(os.getpid()), abs=0.5, rel=0.6)


def test_a_tree_holds_its_children_and_their_memory():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in process_tree(os.getpid())
        assert process_tree(child.pid) == (child.pid,)
        assert 0 < rss_mb(child.pid) < rss_mb(os.getpid())
        child.communicate(b"\n")


def test_a_root_that_ended_is_an_error():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(ProcessLookupError, match=str(child.pid)):
        cpu_ns(child.pid)


def test_the_machine_is_at_least_as_busy_as_we_were():
    assert machine_busy_ns() > 0


def test_gateways_get_a_core_of_their_own_where_there_are_two():
    cores = choose_cores(frozenset({0, 1, 5}))
    assert cores == Cores(gateway=frozenset({5}), rest=frozenset({0, 1}))
    assert not cores.shared()
    assert choose_cores(frozenset({3})).shared()


def test_pinning_ends_with_its_block():
    before = os.sched_getaffinity(0)
    with pinned(frozenset({min(before)})):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before
