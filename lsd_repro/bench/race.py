"""Contenders in turn, round by round, each in a process of its own.

Noise of the machine then hits all alike.  What a contender takes from memory is its
process's alone; where not all fit into memory at a time, each is started afresh for
every turn and alone.  One that fails is reported, and the others go on.
"""

from collections.abc import Generator, Sequence
from typing import Any, Callable

from lsd_repro.bench.contenders import Contender
from lsd_repro.bench.worker import MARGIN, MIB, Failed, OutOfMemory, Worker, available_memory

AGREEMENT = 1e-4  # relative; of losses in float32


def race(contenders: Sequence[Contender], repeats: int, threads: int, results: dict[str, dict[str, Any]],
         agree: bool = True, report: Callable[[str], None] = lambda text: None) -> Generator[int, None, None]:
    """Measure contenders in alternation, into `results`.

    Parameters
    ----------
    contenders : sequence of Contender
    repeats : int
        Rounds, after a step of each to warm up.
    threads : int
        Of each contender.
    results : dict
        Is given an entry for each contender and filled as the numbers come: ``"seconds"``,
        ``"values"`` (what its steps returned) and ``"peak MiB"``, or ``"failed"``, why.
    agree : bool
        Whether all must return the same at first, as the first that runs does.

    Yields
    ------
    int
        The number of rounds done, after each.
    """
    workers = {contender.name: Worker(contender, threads) for contender in contenders}
    for name in workers:
        results[name] = {"seconds": [], "values": [], "peak MiB": 0.0}

    def fail(name, why):
        results[name]["failed"] = str(why)
        workers.pop(name).stop()

    try:
        together = prepare(workers, results, fail, agree, report)
        for done in range(repeats):
            for name, worker in list(workers.items()):
                report(f"{name}, round {done + 1} of {repeats}")
                try:
                    answer = worker.step()
                except Failed as why:
                    fail(name, why)
                    continue
                results[name]["seconds"].append(answer["seconds"])
                results[name]["values"].append(answer["value"])
                results[name]["peak MiB"] = max(results[name]["peak MiB"], answer["peak"])
                if not together:
                    worker.stop()
            yield done + 1
    finally:
        for worker in workers.values():
            worker.stop()


def prepare(workers: dict[str, Worker], results: dict[str, Any], fail: Callable[[str, Any], None],
            agree: bool, report: Callable[[str], None]) -> bool:
    """Start every worker, and see that all compute the same; whether they can stay in memory together."""
    available = available_memory()
    together = True
    answers: dict[str, dict[str, Any]] = {}
    for name, worker in list(workers.items()):
        report(f"{name}, preparing")
        try:
            try:
                answer = worker.start()
            except OutOfMemory:
                if not answers or not together:
                    raise
                together = False
                for other in workers.values():
                    other.stop()
                answer = worker.start()
        except Failed as why:
            fail(name, why)
            continue
        if not together:
            worker.stop()
        expected = next(iter(answers.values()))["value"] if answers else answer["value"]
        if agree and not abs(answer["value"] - expected) <= AGREEMENT * abs(expected):
            fail(name, f"computes something else: {answer['value']:.7g}, not {expected:.7g}")
            continue
        answers[name] = answer
        results[name]["peak MiB"] = answer["peak"]
    if together and available is not None and answers:
        at_rest = sum(answer["resident"] for answer in answers.values())
        more = max(answer["peak"] - answer["resident"] for answer in answers.values())
        together = (at_rest + more) * MIB <= available - MARGIN
    if not together:
        for worker in workers.values():
            worker.stop()
    return together
