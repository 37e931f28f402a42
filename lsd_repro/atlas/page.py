"""The page of an atlas: ``index.html``, to be opened from the disk; pictures and thumbnails lie beside it."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Optional, Union

import jinja2

from lsd_repro import __version__
from lsd_repro.material import files

# Settings that a filter would be of no use for, as the search is there.
_SEARCHED = "classes"


def write(out: Path, records: Collection[dict[str, Any]], asked: int, failed: Optional[Mapping[str, str]] = None) -> None:
    """Write the page of an atlas.

    Parameters
    ----------
    out : Path
        The atlas's folder.
    records : collection of dict
        Of all dreams that are there; see `lsd_repro.atlas.store`.
    asked : int
        How many dreams there are to be.
    failed : dict of str to str, optional
        Why, by the names of dreams that could not be made.
    """
    files.write_bytes(out / "index.html", page(records, asked, failed or {}).encode())


def page(records: Iterable[dict[str, Any]], asked: int, failed: Mapping[str, str]) -> str:
    """The whole page, as HTML; every text in it is escaped.  See `write`."""
    records = list(records)
    axes = swept(records)
    records.sort(key=lambda record: (_order(record["settings"][_SEARCHED].lower()),
                                     *(_order(record["settings"].get(axis)) for axis in axes), record["name"]))
    environment = jinja2.Environment(loader=jinja2.PackageLoader(__package__), autoescape=True, undefined=jinja2.StrictUndefined,
                                     trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(text=_text, words=words)
    template = environment.get_template("atlas.html")
    return template.render(records=records, axes=axes, asked=asked, failed=failed, version=__version__)


def swept(records: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings in which dreams differ, and the values of each, in order."""
    records = list(records)
    names = dict.fromkeys(name for record in records for name in record["settings"])
    found = {name: sorted({record["settings"].get(name) for record in records}, key=_order)
             for name in names if name != _SEARCHED}
    return {name: list(dict.fromkeys(map(_text, values))) for name, values in found.items() if len(values) > 1}


def words(record: dict[str, Any]) -> str:
    """What the search finds a dream by, in small letters: its classes' words, and settings as ``seed=0``, ``seed``, ``0``."""
    said = " ".join([record["settings"][_SEARCHED], *record["descriptions"]]).lower()
    found = [*re.split(r"[\s,;&+\"'()]+", said), *re.split(r"\W+", said)]
    for name, value in record["settings"].items():
        if name != _SEARCHED:
            value = _text(value).lower()
            found += [name, f"{name}={value.replace(' ', ',')}", *value.split()]
    return " ".join(dict.fromkeys(filter(None, found)))


def _order(value: Union[str, float, None]) -> tuple[int, float, str]:
    """For sorting: numbers by size, then texts, channel 9 before channel 10; nothing first."""
    if value is None:
        return 0, 0, ""
    if isinstance(value, str):
        return 2, 0, re.sub(r"\d+", lambda digits: digits[0].zfill(9), value)
    return 1, value, ""


def _text(value: Union[str, float, None]) -> str:
    if value is None:
        return "\N{EN DASH}"
    return value if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else str(value)
