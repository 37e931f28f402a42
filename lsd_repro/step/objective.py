"""The class term of the loss: two classes, one for each half of the picture.

`class_term` is that of the 2015 program; `one_half_term`, `logit_alone_term`, `probability_term` and
`log_likelihood_term` are what it might have been, for comparison.  Each says what is raised; an `Aim` says where:

================  ============================================================
`aim_2015`        halves cut as in 2015
`aim_own_halves`  each map cut at its own middle
`aim_weighed`     places weighed one by one, for a part of a map
================  ============================================================
"""

from typing import Callable, NamedTuple, Optional, Union

from lsd_repro.runtime.load import T, TensorVariable, theano
from lsd_repro.step.target import Classes

Mean = Callable[[TensorVariable], TensorVariable]


class Aim(NamedTuple):
    """Where scores count; called with a map of them, it returns their value at the target.

    Each of its functions takes a symbolic map (1, classes, rows, columns) to a symbolic scalar.

    Attributes
    ----------
    everywhere : function
        The mean of all scores.
    bottom, top : function or None
        The mean of the target's own scores in a half; None if the half is empty.
    both : function, optional
        The sum of the two, if it is computed in another way.
    """

    everywhere: Mean
    bottom: Optional[Mean]
    top: Optional[Mean]
    both: Optional[Mean] = None

    @property
    def halves(self) -> list[Mean]:
        """Those that are not empty."""
        return [half for half in (self.bottom, self.top) if half is not None]

    def __call__(self, scores: TensorVariable) -> TensorVariable:
        # One half at least is not empty: the sum is no plain 0.
        return self.both(scores) if self.both else sum(half(scores) for half in self.halves)  # type: ignore[return-value]


Objective = Callable[[TensorVariable, Aim], TensorVariable]


def everywhere(scores: TensorVariable) -> TensorVariable:
    """The mean of a whole map."""
    return scores.mean()


def cut_2015(full_rows: int) -> tuple[int, int]:
    """Where the bottom half of a map starts and its top half stops.

    2015 quirk: halves of the unpooled map.  They are cut at its middle, even when this map is
    that of a pooled picture.  The bottom half can then be empty.

    Parameters
    ----------
    full_rows : int
        Rows of the map of the unpooled picture.
    """
    return full_rows // 2, full_rows // 2


def cut_own(rows: Union[int, TensorVariable]) -> tuple[Union[int, TensorVariable], Union[int, TensorVariable]]:
    """As `cut_2015`, in this map's own middle (not of 2015).

    With an odd number of rows the middle one counts in both halves, so neither is ever empty.
    """
    return rows // 2, (rows + 1) // 2


def aim_2015(target: Classes, rows: int, full_rows: int) -> Aim:
    """At the mean logit of one class over the bottom half, plus that of the other over the top half.

    2015 quirk: NaN as the loss.  Here an empty half counts as 0; its gradient was 0 in 2015, too.

    Parameters
    ----------
    target : Classes
        Symbolic or not.
    rows : int
        Rows of the map.
    full_rows : int
        As for `cut_2015`.
    """
    start, stop = cut_2015(full_rows)
    return Aim(everywhere,
               (lambda scores: scores[0, target.bottom, start:, :].mean()) if start < rows else None,
               (lambda scores: scores[0, target.top, :stop, :].mean()) if stop > 0 else None)


def aim_own_halves(target: Classes) -> Aim:
    """As `aim_2015`, for a map of any size, cut by `cut_own`."""
    return Aim(everywhere,
               lambda scores: scores[0, target.bottom, cut_own(scores.shape[2])[0]:, :].mean(),
               lambda scores: scores[0, target.top, :cut_own(scores.shape[2])[1], :].mean())


def aim_weighed(target: Classes, all_places: TensorVariable, bottom: TensorVariable, top: TensorVariable) -> Aim:
    """As one of the others, for a part of a map.

    Parameters
    ----------
    target : Classes
    all_places, bottom, top : symbolic matrix (rows, columns)
        What each place of this part counts for, of the whole map and of its halves.
    """
    return Aim(lambda scores: (all_places * scores[0].mean(axis=0)).sum(),
               lambda scores: (bottom * scores[0, target.bottom]).sum(),
               lambda scores: (top * scores[0, target.top]).sum(),
               lambda scores: (bottom * scores[0, target.bottom] + top * scores[0, target.top]).sum())


def class_term(logits: TensorVariable, aim: Aim) -> TensorVariable:
    """What the network adds to the loss: the mean of all logits minus the target's.

    The mean keeps all the other classes low.  2015 quirk: mean of all logits, those aimed at
    included.

    Parameters
    ----------
    logits : symbolic tensor, shape (1, classes, rows, columns)
    aim : Aim

    Returns
    -------
    symbolic scalar
    """
    return aim.everywhere(logits) - aim(logits)


def one_half_term(logits: TensorVariable, aim: Aim, bottom: bool) -> TensorVariable:
    """As `class_term`, with the target in one half of the map alone, the bottom one or the top one (not of 2015)."""
    half = aim.bottom if bottom else aim.top
    return aim.everywhere(logits) - (half(logits) if half else 0)


def logit_alone_term(logits: TensorVariable, aim: Aim) -> TensorVariable:
    """Minus the target's logits, whatever becomes of the other classes; as `class_term`."""
    return -aim(logits)


def probability_term(logits: TensorVariable, aim: Aim) -> TensorVariable:
    """Minus the softmax probability of the target; as `class_term`."""
    return -aim(T.exp(log_probabilities(logits)))


def log_likelihood_term(logits: TensorVariable, aim: Aim) -> TensorVariable:
    """Minus the log-probability of the target; as `class_term`."""
    return -aim(log_probabilities(logits))


def log_probabilities(logits: TensorVariable) -> TensorVariable:
    """Logarithm of the softmax over the classes, at every position; the 2015 program has none."""
    # Subtracted so that the exponential can't overflow; the result does not depend on it.
    shifted = logits - theano.gradient.disconnected_grad(logits.max(axis=1, keepdims=True))
    return shifted - T.log(T.exp(shifted).sum(axis=1, keepdims=True))
