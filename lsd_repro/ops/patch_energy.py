"""The energy of a patch prior and its gradient as one Op.

As plain expressions (`lsd_repro.prior.energy`) they need several maps of 192 channels,
as large as 64 pictures each, that go through memory a dozen times.  The Op takes a few
rows of patches at a time and does all there is to do to them while they are in the
processor's cache.  ``patch_energy.hpp`` says how.
"""

from collections.abc import Sequence
from typing import Any

from lsd_repro.ops.compiled import CompiledOp
from lsd_repro.program2015 import STUDENT_SCALE
from lsd_repro.runtime.load import T, TensorVariable, theano


class PatchEnergy(CompiledOp):
    """Mean over positions and components of a function of patch filter responses; its gradient.

    With d the responses of true convolution (filters flipped, no padding) minus
    their means, the function is ``log(1 + d^2 / STUDENT_SCALE)`` or ``d^2``.

    Parameters
    ----------
    kind : {"student", "gaussian"}

    Notes
    -----
    Inputs: a picture (1, channels, height, width), filters (components, channels,
    size, size) and means (components,), all float32 or all float64.  Outputs: the
    energy and its gradient with respect to the picture.  Both come to the same bits
    whatever the number of threads, which is OpenMP's (``OMP_NUM_THREADS``).
    """

    __props__ = ("kind",)
    sources = ("multiply.hpp", "patch_energy.hpp")
    function = "patch_energy"

    def __init__(self, kind: str) -> None:
        if kind not in ("student", "gaussian"):
            raise ValueError(f"kind must be 'student' or 'gaussian', not {kind!r}")
        self.kind = kind

    @property
    def arguments(self) -> tuple[str, str]:
        return "true" if self.kind == "student" else "false", repr(STUDENT_SCALE)

    def make_node(self, x: TensorVariable, filters: TensorVariable, mean: TensorVariable) -> Any:
        x, filters, mean = self.check([x, filters, mean], (4, 4, 1))
        if not x.broadcastable[0]:
            raise TypeError(f"{self} needs one picture (1, channels, height, width), got {x.type}")
        return theano.graph.basic.Apply(self, [x, filters, mean], [T.scalar(dtype=x.dtype), x.type()])

    def infer_shape(self, fgraph: Any, node: Any, shapes: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [(), shapes[0]]

    def L_op(self, inputs: Sequence[TensorVariable], outputs: Sequence[TensorVariable],
             output_gradients: Sequence[TensorVariable]) -> list[TensorVariable]:
        of_energy, of_gradient = output_gradients
        of_prior = [self.no_gradient(inputs, i, "with respect to the prior") for i in (1, 2)]
        if not isinstance(of_gradient.type, theano.gradient.DisconnectedType):
            return [self.no_gradient(inputs, 0, "second derivatives"), *of_prior]
        return [of_energy * outputs[1], *of_prior]
