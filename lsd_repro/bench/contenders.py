"""Who takes part in what."""

import importlib.util
import os
from dataclasses import dataclass, field

OURS, PLAIN = "ours", "plain Theano"
# The tags of our rewrites (`lsd_repro.ops`).  Excluding one that does not exist has no effect.
PRIOR_TAG, CONVOLUTION_TAG = "fuse_patch_energy", "fuse_conv3x3"


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
    arguments: dict
    environment: dict = field(default_factory=dict)


def for_step(part, width, size, apart=False):
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
        flags = ",".join(filter(None, [os.environ.get("THEANO_FLAGS"), f"optimizer_excluding={':'.join(excluded)}"]))
        return Contender(name, "lsd_repro.bench.theano_step:make", arguments, {"THEANO_FLAGS": flags} if excluded else {})

    def torch(name, network_layout, prior_layout):
        return Contender(f"PyTorch {name}", "lsd_repro.bench.torch_step:make",
                         {**arguments, "network_layout": network_layout, "prior_layout": prior_layout})

    found = [theano(OURS), theano(PLAIN, PRIOR_TAG, CONVOLUTION_TAG)]
    if apart and part == "whole":
        found += [theano("fused prior only", CONVOLUTION_TAG), theano("fast convolutions only", PRIOR_TAG)]
    if has_torch():
        found += [torch("NCHW", "NCHW", "NCHW"), torch("channels_last", "channels_last", "channels_last")]
        if part == "whole":  # each part may be faster in another layout
            found += [torch("mixed", "channels_last", "NCHW"), torch("mixed (prior last)", "NCHW", "channels_last")]
    return found


def for_sgemm():
    """A contender for each BLAS that is here; its number is its rate."""
    from lsd_repro.bench.sgemm import LIBRARIES

    return [Contender(library, "lsd_repro.bench.sgemm:make", {"library": library})
            for library in LIBRARIES if library != "PyTorch" or has_torch()]


def has_torch():
    return importlib.util.find_spec("torch") is not None
