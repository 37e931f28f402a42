"""Who takes part in what."""

import importlib.util
import os
from dataclasses import dataclass, field
from typing import Any, Optional

from lsd_repro import ops

OURS, PLAIN = "ours", "plain Theano"
# As nobody starts PyTorch; but it shows how much of its time the system takes for clearing pages.
KEEPING = "memory-keeping"
KEEP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2 ** 62)}  # glibc's


@dataclass(frozen=True)
class Contender:
    """Something to measure, in a process of its own.

    Attributes
    ----------
    name : str
    factory : str
        ``module:function``, which is called with `arguments` and returns the function
        that takes a step and returns a number.
    arguments : dict
        As JSON has it.
    environment : dict
        What the process has in addition to this one's variables.
    """

    name: str
    factory: str
    arguments: dict[str, Any]
    environment: dict[str, str] = field(default_factory=dict)


def for_step(part: str, width: Optional[str], size: tuple[int, int], apart: bool = False) -> list[Contender]:
    """The contenders for a part of the step.

    Parameters
    ----------
    part, width, size
        As in `lsd_repro.bench.theano_step.make`.
    apart : bool
        For the whole step, each of our Ops without the other as well.

    Returns
    -------
    list of Contender
        Ours is the first.
    """
    arguments = {"part": part, "width": width, "size": size}

    def theano(name, *excluded):
        environment = {}
        if excluded:
            users = os.environ.get("THEANO_FLAGS")
            environment["THEANO_FLAGS"] = ",".join(filter(None, [users, f"optimizer_excluding={':'.join(excluded)}"]))
        return Contender(name, "lsd_repro.bench.theano_step:make", arguments, environment)

    def torch(layout, prior_layout=None, keep_freed=False):
        name = f"PyTorch {layout}" + (f", prior {prior_layout}" if prior_layout else "")
        layouts = {"network_layout": layout, "prior_layout": prior_layout or layout}
        return Contender(f"{KEEPING} {name}" if keep_freed else name, "lsd_repro.bench.torch_step:make",
                         {**arguments, **layouts}, KEEP if keep_freed else {})

    found = [theano(OURS), theano(PLAIN, *ops.REWRITES)]
    if apart and part == "whole":
        found += [theano("fused prior only", ops.CONVOLUTION), theano("fast convolutions only", ops.PATCH_ENERGY)]
    if has_torch():
        found += [torch("NCHW"), torch("channels_last")]
        if part == "whole":  # network and prior may be faster in different layouts
            found += [torch("NCHW", "channels_last"), torch("channels_last", "NCHW"),
                      torch("channels_last", "NCHW", keep_freed=True)]
    return found


def for_sgemm() -> list[Contender]:
    """A contender for each BLAS that is here; its number is its rate."""
    from lsd_repro.bench.problem import LIBRARIES

    return [Contender(library, "lsd_repro.bench.problem:sgemm", {"library": library})
            for library in LIBRARIES if library != "PyTorch" or has_torch()]


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None
