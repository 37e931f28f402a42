"""Puts `PatchEnergy` where a graph holds the plain energy of a patch prior, or its gradient.

What to look for is not written down here: the pattern of the energy is what
`lsd_repro.prior.energy` makes of stand-ins for picture and prior, and that of the
gradient is what ``T.grad`` makes of this.  The rewrite runs before Theano simplifies
anything, when a graph still is as these two have written it.

Whoever changes the meaning of an energy there must change it in ``patch_energy.hpp``,
too; ``tests/ops`` holds them against each other.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from lsd_repro.ops import PATCH_ENERGY
from lsd_repro.ops.patch_energy import PatchEnergy
from lsd_repro.ops.pattern import Constant, Pattern
from lsd_repro.prior.energy import ENERGIES, patch_energy
from lsd_repro.prior.store import PatchPrior
from lsd_repro.program2015 import GREY_OFFSET
from lsd_repro.runtime.load import T, runs_on_cpu, theano


class EnergyPattern(Pattern):
    """Energy and gradient of stand-ins, to be found in a graph.

    Parameters
    ----------
    kind : {"student", "gaussian"}
    picture_type : TensorType
    filters_shape : (components, channels, size, size)
    """

    def __init__(self, kind: str, picture_type: Any, filters_shape: tuple[int, int, int, int]) -> None:
        components, channels, size, _ = filters_shape
        stand_in = PatchPrior(kind, np.zeros((size, size, channels, components)), np.zeros(components))
        self.kind = kind
        self.x = picture_type()
        with theano.config.change_flags(floatX=picture_type.dtype):
            energy = patch_energy(stand_in)(self.x)
        constants = (v for v in theano.graph.basic.graph_inputs([energy]) if isinstance(v, Constant))
        arrays = {v.ndim: v for v in constants if v.ndim}
        self.filters, self.mean = arrays[4], arrays[1]
        super().__init__((self.x, self.filters, self.mean), energy, self.x)


class FusePatchEnergy(theano.graph.opt.GlobalOptimizer):
    """The rewrite: energy and gradient of one picture under one prior become one `PatchEnergy`."""

    def apply(self, fgraph: Any) -> None:
        nodes = fgraph.toposort()
        fused = {}
        replacements = []

        def fuse(pattern, found):
            inputs = found[pattern.x], found[pattern.filters], found[pattern.mean]
            key = (pattern.kind, *inputs)
            if key not in fused:
                x, filters, mean = inputs
                if pattern.kind == "gaussian":  # without DC, the last
                    filters, mean = filters[:-1], mean[:-1]
                fused[key] = PatchEnergy(pattern.kind)(x - GREY_OFFSET, filters, mean)
            return fused[key]

        for pattern in patterns(nodes):
            for variable in (output for node in nodes for output in node.outputs):
                found = pattern.match(pattern.output, variable)
                if found:
                    replacements.append((variable, fuse(pattern, found)[0]))
                found = pattern.match(pattern.gradient, variable)
                if found:
                    replacements.append((variable, found[pattern.upstream] * fuse(pattern, found)[1]))
        for old, new in replacements:
            theano.graph.opt.copy_stack_trace(old, new)
        fgraph.replace_all_validate(replacements, reason=PATCH_ENERGY)


def patterns(nodes: Sequence[Any]) -> Iterator[EnergyPattern]:
    """Patterns for the convolutions among `nodes` that a prior may have made."""
    if not theano.config.cxx or not runs_on_cpu():  # PatchEnergy exists only in C, and for the CPU
        return
    seen = set()
    for node in nodes:
        if not isinstance(node.op, T.nnet.abstract_conv.AbstractConv2d) or not isinstance(node.inputs[1], Constant):
            continue
        picture, filters = node.inputs
        # A pattern is as large as its filters: none is made for those of the network, which are neither flipped nor "valid".
        true_convolution = T.nnet.conv2d(picture, filters, filter_shape=filters.data.shape).owner.op
        if picture.broadcastable[0] and node.op == true_convolution:
            seen.add((picture.type, filters.data.shape))
    for picture_type, shape in seen:
        for kind in ENERGIES:
            yield _pattern(kind, picture_type, shape)


_pattern = lru_cache(maxsize=None)(EnergyPattern)
