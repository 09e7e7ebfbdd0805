"""What a call's `Cancellation` tells its runs, and who may wait for their outcome."""

import threading

import pytest

from kittentts.errors import StoppedError
from kittentts.runtime.cancellation import Cancellation


def test_a_run_gives_memory_back_only_when_it_is_to():
    key = "memory.enable_memory_arena_shrinkage"
    call = Cancellation(None)
    assert call.run_options(release_memory=True).get_run_config_entry(key) == "cpu:0"
    with pytest.raises(RuntimeError, match=key):
        call.run_options(release_memory=False).get_run_config_entry(key)


def test_to_stop_it_ends_runs_of_both_kinds():
    call = Cancellation(None)
    kinds = [call.run_options(release_memory=release) for release in (False, True)]
    assert [one.terminate for one in kinds] == [False, False]
    call.raise_if_cancelled()
    call.stop()
    assert [one.terminate for one in kinds] == [True, True]
    with pytest.raises(StoppedError, match="closed, or the program ended"):
        call.raise_if_cancelled()


def test_it_runs_while_any_of_its_runs_does():
    call = Cancellation(None)
    assert not call.is_running
    with call.run():
        with call.run():
            assert call.is_running
        assert call.is_running
    assert not call.is_running


def made_in(thread):
    """Return the call that a thread begins, while it waits, and what lets it end."""
    calls, begun, go = [], threading.Event(), threading.Event()

    def work():
        calls.append(Cancellation(None))
        begun.set()
        assert go.wait(60)

    thread = thread(target=work)
    thread.start()
    assert begun.wait(60)

    def end():
        go.set()
        thread.join(60)

    return calls[0], end


def test_a_call_is_abandoned_unless_a_thread_that_python_joins_waits_for_it():
    # the main thread is done when that is asked
    assert Cancellation(None).is_abandoned
    call, end = made_in(threading.Thread)
    assert not call.is_abandoned
    end()
    assert call.is_abandoned
    call, end = made_in(lambda target: threading.Thread(target=target, daemon=True))
    assert call.is_abandoned
    end()


def test_who_goes_on_with_a_call_is_the_one_that_waits():
    call, end = made_in(threading.Thread)
    call.raise_if_cancelled()
    # now it is this thread, the main one
    assert call.is_abandoned
    end()
