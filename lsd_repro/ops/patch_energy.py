"""The energy of a patch prior and its gradient as one Op.

As plain expressions (`lsd_repro.prior.energy`) they need several maps of 192 channels,
as large as 64 pictures each, that go through memory a dozen times.  The Op takes a few
rows of patches at a time and does all there is to do to them while they are in the
processor's cache.  ``patch_energy.c`` says how.
"""

import hashlib
from functools import lru_cache

from lsd_repro.program2015 import STUDENT_SCALE
from lsd_repro.stack import T, theano


class PatchEnergy(theano.graph.op.ExternalCOp):
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
    params_type = theano.graph.params_type.ParamsType(student=theano.scalar.bool, scale=theano.scalar.float64)
    scale = STUDENT_SCALE

    def __init__(self, kind):
        if kind not in ("student", "gaussian"):
            raise ValueError(f"kind must be 'student' or 'gaussian', not {kind!r}")
        super().__init__("patch_energy.c", "APPLY_SPECIFIC(patch_energy)")
        self.kind = kind

    @property
    def student(self):
        return self.kind == "student"

    def make_node(self, x, filters, mean):
        x, filters, mean = map(T.as_tensor_variable, (x, filters, mean))
        if (x.ndim, filters.ndim, mean.ndim) != (4, 4, 1) or not x.broadcastable[0]:
            raise TypeError("needs a picture (1, channels, height, width), filters (components, channels, size, size) "
                            f"and means (components,), got {x.type}, {filters.type} and {mean.type}")
        if x.dtype not in ("float32", "float64") or not x.dtype == filters.dtype == mean.dtype:
            raise TypeError(f"needs float32 or float64 throughout, got {x.dtype}, {filters.dtype} and {mean.dtype}")
        return theano.graph.basic.Apply(self, [x, filters, mean], [T.scalar(dtype=x.dtype), x.type()])

    def infer_shape(self, fgraph, node, shapes):
        return [(), shapes[0]]

    def L_op(self, inputs, outputs, output_gradients):
        of_energy, of_gradient = output_gradients
        constants = [theano.gradient.grad_not_implemented(self, i, inputs[i]) for i in (1, 2)]
        if not isinstance(of_gradient.type, theano.gradient.DisconnectedType):
            return [theano.gradient.grad_not_implemented(self, 0, inputs[0], "second derivatives"), *constants]
        return [of_energy * outputs[1], *constants]

    def perform(self, node, inputs, output_storage, params=None):
        raise NotImplementedError("PatchEnergy exists in C only; the plain expression runs without a compiler, too")

    def c_code_cache_version(self):
        # ExternalCOp's own is a hash that differs from process to process.
        digest = hashlib.sha256("".join(self.func_codes).encode()).hexdigest()
        return digest, self.params_type.c_code_cache_version()

    def c_support_code(self, **kwargs):
        return theano.tensor.blas_headers.blas_header_text() + super().c_support_code(**kwargs)

    def c_compile_args(self, **kwargs):
        return theano.tensor.blas.ldflags(libs=False, flags=True) + (["-fopenmp"] if _has_openmp() else [])

    def c_libraries(self, **kwargs):
        return theano.tensor.blas.ldflags()

    def c_lib_dirs(self, **kwargs):
        return theano.tensor.blas.ldflags(libs=False, libs_dir=True)

    def c_header_dirs(self, **kwargs):
        return theano.tensor.blas.ldflags(libs=False, include_dir=True)


@lru_cache(maxsize=None)
def _has_openmp():
    # Not by deriving from OpenMPOp: where there is none it warns and sets Theano's flags.
    return bool(theano.graph.op.OpenMPOp.test_gxx_support())
