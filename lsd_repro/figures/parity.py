"""How exact the reproduction is."""


from matplotlib.figure import Figure

from lsd_repro.figures.drawing import COLOURS
from lsd_repro.hints import Values


def drift(steps: Values, theirs: Values, ours: Values, exact: Values) -> Figure:
    """How far float32 drifts from float64, and that float64 does not drift.

    Parameters
    ----------
    steps : sequence of int
    theirs : sequence of float
        Mean difference between the 2015 program's own float32 and float64, in grey levels.
    ours : sequence of float
        Between this package's float32 and the 2015 program's float64.
    exact : sequence of float
        Between the float64 of both: the largest difference of a pixel.
    """
    figure = Figure((8, 4.4), layout="constrained")
    axes = figure.subplots()
    axes.set_title("In float64 the 2015 program is matched; in float32 it drifts from itself,\n"
                   "and this package drifts from it as far", fontsize=11)
    axes.semilogy(steps, theirs, "s-", color="#555555", label="2015's own float32 (mean)")
    axes.semilogy(steps, ours, "o-", color=COLOURS["student"], label="float32 here (mean)")
    axes.semilogy(steps, exact, "^-", color=COLOURS["gaussian"],
                  label="float64 here (largest: the rounding of the file)")
    axes.axhline(0.5, color="black", lw=0.8, ls=":")
    axes.text(steps[-1], 0.6, "rounding to 8 bits", ha="right", fontsize=9)
    axes.set_xlabel("after step (the picture zooms after the 5th and the 10th)")
    axes.set_ylabel("grey levels from 2015's float64")
    axes.grid(alpha=0.3)
    axes.legend(loc="center right")
    return figure
