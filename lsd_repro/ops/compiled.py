"""What the fused Ops have in common: C++ functions in files beside this one, with OpenMP where there is one."""

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lsd_repro.runtime.load import T, TensorVariable, theano


class CompiledOp(theano.graph.op.COp):
    """An Op that calls a C++ function template.

    The function is given the inputs, `arguments`, and the addresses of the outputs;
    it returns 0, or raises a Python exception and returns something else.

    Attributes
    ----------
    sources : tuple of str
        Files, in the order of inclusion.
    function : str
        A template of the real type.
    arguments : tuple of str
        C++ expressions.
    """

    # Never empty: to Theano that would mean that compiled code is not to be kept.
    __props__ = ("function",)
    sources: tuple[str, ...] = ()
    function = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        return ()

    def check(self, inputs: Sequence[TensorVariable], dimensions: Sequence[int]) -> list[TensorVariable]:
        """Inputs as variables of one floating type and of these numbers of dimensions.

        Raises
        ------
        TypeError
            If they aren't.
        """
        inputs = [T.as_tensor_variable(variable) for variable in inputs]
        if [variable.ndim for variable in inputs] != list(dimensions):
            raise TypeError(f"{self} needs {dimensions} dimensions, got {[v.ndim for v in inputs]}")
        if inputs[0].dtype not in ("float32", "float64") or len({variable.dtype for variable in inputs}) > 1:
            raise TypeError(f"{self} needs float32 or float64 throughout, got {[v.dtype for v in inputs]}")
        return inputs

    def perform(self, node: Any, inputs: Sequence[Any], output_storage: Sequence[list[Any]], params: Any = None) -> None:
        raise NotImplementedError(f"{self} exists in C++ only; the plain expression runs without a compiler, too")

    def no_gradient(self, inputs: Sequence[TensorVariable], position: int, what: str) -> TensorVariable:
        """What `L_op` gives for an input: an error, once somebody asks for this gradient, that says what to do."""
        return theano.gradient.grad_not_implemented(
            self, position, inputs[position], f"{what}: take T.grad of the plain expressions, as lsd_repro.network.vgg16 and "
            "lsd_repro.prior.energy write them; the rewrites put this Op in afterwards, where it fits")

    def c_code(self, node: Any, name: str, inputs: Sequence[str], outputs: Sequence[str], sub: dict[str, str]) -> str:
        real = node.inputs[0].type.dtype_specs()[1]
        arguments = ", ".join([*inputs, *self.arguments, *(f"&{output}" for output in outputs)])
        return f"if ({self.function}<{real}>({arguments})) {{ {sub['fail']} }}"

    def c_code_cache_version(self) -> tuple[str]:
        return (hashlib.sha256(self._source().encode()).hexdigest(),)

    def c_support_code(self, **kwargs) -> str:
        return self._source()

    def _source(self):
        return "\n".join(_read(name) for name in ("common.hpp", *self.sources))

    def c_compile_args(self, **kwargs) -> list[str]:
        return ["-fopenmp"] if has_openmp() else []


@cache
def _read(name):
    return (Path(__file__).parent / name).read_text("utf-8")


@cache
def has_openmp() -> bool:
    """Whether the compiler can use several cores."""
    # Not by deriving from OpenMPOp: where there is none it warns and sets Theano's flags.
    return bool(theano.graph.op.OpenMPOp.test_gxx_support())
