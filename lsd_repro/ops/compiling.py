"""The one place that compiles: with the rewrites, which nothing else registers."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Callable, Union

from lsd_repro.ops import CONVOLUTION, PATCH_ENERGY
from lsd_repro.ops.fuse import FusePatchEnergy
from lsd_repro.ops.fuse_network import FuseNetwork
from lsd_repro.runtime.load import TensorVariable, theano


def compile_function(inputs: Sequence[TensorVariable], outputs: Union[TensorVariable, Sequence[TensorVariable]],
                     **options) -> Callable[..., Any]:
    """Compile a graph with the fused Ops in it, wherever they fit.

    Parameters
    ----------
    inputs, outputs, **options
        As for `theano.function`.  A mode, or Theano's ``optimizer_excluding``, can leave out
        rewrites by their names, `lsd_repro.ops.REWRITES`.

    Returns
    -------
    function
    """
    register()
    return theano.function(inputs, outputs, **options)


@cache
def register() -> None:
    """Make the rewrites known to Theano, for all that is compiled from then on; once is enough."""
    # Before everything but the merging of what is the same, at 0: Theano has simplified nothing yet.
    for place, name, rewrite in ((0.1, PATCH_ENERGY, FusePatchEnergy), (0.2, CONVOLUTION, FuseNetwork)):
        theano.compile.mode.optdb.register(name, rewrite(), place, "fast_run")
