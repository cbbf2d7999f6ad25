"""What another process compiles is compiled once, and only where nothing was compiled before."""

import signal
from typing import ClassVar

import pytest

from twosided._compile import INTERPRETED
from twosided.app import warm_up
from twosided.app.demo import STRATEGIES
from twosided.engines.replay_kernel import advance


class Process:
    """Stands in for another process and says what was done with it."""

    done: ClassVar[list[str]] = []

    def __init__(self, target, args, daemon):
        assert target is warm_up.compile_replay
        assert args == (STRATEGIES,)
        assert daemon

    def start(self):
        self.done.append("start")

    def join(self):
        self.done.append("join")

    def terminate(self):
        self.done.append("terminate")


@pytest.fixture
def processes(monkeypatch, tmp_path):
    monkeypatch.setenv("TWOSIDED_CACHE", str(tmp_path))
    monkeypatch.setattr(warm_up, "get_context", lambda _method: type("Context", (), {"Process": Process}))
    monkeypatch.setattr(Process, "done", [])
    return Process.done


@pytest.mark.skipif(INTERPRETED, reason="nothing is compiled")
def test_an_empty_cache_is_filled_by_another_process(processes):
    with warm_up.warmed_up(STRATEGIES):
        assert processes == ["start"]
    assert processes == ["start", "join", "terminate"]


def test_the_other_process_does_not_outlive_a_failure_here(processes):
    with pytest.raises(KeyboardInterrupt), warm_up.warmed_up(STRATEGIES):
        raise KeyboardInterrupt
    assert "join" not in processes


def test_a_full_cache_is_left_alone(processes, tmp_path):
    (tmp_path / f"{advance.__name__}-0.bin").touch()
    with warm_up.warmed_up(STRATEGIES):
        pass
    assert processes == []


def test_all_strategies_of_the_demo_can_be_compiled_without_data():
    before = signal.getsignal(signal.SIGINT)
    try:
        warm_up.compile_replay(STRATEGIES)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert warm_up.is_compiled()
    finally:
        signal.signal(signal.SIGINT, before)
