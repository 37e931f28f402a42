"""A measurement with numbers that were made up, for what is made of them."""

import copy


def race(part, width, size, times, peaks):
    rates = (90, 95, 80), (100, 100, 200)
    return {"part": part, "width": width, "size": list(size), "operations": 400 * GIGA, "rounds": 3,
            "contenders": {name: {"seconds": list(times[name]), "values": [1.0] * 3, "peak MiB": peaks[name]}
                           for name in times},
            "sgemm": {library: {"seconds": [1.0] * 3, "values": [rate * GIGA for rate in values], "peak MiB": 1.0}
                      for library, values in zip(("scipy", "PyTorch"), rates)}}


# At 100, 100 and 200 operations a second, 400 take 4, 4 and 2 seconds; here they are in billions.
GIGA = 1e9
TIMES = {"ours": (10, 12, 8), "plain Theano": (20, 18, 40),
         "PyTorch NCHW": (30, 26, 22), "PyTorch channels_last": (20, 20, 20)}
PEAKS = {"ours": 300.0, "plain Theano": 600.0, "PyTorch NCHW": 500.0, "PyTorch channels_last": 1000.0}


def result(races):
    machine = {"processor": "Abacus", "cores": 2, "OpenBLAS kernel": "Beads", "system": "Linux", "memory GiB": 8}
    return {"machine": machine, "versions": {}, "threads": 2, "repeats": 3, "races": races}


def complete():
    """Both networks at two sizes."""
    races = []
    for size in ((480, 272), (840, 472)):
        races.append(race("prior", None, size, TIMES, PEAKS))
        for width in ("shipped", "full"):
            races += [race(part, width, size, TIMES, PEAKS) for part in ("network", "whole")]
    return result(races)


def without_pytorch():
    found = copy.deepcopy(complete())
    for one in found["races"]:
        one["contenders"] = {name: value for name, value in one["contenders"].items() if "PyTorch" not in name}
    return found
