"""Contenders in processes of their own, in turn."""

import pytest
from trivial_contenders import contender

from lsd_repro.bench import race as race_module
from lsd_repro.bench import worker
from lsd_repro.bench.race import race


def run(*contenders, repeats=3, threads=1, **kwargs):
    results = {}
    assert list(race(contenders, repeats, threads, results, **kwargs)) == list(range(1, repeats + 1))
    return results


def test_contenders_take_turns(tmp_path):
    log = tmp_path / "log"
    results = run(*(contender(name, "steady", value=2.5, log=str(log), entry=name) for name in "abc"))
    assert log.read_text().split() == list("abc") * 4  # the first to warm up
    for found in results.values():
        assert len(found["seconds"]) == 3 and min(found["seconds"]) > 0
        assert found["values"] == [2.5] * 3
        assert 1 < found["peak MiB"] < 200
        assert "failed" not in found


@pytest.mark.parametrize("how, at, words, rounds", [
    ("raise", 0, "RuntimeError: out of luck", 0), ("raise", 2, "RuntimeError: out of luck", 1),
    ("kill", 2, "not enough memory, it seems: the system killed it", 1), ("leave", 3, "status 3: last words", 2),
    ("memory", 1, "not enough memory", 0)])
def test_one_that_fails_is_reported_and_the_others_go_on(how, at, words, rounds):
    results = run(contender("a", "steady", value=1.0), contender("b", "failing", at=at, how=how, value=1.0),
                  contender("c", "steady", value=1.0))
    assert words in results["b"]["failed"]
    assert len(results["b"]["seconds"]) == rounds
    for name in "ac":
        assert len(results[name]["seconds"]) == 3 and "failed" not in results[name]


def test_one_that_cannot_start_is_reported_in_a_line():
    results = run(contender("a", "broken"), contender("b", "absent"), contender("c", "steady", value=1.0))
    assert results["a"]["failed"] == "ValueError: no such thing"
    assert "absent" in results["b"]["failed"]
    assert len(results["c"]["seconds"]) == 3


def test_one_that_computes_something_else_is_left_out():
    found = [contender("a", "steady", value=-20.0), contender("b", "steady", value=-20.001),
             contender("c", "steady", value=-20.01), contender("d", "steady", value=float("nan"))]
    results = run(*found)
    assert "failed" not in results["b"]
    assert results["c"]["failed"] == "computes something else: -20.01, not -20"
    assert "computes something else" in results["d"]["failed"]
    assert not any("failed" in result for result in run(*found, agree=False).values())


def test_what_a_contender_prints_is_no_answer():
    assert run(contender("a", "chatty"))["a"]["values"] == [1.0] * 3


def test_contenders_have_the_threads_asked_for():
    assert run(contender("a", "threads"), threads=3)["a"]["values"] == [33.0] * 3


def test_peak_memory_is_that_of_the_process_alone():
    ballast = bytearray(400 << 20)
    ballast[::4096] = b"x" * (400 << 8)
    results = run(contender("a", "megabytes", count=0), contender("b", "megabytes", count=200))
    assert results["a"]["peak MiB"] < 200
    assert results["b"]["peak MiB"] - results["a"]["peak MiB"] == pytest.approx(200, abs=20)


def test_what_does_not_fit_into_memory_together_runs_alone(monkeypatch, tmp_path):
    log = tmp_path / "log"
    found = [contender(name, "steady", value=1.0, log=str(log), entry=name) for name in "ab"]
    monkeypatch.setattr(race_module, "available_memory", lambda: worker.MARGIN + 1)
    results = run(*found, repeats=2)
    # Every turn has a warm-up of its own.
    assert log.read_text().split() == list("ab") + list("aabb") * 2
    assert all(len(result["seconds"]) == 2 for result in results.values())


def test_a_contender_is_held_to_the_memory_there_is(monkeypatch):
    monkeypatch.setattr(worker, "available_memory", lambda: worker.MARGIN + (300 << 20))
    results = run(contender("a", "megabytes", count=100), contender("b", "megabytes", count=400))
    assert "failed" not in results["a"]
    assert results["b"]["failed"] == "not enough memory"


def test_no_process_stays_behind():
    started = []
    start = worker.Worker.start

    def watch(one):
        answer = start(one)
        started.append(one._process)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.Worker, "start", watch)
        rounds = race([contender("a", "steady", value=1.0), contender("b", "steady", value=1.0)], 5, 1, {})
        next(rounds)
        assert [one.poll() for one in started] == [None, None]
        rounds.close()
    assert all(one.poll() is not None for one in started)
