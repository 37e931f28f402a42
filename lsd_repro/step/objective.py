"""The class term of the loss: two classes, one for each half of the picture.

`class_term` is that of the 2015 program; `one_half_term`, `logit_alone_term`, `probability_term` and
`log_likelihood_term` are what it might have been, for comparison.
"""

from typing import Callable, Union

from lsd_repro.runtime.load import T, TensorVariable, theano


def target_logit(logits: TensorVariable, rows: int, c0: Union[int, TensorVariable], c1: Union[int, TensorVariable],
                 full_rows: int) -> tuple[TensorVariable, int]:
    """Mean logit of c0 over the bottom half plus that of c1 over the top half.

    2015 quirk: halves of the unpooled map.  They are cut at its middle, even when this map is
    that of a pooled picture.  The bottom half can then be empty.

    2015 quirk: NaN as the loss.  Here an empty half counts as 0; its gradient was 0 in 2015, too.

    Parameters
    ----------
    logits : symbolic tensor, shape (1, classes, rows, columns)
    rows : int
        Rows of this map.
    c0, c1 : symbolic int or int
        Classes of the bottom and of the top half.
    full_rows : int
        Rows of the map of the unpooled picture.

    Returns
    -------
    target : symbolic scalar
    halves : int
        How many of the two are not empty.
    """
    middle = full_rows // 2
    means = []
    if middle < rows:
        means.append(logits[0, c0, middle:, :].mean())
    if middle > 0:
        means.append(logits[0, c1, :middle, :].mean())
    return sum(means), len(means)


def target_logit_own_halves(logits: TensorVariable, c0: Union[int, TensorVariable],
                            c1: Union[int, TensorVariable]) -> tuple[TensorVariable, int]:
    """As `target_logit`, each map cut at its own middle (not of 2015).

    With an odd number of rows the middle one counts in both halves, so neither is ever empty.

    Parameters
    ----------
    logits : symbolic tensor, shape (1, classes, rows, columns)
        Of any size.
    c0, c1 : symbolic int or int
        Classes of the bottom and of the top half.

    Returns
    -------
    target : symbolic scalar
    halves : int
        2.
    """
    rows = logits.shape[2]
    return logits[0, c0, rows // 2:, :].mean() + logits[0, c1, :(rows + 1) // 2, :].mean(), 2


def class_term(logits: TensorVariable, aim: Callable[[TensorVariable], TensorVariable]) -> TensorVariable:
    """What the network adds to the loss: the mean of all logits minus the target's.

    The mean keeps all the other classes low.  2015 quirk: mean of all logits, those aimed at
    included.

    Parameters
    ----------
    logits : symbolic tensor, shape (1, classes, rows, columns)
    aim : function
        From a map like `logits` to a symbolic scalar: its value at the targets, as in
        `target_logit`.

    Returns
    -------
    symbolic scalar
    """
    return logits.mean() - aim(logits)


def one_half_term(logits: TensorVariable, aim: Callable[[TensorVariable], TensorVariable], bottom: bool) -> TensorVariable:
    """As `class_term`, with the target in one half of the map alone, the bottom one or the top one (not of 2015)."""
    rows = T.arange(logits.shape[2])
    middle = logits.shape[2] // 2
    kept = T.ge(rows, middle) if bottom else T.lt(rows, middle)
    return logits.mean() - aim(logits * kept.dimshuffle("x", "x", 0, "x"))


def logit_alone_term(logits: TensorVariable, aim: Callable[[TensorVariable], TensorVariable]) -> TensorVariable:
    """Minus the target's logits, whatever becomes of the other classes; as `class_term`."""
    return -aim(logits)


def probability_term(logits: TensorVariable, aim: Callable[[TensorVariable], TensorVariable]) -> TensorVariable:
    """Minus the softmax probability of the target; as `class_term`."""
    return -aim(T.exp(log_probabilities(logits)))


def log_likelihood_term(logits: TensorVariable, aim: Callable[[TensorVariable], TensorVariable]) -> TensorVariable:
    """Minus the log-probability of the target; as `class_term`."""
    return -aim(log_probabilities(logits))


def log_probabilities(logits: TensorVariable) -> TensorVariable:
    """Logarithm of the softmax over the classes, at every position; the 2015 program has none."""
    # Subtracted so that the exponential can't overflow; the result does not depend on it.
    shifted = logits - theano.gradient.disconnected_grad(logits.max(axis=1, keepdims=True))
    return shifted - T.log(T.exp(shifted).sum(axis=1, keepdims=True))
