"""The same gradient and steps on two devices, compared: does a GPU compute what the CPU does?

Theano fixes its device on import, so each side is measured in a process of its own, which
is this module run as a program.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Floats
from lsd_repro.material import files, shipped
from lsd_repro.program2015 import STREAM
from lsd_repro.runtime import device
from lsd_repro.runtime.flags import overridden
from lsd_repro.runtime.provenance import versions

# All of the stream's scales fit; small, as float64 is slow on most GPUs.
GRADIENT_SIZE = (264, 256)

# On the largest deviation in float64, in float32 on their root mean square.
LIMITS = {"float64": 1e-9, "float32": 1e-5}

# On a gradient's in float32: where a ReLU or a max-pool is near a tie, a rounding error sends it elsewhere.  An H200 was
# 1.7e-4 from the CPU, which was as far from its own gradient in float64.
GRADIENT_LIMIT = 1e-3


def verify(name: str, out: files.PathLike, steps: int = 10, size: tuple[int, int] = (STREAM.width, STREAM.height),
           gradient_size: tuple[int, int] = GRADIENT_SIZE) -> dict[str, Any]:
    """Measure the small shipped network with the prior on the CPU and on a device, and compare.

    Parameters
    ----------
    name : str
        The device; whether it exists is up to the caller to check.
    out : path
        The JSON file that everything goes into.
    steps : int
        Timed steps, after one that is not timed.
    size : (width, height)
        Of the picture of the timed steps.
    gradient_size : (width, height)
        Of the picture whose gradient is compared.

    Returns
    -------
    dict
        What the file holds.
    """
    measured = [_measure_apart(side, steps, size, gradient_size) for side in ("cpu", name)]
    (cpu_arrays, cpu_seconds), (arrays, seconds) = measured
    deviations = [{"quantity": quantity, **deviation(arrays[quantity], cpu_arrays[quantity], quantity.startswith("gradient"))}
                  for quantity in sorted(cpu_arrays)]
    result = {
        "versions": versions(), "machine": platform.platform(), "cores": os.cpu_count(), "device": name,
        "pieces": dict(device.rows()),
        "deviations": deviations, "within the limits": all(one["within"] for one in deviations),
        "picture of the gradient": "{}x{}".format(*gradient_size), "picture of the steps": "{}x{}".format(*size),
        "seconds per step": {"cpu": cpu_seconds, "device": seconds}}
    files.write_json(out, result)
    return result


def deviation(ours: Floats, theirs: Floats, gradient: bool = False) -> dict[str, Any]:
    """How far an array is from another, relative to the other's largest magnitude.

    Parameters
    ----------
    ours, theirs : ndarray
    gradient : bool
        Whether they are gradients, for which ties make a difference in float32.

    Returns
    -------
    dict
        ``"dtype"``, ``"largest"``, ``"rms"``, which of these is ``"held"`` to the ``"limit"``, and
        whether it is ``"within"``.
    """
    dtype = str(theirs.dtype)
    difference = np.abs(np.asarray(ours, float) - theirs) / np.abs(theirs).max()
    found = {"largest": float(difference.max()), "rms": float(np.sqrt(np.mean(difference ** 2)))}
    held = "largest" if dtype == "float64" else "rms"
    limit = GRADIENT_LIMIT if gradient and dtype == "float32" else LIMITS[dtype]
    within = ours.dtype == theirs.dtype and found[held] <= limit
    return {"dtype": dtype, **found, "held": held, "limit": limit, "within": bool(within)}


def table(result: dict[str, Any]) -> str:
    """What `verify` found, as text for people."""
    lines = [f"{'':20} {'largest':>9} {'rms':>9}   of the CPU's largest value, "
             f"picture of {result['picture of the gradient']}"]
    for one in result["deviations"]:
        lines.append(f"{one['quantity']:20} {one['largest']:9.2g} {one['rms']:9.2g}   "
                     f"{one['held']} {'within' if one['within'] else 'BEYOND'} {one['limit']:g}")
    lines += ["", f"seconds per step, picture of {result['picture of the steps']}, float32, median of "
                  f"{len(result['seconds per step']['device'])}:"]
    for side, name in (("cpu", "cpu"), ("device", result["device"])):
        lines.append(f"{name:20} {np.median(result['seconds per step'][side]):9.3g}")
    return "\n".join(lines)


def _measure_apart(name, *arguments):
    """`measure` on a device, in another process."""
    flags = overridden(os.getenv("THEANO_FLAGS"), {"device": name})
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "measured.npz")
        done = subprocess.run([sys.executable, "-m", __spec__.name, json.dumps([str(out), *arguments])],
                              env={**os.environ, "THEANO_FLAGS": flags}, stdout=subprocess.PIPE)
        if done.returncode:
            raise InputError(f"the measurement on {name} failed, as said above; "
                             "lsd-repro doctor says more")
        with np.load(out) as arrays:
            found = dict(arrays)
    return found, found.pop("seconds").tolist()


def measure(out: files.PathLike, steps: int, size: tuple[int, int], gradient_size: tuple[int, int]) -> None:
    """Measure on the device of this process, and write the arrays to `out`.

    Parameters
    ----------
    out : path
        An .npz file with gradient, logits and loss in both precisions, and the ``seconds`` of each step.
    steps, size, gradient_size
        As for `verify`.
    """
    from lsd_repro.film.start import load_start
    from lsd_repro.network import matconvnet
    from lsd_repro.prior import store
    from lsd_repro.prior.energy import multiscale, patch_energy
    from lsd_repro.step.gradient import GradientStep

    network = matconvnet.read(shipped.path(shipped.SMALL))
    energy = multiscale(patch_energy(store.load_kind(shipped.path(shipped.PRIORS), "student")), STREAM.prior_scales)
    bottom, top = 0, len(network.descriptions) - 1

    def make_step(size, dtype):
        return GradientStep(network, energy, load_start(size=tuple(size)), STREAM.learning_rate, STREAM.prior_strength,
                            STREAM.network_scales, dtype)

    arrays = {}
    for dtype in LIMITS:
        terms, gradient, logits = make_step(gradient_size, dtype).evaluate(bottom, top)
        arrays[f"loss {dtype}"] = np.asarray([terms.loss], dtype)
        arrays[f"gradient {dtype}"], arrays[f"logits {dtype}"] = gradient, logits
    step = make_step(size, "float32")
    seconds = []
    for _ in range(steps + 1):
        before = time.perf_counter()
        step.step(bottom, top)
        seconds.append(time.perf_counter() - before)
    files.write_arrays(out, **arrays, seconds=np.asarray(seconds[1:]))


if __name__ == "__main__":
    try:
        measure(*json.loads(sys.argv[1]))
    except InputError as error:
        sys.exit(f"lsd-repro: {error}")
