"""Puts the Ops of `lsd_repro.ops.convolution` where a graph holds layers of VGG-16, or their gradient.

Only the gradient with respect to a layer's picture is known here; one with respect to
weights stays as it is.
"""

from functools import lru_cache
from typing import NamedTuple

from lsd_repro.ops.convolution import (PICTURE, MaxPool, MaxPoolGradient, RectifiedCorrelation,
                                       RectifiedCorrelationGradient, WinogradFilters)
from lsd_repro.ops.pattern import Pattern
from lsd_repro.stack import T, lasagne, runs_on_cpu, theano

NAME = "fuse_conv3x3"

CHANNELS_LAST, CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
# Anything else among the properties of a convolution is another operation.
CORRELATION = {"border_mode": ((1, 1), (1, 1)), "subsample": (1, 1), "filter_flip": False, "filter_dilation": (1, 1),
               "num_groups": 1, "unshared": False}


class Layer(NamedTuple):
    """A pattern, and the Ops that compute the same.

    Attributes
    ----------
    pattern : Pattern
    stand_ins : tuple of symbolic variables
        Of `pattern`, the picture first.
    output : function
        From what the stand-ins stand for, the picture with its channels last, to the output.
    gradient : function
        From the upstream gradient and the same to the gradient.
    """

    pattern: Pattern
    stand_ins: tuple
    output: object
    gradient: object


@lru_cache(maxsize=None)
def rectified_correlation(op, picture_type, weight_type):
    """The layer around a correlation: None where it is not one by 3x3."""
    weight_shape = op.kshp or (None, None)
    if tuple(weight_shape[-2:]) != (3, 3) or picture_type.broadcastable != PICTURE:
        return None
    if any(getattr(op, name) not in (value, value[0] if name == "border_mode" else value)
           for name, value in CORRELATION.items()):
        return None
    x, weight, bias = picture_type("x"), weight_type("weight"), T.TensorType(weight_type.dtype, [False])("bias")
    y = lasagne.nonlinearities.rectify(op(x, weight) + bias.dimshuffle("x", 0, "x", "x"))

    def output(x, weight, bias):
        return RectifiedCorrelation()(x, WinogradFilters()(weight), bias)

    def gradient(upstream, x, weight, bias):
        return RectifiedCorrelationGradient()(upstream, output(x, weight, bias), WinogradFilters()(weight))

    return Layer(Pattern((x, weight, bias), y, x), (x, weight, bias), output, gradient)


@lru_cache(maxsize=None)
def max_pool(op, picture_type):
    """The layer of a max-pool: None where it is not one by 2x2."""
    if op.mode != "max" or not op.ignore_border or op.ndim != 2 or picture_type.broadcastable != PICTURE:
        return None
    x = picture_type("x")
    y = T.signal.pool.pool_2d(x, (2, 2), ignore_border=True)

    def gradient(upstream, x):
        return MaxPoolGradient()(x, MaxPool()(x), upstream)

    return Layer(Pattern((x,), y, x), (x,), MaxPool(), gradient)


def layers(nodes):
    """What is to be looked for among `nodes`."""
    for node in nodes:
        types = [variable.type for variable in node.inputs]
        if isinstance(node.op, T.nnet.abstract_conv.AbstractConv2d):
            yield rectified_correlation(node.op, *types)
        elif isinstance(node.op, T.signal.pool.Pool):
            yield max_pool(node.op, types[0])


class FuseNetwork(theano.graph.opt.GlobalOptimizer):
    """The rewrite."""

    def apply(self, fgraph):
        if not theano.config.cxx or not runs_on_cpu():  # the Ops exist only in C++, and for the CPU
            return
        nodes = fgraph.toposort()
        wanted = {layer for layer in layers(nodes) if layer}
        replaced = {}

        def channels_last(variable):
            return replaced.get(variable, variable).dimshuffle(CHANNELS_LAST)

        # In this order what an expression is computed from has been replaced before it.
        for variable in (output for node in nodes for output in node.outputs):
            for layer in wanted:
                pattern = layer.pattern
                for root, fused in ((pattern.output, layer.output), (pattern.gradient, layer.gradient)):
                    found = pattern.match(root, variable)
                    if found:
                        x, *others = (found[stand_in] for stand_in in layer.stand_ins)
                        upstream = [channels_last(found[pattern.upstream])] if root is pattern.gradient else []
                        replaced[variable] = fused(*upstream, channels_last(x), *others).dimshuffle(CHANNELS_FIRST)
        for old, new in replaced.items():
            theano.graph.opt.copy_stack_trace(old, new)
        fgraph.replace_all_validate(list(replaced.items()), reason=NAME)


# Beside the other of the kind, before Theano simplifies anything.
theano.compile.mode.optdb.register(NAME, FuseNetwork(), 0.2, "fast_run")
