"""The page of the comparison with 2015: one HTML file without scripts, all pictures inside."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lsd_repro import __version__
from lsd_repro.compare.report_parts import Picture, Pictures, figure, listed, number, spread, templates
from lsd_repro.compare.statistics import FREQUENCIES, QUANTILES
from lsd_repro.figures import report as figures

MOST_SHOWN = 12  # frames of ours, evenly chosen
MOST_CLOSE_UPS = 4

ENERGY_NAME = "prior energy, scale"
# From the name of a statistic to its unit and what it is.
ABOUT = {
    "power spectrum": ("dB", "How much brightness varies at each frequency, from waves of 64 pixels to waves of 2, "
                             "whatever the direction (Hann window, three bins an octave)."),
    "spectral slope": ("", "The exponent of the power law that fits the spectrum best; photos have about -2, and "
                           "a larger one means more fine detail."),
    "lightness L": ("", "Distribution of CIE Lab's lightness, from 0 (black) to 100 (white)."),
    "colour a": ("", "Distribution of CIE Lab's a, from green (negative) to red."),
    "colour b": ("", "Distribution of CIE Lab's b, from blue (negative) to yellow."),
    "chroma": ("", "Distribution of CIE Lab's chroma: the distance of a colour from grey."),
    "spread of colours": ("", "Root mean square distance, in CIE Lab, of the colours of a frame from their mean."),
    "clipped to 0": ("%", "Values, of all pixels and channels, that are 0: clipped, or as dark as can be."),
    "clipped to 255": ("%", "The same at 255."),
    "patch contrast": ("grey levels", "Distribution of the standard deviation of brightness in patches of 8x8 pixels."),
    "kurtosis of bands": ("", "How heavy the tails are of brightness filtered to a band (blurred by 1, 2, 4 or 8 "
                              "pixels minus blurred by twice that): 0 for Gaussian noise, more where edges are rare "
                              "and large. Excess kurtosis, in each of four bands."),
    ENERGY_NAME: ("", "The prior's energy of the frame pooled by that much: the mean over positions and filters. "
                      "Low is natural."),
    "logit of the best class": ("", "The mean logit, in each half of the frame, of the class that the network sees "
                                    "most of there, minus the mean of all logits."),
    "share of the best class": ("%", "How much of the network's map has that class as its first choice."),
}

TITLE = "Are our frames as close to the 2015 LSD neural net's as those are to each other?"

VERDICTS = {
    "close": "as close as they are to each other",
    "within": "within their spread: further than {further} of the {count}",
    "outside": "outside{direction}: {times} times as far as the furthest of the {count}",
}


class Plot(NamedTuple):
    """A figure, and what it shows in words."""

    picture: Picture
    alt: str


class Column(NamedTuple):
    """Some of one side's frames: what is said of each and what is shown, and how many there are in all."""

    name: str
    tiles: list[Any]
    total: int


def page(numbers: dict[str, Any], ours: Sequence[Pictures], theirs: Sequence[Pictures]) -> str:
    """The whole page.

    Parameters
    ----------
    numbers : dict
        As `lsd_repro.compare.report.compare` returns them.
    ours, theirs : list of lsd_repro.compare.report_parts.Pictures
        One per frame.

    Returns
    -------
    str
        HTML.  Every text in it is escaped.
    """
    found, frames = numbers["statistics"], numbers["frames"]
    outside = [name for name, one in found.items() if one["verdict"] == "outside"]
    environment = templates()
    environment.filters.update(number=number, spread=spread, seen=_seen)
    return environment.get_template("report.html").render(
        title=TITLE, version=__version__, statistics=found, frames=frames, genuine=len(theirs), prior=numbers["prior"],
        network=numbers["network"], made_with=numbers["made with"],
        outside=len(outside), named_outside=_named(outside) if outside else "",
        verdicts={name: _verdict(one, len(theirs)) for name, one in found.items()},
        overview=_overview(found, outside), plots=_plots(numbers), sides=_columns(frames, ours, theirs, MOST_SHOWN),
        close_ups=_columns(frames, ours, theirs, MOST_CLOSE_UPS),
        definitions={family: ABOUT[family][1] for family in map(_family, found)})


