"""The page of the comparison with 2015: one HTML file without scripts, all pictures inside."""

import numpy as np

from lsd_repro import __version__
from lsd_repro.compare.report_parts import STYLE, figure, image, listed, number, spread, text
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

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{sections}
</main>
<footer>lsd-repro {version}. Every number is in report.json, beside this page.</footer>
</body>
</html>
"""

YARDSTICK = """<p>The random state of the stream is lost, so no frame of ours can be one of 2015's, and pixels are not
compared. Each statistic makes a list of numbers of a frame. The distance between two frames is the mean absolute
difference of these lists (of distributions, listed by their quantiles: the Wasserstein distance). The distance of a
frame of ours is the median of its distances to the {count} genuine ones; that of a genuine one, the median of its
distances to the other {others}. <b>Outside</b> is what is further away than the furthest genuine one; of several
frames of ours the median distance counts. By chance alone a genuine frame would be outside by any one statistic about
once in {chance}. If ours are much closer to each other than 2015's are, they lack variety: one can lie in the midst of
theirs and be like none.</p>"""

VERDICTS = {
    "close": "as close as they are to each other",
    "within": "within their spread: further than {further} of the {count}",
    "outside": "outside{direction}: {times} times as far as the furthest of the {count}",
}

CAVEATS = (
    "2015's frames differ much in colour, as their subjects do, and they are few: what lies within their spread may "
    "still differ from every one of them in what no statistic here sees.",
    "Each frame of ours is judged by itself. A small shift that all of them share can hide within the spread.",
    "Nothing is resampled. Frames of another size are compared in pixels of their own: frequencies in cycles per "
    "pixel, patches of 8x8 pixels, energies per patch.",
    "Files that were scaled or saved as JPEG on the way have lost fine detail that the dream had.")
NETWORK_CAVEAT = (
    "A network sees more in what it dreamt itself. 2015's frames were dreamt by the VGG-16 of 2014: where another one "
    "dreamt ours, or judges here, its two statistics compare networks and not programs.")


def page(numbers, ours, theirs):
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
        HTML.
    """
    count = len(theirs)
    sections = [
        ("The yardstick", YARDSTICK.format(count=count, others=count - 1, chance=count + 1)),
        ("Statistic by statistic", _table(numbers["statistics"], count) + _overview(numbers["statistics"])),
        ("Side by side", _sides(numbers, ours, theirs)),
        ("Pixel for pixel, from the centre", _close_ups(numbers, ours, theirs)),
        *_plots(numbers),
        ("What is compared", _definitions(numbers["statistics"])),
        ("What this cannot say", _caveats(numbers["prior"], numbers["network"]))]
    return PAGE.format(title=text(TITLE), style=STYLE, version=__version__, sections=_answer(numbers) + "".join(
        f"\n<h2>{heading}</h2>\n{content}" for heading, content in sections))


def _answer(numbers):
    found, frames = numbers["statistics"], numbers["frames"]
    outside = _outside(found)
    answer = f"By {len(found) - len(outside)} of {len(found)} statistics they are." + (
        f" Outside: {_named(outside)}." if outside else "")
    counts = {whose: spread([frame["outside"] for frame in frames[whose]]) for whose in frames}
    return (f'<p class="lead">{text(answer)}</p>\n<p>Frames: {len(frames["ours"])} of ours, {len(frames["2015"])} '
            f"genuine ones of the stream. One of ours is outside by {counts['ours']} of the {len(found)} statistics; a "
            f"genuine one, judged by the others in the same way, by {counts['2015']}. (Medians, with the range in "
            "brackets.)</p>")


def _outside(found):
    return [name for name, one in found.items() if one["verdict"] == "outside"]


def _table(found, count):
    rows = []
    for name, one in found.items():
        among = one["distance among ours"]
        distance = (f"{number(one['distance'])} <small>(theirs {number(one['distance of 2015'])}, at most "
                    f"{number(one['largest distance of 2015'])}"
                    f"{'' if among is None else f'; ours among themselves {number(among)}'})</small>")
        cells = [f'<td data-label="{label}">{content}</td>' for label, content in (
            ("ours", spread(one["ours"]["values"], one["unit"])),
            ("2015's", spread(one["2015"]["values"], one["unit"])), ("distance", distance))]
        rows.append(f'<tr><th scope="row">{text(name)}</th>{"".join(cells)}'
                    f'<td data-label="verdict" class="{one["verdict"]}">{_verdict(one, count)}</td></tr>')
    return ("<table><thead><tr><th>Statistic</th><th>Ours</th><th>2015's</th><th>Distance to 2015's</th>"
            "<th>Verdict</th></tr></thead>\n<tbody>" + "\n".join(rows) + "</tbody></table>\n<p><small>Of a "
            "distribution or a spectrum, the mean stands here; the distance is taken over the whole.</small></p>")


