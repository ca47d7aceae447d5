"""Which records may be edited: those that nobody edited for as long as an edit takes to settle."""

from __future__ import annotations

from pipeline.demo.calm import USUAL_SECONDS, Calm
from tests.fixtures.clock import Clock


class Watch:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.clock = Clock()

    def __call__(self) -> float:
        return self.clock.now.timestamp()


def test_a_record_in_use_is_not_given_again() -> None:
    watch = Watch()
    calm = Calm(watch)
    assert calm.claim("A")
    watch.clock.advance(USUAL_SECONDS - 0.1)
    assert not calm.claim("A")
    assert calm.claim("B")
    watch.clock.advance(0.1)
    assert calm.claim("A")


def test_slow_turns_make_everybody_wait_longer() -> None:
    watch = Watch()
    calm = Calm(watch)
    calm.turned(2.0)
    assert calm.claim("A")
    watch.clock.advance(USUAL_SECONDS + 10)
    assert not calm.claim("A")
    for _ in range(200):  # it is forgotten
        calm.turned(0.0)
    assert calm.claim("A")
