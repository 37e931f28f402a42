"""`replay`: how far this is from what the 2015 program computed."""

from typing import Optional

from lsd_repro.compare import parity
from lsd_repro.compare.parity import Deviation
from lsd_repro.material.files import PathLike


def replay(golden: PathLike, prior_dir: Optional[PathLike] = None, float32: bool = False) -> "Deviations":
    """Recompute arrays that the 2015 program computed, as ``lsd-repro parity`` does.

    Parameters
    ----------
    golden : path
        Such as ``tests/golden/stream.npz`` of the source code.
    prior_dir : path, optional
        Folder of prior .npy files, for a golden file without a prior.
    float32 : bool
        Compute in float32, and compare with the drift of 2015's own float32.

    Returns
    -------
    Deviations
        A list, which prints as a table.

    Raises
    ------
    InputError
        If the file is no golden file.

    Examples
    --------
    >>> import lsd_repro as lsd
    >>> lsd.replay("tests/golden/stream.npz")  # doctest: +SKIP
    """
    return Deviations(parity.replay(golden, prior_dir, float32))


class Deviations(list[Deviation]):
    """How far each quantity is from 2015's; prints as a table.

    Examples
    --------
    >>> from lsd_repro.compare.parity import Deviation
    >>> from lsd_repro.front.parity import Deviations
    >>> table = Deviations([Deviation("loss at the start", "relative", 2.1e-15, 1e-9)])
    >>> table
    quantity           deviation     limit  unit
    loss at the start    2.1e-15   1.0e-09  relative
    >>> table.within
    True
    """

    def __repr__(self) -> str:
        return parity.table(self)

    @property
    def within(self) -> bool:
        """bool: whether all are within their limits."""
        return all(deviation.within for deviation in self)