def _verdict(one, count):
    largest = one["largest distance of 2015"]
    times = number(one["distance"] / largest) if largest else "infinitely many"
    ours, theirs = np.median(one["ours"]["values"]), one["2015"]["values"]
    direction = ", higher" if ours > max(theirs) else ", lower" if ours < min(theirs) else ""
    return VERDICTS[one["verdict"]].format(further=one["further than"], count=count, times=times, direction=direction)


def _overview(found):
    ours, theirs = ([np.array(one[whose]["distances"]) for one in found.values()] for whose in ("ours", "2015"))
    outside = _outside(found)
    return figure(figures.overview(list(found), ours, theirs), (
        "The distance of every frame to 2015's, statistic by statistic, in units of the furthest of 2015's own. The "
        "median of ours is " + (f"beyond 1 in {_named(outside)}." if outside else "nowhere beyond 1.")))


def _sides(numbers, ours, theirs):
    return _two_columns(numbers["frames"], ours, theirs, MOST_SHOWN, lambda frame, shown: (
        image(shown.thumbnail, shown.thumbnail_size, frame["name"] + _seen(frame)),
        f"{text(frame['name'])}, {frame['width']}x{frame['height']}{text(_seen(frame))}. "
        f"Outside by {frame['outside']} of {len(numbers['statistics'])}."))


def _close_ups(numbers, ours, theirs):
    return _two_columns(numbers["frames"], ours, theirs, MOST_CLOSE_UPS, lambda frame, shown: (
        image(shown.close_up, shown.close_up_size, f"centre of {frame['name']}", "close-up"), text(frame["name"])))


def _two_columns(frames, ours, theirs, most, content):
    columns = []
    for heading, about_them, shown in (("Ours", frames["ours"], ours), ("2015's", frames["2015"], theirs)):
        chosen = np.linspace(0, len(shown) - 1, min(most, len(shown))).round().astype(int)
        note = f" <small>({len(chosen)} of {len(shown)})</small>" if len(chosen) < len(shown) else ""
        tiles = ["<figure>{}<figcaption>{}</figcaption></figure>".format(*content(about_them[index], shown[index]))
                 for index in chosen]
        columns.append(f'<div><h3>{heading}{note}</h3>\n<div class="tiles">' + "\n".join(tiles) + "</div></div>")
    return f'<div class="sides">{"".join(columns)}</div>'


def _plots(numbers):
    """Headings and figures."""
    names = list(numbers["statistics"])
    ours, theirs = ({name: np.array(numbers["vectors"][name][whose]) for name in names} for whose in ("ours", "2015"))

    def medians(name):
        one = numbers["statistics"][name]
        return f"ours {spread(one['ours']['values'])}, 2015's {spread(one['2015']['values'])}"

    yield "Power spectra", figure(
        figures.spectra(ours["power spectrum"], theirs["power spectrum"]),
        "Power of brightness against frequency, a line per frame, with the range of 2015's shaded. "
        f"Slopes: {medians('spectral slope')}.")
    colours = "lightness L", "colour a", "colour b", "chroma"
    yield "Colours", figure(
        figures.colours(*({name: vectors[name] for name in colours} for vectors in (ours, theirs))),
        f"Densities of lightness, a, b and chroma, a line per frame. Mean chroma: {medians('chroma')}.")
    energies = [name for name in names if _family(name) == ENERGY_NAME]
    if energies:
        yield "Energy under the prior", figure(
            figures.energies([_scale(name) for name in energies], *(
                np.hstack([vectors[name] for name in energies]) for vectors in (ours, theirs))),
            f"Energy at each scale, a line per frame. At scale {_scale(energies[0])}: {medians(energies[0])}.")


def _definitions(found):
    return "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{text(ABOUT[name][1])}</dd>"
                            for name in dict.fromkeys(map(_family, found))) + "</dl>"


def _caveats(prior, network):
    caveats = [*CAVEATS, NETWORK_CAVEAT] if network else [*CAVEATS]
    for kind, name in (("prior", prior), ("network", network)):
        caveats.append(f"The {kind} that judges is {name}; another one would give other numbers." if name
                       else f"No {kind} was given, so what one would say is not compared.")
    return "<ul>" + "".join(f"<li>{text(caveat)}</li>" for caveat in caveats) + "</ul>"


def unit(name):
    """The unit of a statistic, or nothing."""
    return ABOUT[_family(name)][0]


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
