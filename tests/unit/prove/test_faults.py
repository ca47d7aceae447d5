"""The choice of faults, and when they strike and are made good."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, cast

import pytest

from pipeline.errors import ConfigurationError
from pipeline.prove import injector as injector_module
from pipeline.prove.fault import Cure, Fault, NotNow
from pipeline.prove.faults import FAULTS, chosen
from pipeline.prove.injector import Injector

if TYPE_CHECKING:
    from pipeline.prove.world import World


def test_all_none_and_some() -> None:
    assert chosen("all") == tuple(FAULTS)
    assert chosen("none") == ()
    assert chosen("worker-kill, redis-flush,worker-kill") == ("worker-kill", "redis-flush")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("redis-flsh", "Did you mean redis-flush?"),
        ("al", "Did you mean all?"),
        ("xyz", "There are relay-kill, "),
        ("", "--faults is empty"),
    ],
)
def test_an_unknown_one_is_refused_with_a_suggestion(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message.replace("?", r"\?")):
        chosen(text)


class Scene:
    """A world in which faults only leave their names, at a time that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.told: list[str] = []
        self.noted: list[str] = []
        faults = {
            "pause": Fault("", self._pause, "redis"),
            "flush": Fault("", lambda *_: self.told.append("flush"), "redis"),
            "never": Fault("", self._never),
            "kill": Fault("", lambda *_: self.told.append("kill")),
        }
        monkeypatch.setattr(injector_module, "FAULTS", faults)

    def injector(self, *names: str) -> Injector:
        world = cast("World", None)
        return Injector(
            world, names, random.Random(1), gap=1.0, clock=lambda: self.now, note=self.noted.append
        )

    def _pause(self, *_: object) -> Cure:
        self.told.append("pause")
        return Cure(10.0, lambda: self.told.append("resume"))

    def _never(self, *_: object) -> None:
        raise NotNow

    def pass_(self, injector: Injector, seconds: int) -> None:
        for _ in range(seconds * 10):
            self.now += 0.1
            injector.step()


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(monkeypatch)


def test_every_kind_strikes_before_any_strikes_again(scene: Scene) -> None:
    injector = scene.injector("kill", "flush")
    scene.pass_(injector, 40)
    strikes = scene.told[: len(scene.told) // 2 * 2]
    assert len(strikes) > 20
    assert all(set(strikes[at : at + 2]) == {"kill", "flush"} for at in range(0, len(strikes), 2))
    assert injector.struck.total() == len(scene.told)


def test_one_fault_at_a_time_for_a_server(scene: Scene) -> None:
    injector = scene.injector("pause", "flush")
    scene.pass_(injector, 60)
    at = scene.told.index("pause")
    assert scene.told[at + 1] == "resume"


def test_what_finds_nothing_to_strike_does_not_count(scene: Scene) -> None:
    injector = scene.injector("never")
    scene.pass_(injector, 10)
    assert injector.struck["never"] == 0


def test_everything_is_made_good_in_the_end(scene: Scene) -> None:
    injector = scene.injector("pause")
    scene.pass_(injector, 3)
    injector.heal_all()
    assert scene.told == ["pause", "resume"]
    assert scene.noted == ["pause", "pause made good"]
    injector.heal_all()
    assert scene.told == ["pause", "resume"]


def test_without_faults_nothing_strikes(scene: Scene) -> None:
    injector = scene.injector()
    scene.pass_(injector, 10)
    assert scene.told == []
