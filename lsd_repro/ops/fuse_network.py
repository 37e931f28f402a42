"""Puts the Ops of `lsd_repro.ops.convolution` where a graph holds layers of VGG-16, or their gradient.

Only the gradient with respect to a layer's picture is known here; one with respect to
weights stays as it is.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any, NamedTuple

from lsd_repro.ops import CONVOLUTION
from lsd_repro.ops.convolution import PICTURE, RectifiedCorrelation, RectifiedCorrelationGradient, WinogradFilters
from lsd_repro.ops.pattern import Pattern
from lsd_repro.runtime.load import T, TensorVariable, lasagne, runs_on_cpu, theano

CHANNELS_LAST, CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
# Anything else among the properties of a convolution is another operation.
CORRELATION: dict[str, Any] = {
    "border_mode": ((1, 1), (1, 1)), "subsample": (1, 1), "filter_flip": False, "filter_dilation": (1, 1),
    "num_groups": 1, "unshared": False}


class Layer(NamedTuple):
    """A pattern, and the Ops that compute the same.

    Attributes
    ----------
    pattern : Pattern
    stand_ins : tuple of symbolic variables
        Picture, filters and bias of `pattern`.
    window : {1, 2}
        As in `RectifiedCorrelation`.
    """

    pattern: Pattern
    stand_ins: tuple[TensorVariable, ...]
    window: int


@cache
def layers(op: Any, picture_type: Any, weight_type: Any) -> list[Layer]:
    """Layers around a correlation: with a max-pool and without, or none where it is not one by 3x3."""
    weight_shape = op.kshp or (None, None)
    if tuple(weight_shape[-2:]) != (3, 3) or picture_type.broadcastable != PICTURE:
        return []
    if any(getattr(op, name) not in (value, value[0] if name == "border_mode" else value)
           for name, value in CORRELATION.items()):
        return []
    x, weight, bias = picture_type("x"), weight_type("weight"), T.TensorType(weight_type.dtype, [False])("bias")
    y = lasagne.nonlinearities.rectify(op(x, weight) + bias.dimshuffle("x", 0, "x", "x"))
    pooled = T.signal.pool.pool_2d(y, (2, 2), ignore_border=True)
    stand_ins = x, weight, bias
    return [Layer(Pattern(stand_ins, output, x), stand_ins, window) for output, window in ((pooled, 2), (y, 1))]


class FusedGraph:
    """What stands in for the variables of a graph, pictures with their channels last; nothing is made twice."""

    def __init__(self) -> None:
        self.replaced: dict[TensorVariable, TensorVariable] = {}
        self.channels_last = lru_cache(maxsize=None)(self._channels_last)
        self.filters = lru_cache(maxsize=None)(WinogradFilters())
        self.forward = lru_cache(maxsize=None)(self._forward)

    def _channels_last(self, variable):
        return self.replaced.get(variable, variable).dimshuffle(CHANNELS_LAST)

    def _forward(self, window, x, weight, bias):
        return RectifiedCorrelation(window)(self.channels_last(x), self.filters(weight), bias)

    def replace(self, variable: TensorVariable, wanted: Iterable[Layer]) -> None:
        """Add a variable, after all that it is computed from, if one of the `wanted` layers computes it."""
        for layer in wanted:
            pattern = layer.pattern
            for root in pattern.output, pattern.gradient:
                found = pattern.match(root, variable)
                if not found:
                    continue
                x, weight, bias = (found[stand_in] for stand_in in layer.stand_ins)
                new, bits = self.forward(layer.window, x, weight, bias)
                if root is pattern.gradient:
                    upstream, size = self.channels_last(found[pattern.upstream]), self.channels_last(x).shape[1:3]
                    new = RectifiedCorrelationGradient(layer.window)(upstream, bits, self.filters(weight), size)
                self.replaced[variable] = new.dimshuffle(CHANNELS_FIRST)
                return


class FuseNetwork(theano.graph.opt.GlobalOptimizer):
    """The rewrite."""

    def apply(self, fgraph: Any) -> None:
        if not theano.config.cxx or not runs_on_cpu():  # the Ops exist only in C++, and for the CPU
            return
        nodes = fgraph.toposort()
        correlations = [node for node in nodes if isinstance(node.op, T.nnet.abstract_conv.AbstractConv2d)]
        # The larger patterns first.
        wanted = sorted({layer for node in correlations for layer in layers(node.op, *(x.type for x in node.inputs))},
                        key=lambda layer: -layer.window)
        graph = FusedGraph()
        for variable in (output for node in nodes for output in node.outputs):
            graph.replace(variable, wanted)
        for old, new in graph.replaced.items():
            theano.graph.opt.copy_stack_trace(old, new)
        fgraph.replace_all_validate(list(graph.replaced.items()), reason=CONVOLUTION)
