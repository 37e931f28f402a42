"""Finding in a graph what a function makes of stand-ins, and what `T.grad` makes of that."""

from collections.abc import Sequence
from typing import Optional

from lsd_repro.runtime.load import T, TensorVariable, theano

Constant = theano.graph.basic.Constant


class Pattern:
    """An expression of stand-ins, and its gradient, to be found in graphs.

    The rewrites look before Theano simplifies anything, when a graph still is as the
    package's functions and `T.grad` have written it.

    Parameters
    ----------
    stand_ins : sequence of symbolic variables
        They stand for variables of the same type.
    output : symbolic variable
        Computed from `stand_ins`.
    wrt : symbolic variable
        One of `stand_ins`.

    Attributes
    ----------
    output, gradient : symbolic variable
        The gradient is with respect to `wrt`.
    upstream : symbolic variable
        Stands for the gradient with respect to the output.
    """

    def __init__(self, stand_ins: Sequence[TensorVariable], output: TensorVariable, wrt: TensorVariable) -> None:
        self.output = output
        self.upstream = output.type()
        self.gradient = T.grad(None, wrt, known_grads={output: self.upstream})
        self._stand_ins = {*stand_ins, self.upstream}

    def match(self, root: TensorVariable, variable: TensorVariable) -> Optional[dict[TensorVariable, TensorVariable]]:
        """What the stand-ins stand for where `variable` is computed as `root` is.

        Parameters
        ----------
        root : `output` or `gradient` of this pattern
        variable : symbolic variable

        Returns
        -------
        dict
            From stand-ins to variables; None where the computations differ.
        """
        found: dict[TensorVariable, TensorVariable] = {}
        return found if self._match(root, variable, found) else None

    def _match(self, ours, theirs, found):
        if ours in self._stand_ins:
            return ours.type == theirs.type and found.setdefault(ours, theirs) is theirs
        if isinstance(ours, Constant):
            return isinstance(theirs, Constant) and ours.equals(theirs)
        if theirs.owner is None or ours.owner.op != theirs.owner.op or ours.index != theirs.index:
            return False
        pairs = list(zip(ours.owner.inputs, theirs.owner.inputs))
        return len(pairs) == len(theirs.owner.inputs) and all(self._match(*pair, found) for pair in pairs)
