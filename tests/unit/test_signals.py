"""Stop: it wakes whoever waits, in a signal handler as in a thread."""

from __future__ import annotations

import os
import select
import signal
import threading

from pipeline.signals import Stop, stop_on_signals


def test_a_signal_requests_the_end_and_wakes_the_waiter() -> None:
    with stop_on_signals() as stop:
        timer = threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGTERM])
        timer.start()
        assert stop.wait(30)
        timer.join()
        assert stop.requested
        assert stop.wait(30)  # stays so


def test_a_repeated_sigterm_changes_nothing() -> None:
    with stop_on_signals() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested


def test_after_the_first_signal_ctrl_c_ends_the_process() -> None:
    with stop_on_signals():
        assert signal.getsignal(signal.SIGINT) is not signal.SIG_DFL
        os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_the_handlers_are_put_back() -> None:
    before = (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
    with stop_on_signals() as stop:
        stop.request()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_without_a_request_it_only_sleeps() -> None:
    stop = Stop()
    assert not stop.wait(0.01)
    assert not stop.requested
    stop.close()


def test_it_is_waited_for_beside_sockets() -> None:
    stop = Stop()
    for _ in range(100_000):  # more requests than the pipe holds
        stop.request()
    assert select.select([stop], [], [], 0)[0] == [stop]
    assert select.select([stop], [], [], 0)[0] == [stop]
    stop.close()