def unit(name: str) -> str:
    """The unit of a statistic, or nothing."""
    return ABOUT[_family(name)][0]


def _verdict(one, count):
    largest = one["largest distance of 2015"]
    times = number(one["distance"] / largest) if largest else "infinitely many"
    ours, theirs = np.median(one["ours"]["values"]), one["2015"]["values"]
    direction = ", higher" if ours > max(theirs) else ", lower" if ours < min(theirs) else ""
    return VERDICTS[one["verdict"]].format(further=one["further than"], count=count, times=times, direction=direction)


def _overview(found, outside):
    ours, theirs = ([np.array(one[whose]["distances"]) for one in found.values()] for whose in ("ours", "2015"))
    return Plot(figure(figures.overview(list(found), ours, theirs)), (
        "The distance of every frame to 2015's, statistic by statistic, in units of the furthest of 2015's own. The "
        "median of ours is " + (f"beyond 1 in {_named(outside)}." if outside else "nowhere beyond 1.")))


def _columns(frames, ours, theirs, most) -> list[Column]:
    """At most so many frames of either side, evenly chosen."""
    columns = []
    for name, said, shown in (("Ours", frames["ours"], ours), ("2015's", frames["2015"], theirs)):
        chosen = np.linspace(0, len(shown) - 1, min(most, len(shown))).round().astype(int)
        columns.append(Column(name, [(said[index], shown[index]) for index in chosen], len(shown)))
    return columns


def _plots(numbers) -> dict[str, Plot]:
    """Plots by their headings."""
    names = list(numbers["statistics"])
    ours, theirs = ({name: np.array(numbers["vectors"][name][whose]) for name in names} for whose in ("ours", "2015"))

    def medians(name):
        one = numbers["statistics"][name]
        return f"ours {spread(one['ours']['values'])}, 2015's {spread(one['2015']['values'])}"

    colours = "lightness L", "colour a", "colour b", "chroma"
    found = {
        "Power spectra": Plot(
            figure(figures.spectra(FREQUENCIES, ours["power spectrum"], theirs["power spectrum"])),
            "Power of brightness against frequency, a line per frame, with the range of 2015's shaded. "
            f"Slopes: {medians('spectral slope')}."),
        "Colours": Plot(
            figure(figures.colours(QUANTILES, *(
                {name: vectors[name] for name in colours} for vectors in (ours, theirs)))),
            f"Densities of lightness, a, b and chroma, a line per frame. Mean chroma: {medians('chroma')}.")}
    energies = [name for name in names if _family(name) == ENERGY_NAME]
    if energies:
        found["Energy under the prior"] = Plot(
            figure(figures.energies([_scale(name) for name in energies], *(
                np.hstack([vectors[name] for name in energies]) for vectors in (ours, theirs)))),
            f"Energy at each scale, a line per frame. At scale {_scale(energies[0])}: {medians(energies[0])}.")
    return found


def _family(name):
    return ENERGY_NAME if name.startswith(ENERGY_NAME) else name


def _scale(name):
    return name.rsplit(" ", 1)[1]


def _named(names):
    """Names of statistics in a sentence, the prior's energies as one."""
    scales = [_scale(name) for name in names if _family(name) == ENERGY_NAME]
    energies = [f"{ENERGY_NAME}{'s' * (len(scales) > 1)} {', '.join(scales)}"] if scales else []
    return listed([name for name in names if _family(name) != ENERGY_NAME] + energies)


def _seen(frame):
    """What the network sees in a frame, as part of a sentence."""
    if not frame["classes"]:
        return ""
    bottom, top = frame["classes"]
    return f": seen as {bottom}" if bottom == top else f": seen as {bottom} (bottom) and {top} (top)"
