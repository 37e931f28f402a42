"""The parts of a comparison's page: style, pictures and numbers as HTML."""

import base64
import html
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

THUMBNAIL_WIDTH = 480
CLOSE_UP = 208
JPEG_QUALITY = 85
FIGURE_DPI = 150

STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 60rem; margin: 0 auto;
       padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.2rem; } h3 { margin: 0; }
.lead { font-size: 1.15rem; }
img { max-width: 100%; height: auto; display: block; }
.figure { max-width: 38rem; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem; border-bottom: 1px solid #ddd; }
tbody th { font-weight: 600; } td { font-variant-numeric: tabular-nums; } td small { color: #555; }
.close { color: #1a6b2d; } .within { color: #7a5200; } .outside { color: #a11212; font-weight: 600; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; align-items: start; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 100%), 1fr)); gap: 0.5rem; }
.close-up { width: 208px; height: 208px; object-fit: none; }
figure { margin: 0.4rem 0; break-inside: avoid; } figcaption { font-size: 0.8rem; line-height: 1.3; color: #444; }
dt { font-weight: 600; margin-top: 0.6rem; } dd { margin-left: 1rem; }
footer { margin-top: 2rem; font-size: 0.85rem; color: #555; }
@media (max-width: 40rem) {
  thead { display: none; } tbody tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid #ddd; }
  tbody th, tbody td { display: block; border: 0; padding: 0.05rem 0; }
  td::before { content: attr(data-label) ": "; color: #555; }
}
@media print {
  body { font-size: 10pt; max-width: none; } h2, h3 { break-after: avoid; } tr, .figure { break-inside: avoid; }
  .tiles { grid-template-columns: 1fr 1fr; } .figure { max-width: 13cm; } .close-up { max-width: 100%; height: 4cm; }
}
"""


class Pictures(NamedTuple):
    """A frame as the page shows it: data URIs, and the pixels they have across and down."""

    thumbnail: str
    thumbnail_size: tuple
    close_up: str
    close_up_size: tuple


def pictures(frame):
    """A frame (height, width, 3), uint8, made small, and its centre pixel for pixel."""
    whole = Image.fromarray(frame)
    small = whole.copy()
    small.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH), Image.Resampling.LANCZOS)
    left, top = ((side - min(side, CLOSE_UP)) // 2 for side in whole.size)
    centre = whole.crop((left, top, left + min(whole.width, CLOSE_UP), top + min(whole.height, CLOSE_UP)))
    return Pictures(_jpeg(small), small.size, _jpeg(centre), centre.size)


def text(value):
    """Text as HTML."""
    return html.escape(value)


def number(value):
    """Three significant digits, without exponents."""
    return np.format_float_positional(value, 3, fractional=False, trim="-").replace("-", "\N{MINUS SIGN}")


def spread(values, unit=""):
    """Median and range of some numbers."""
    middle = number(np.median(values)) + (unit if unit == "%" else f" {unit}" if unit else "")
    return middle if len(values) == 1 else f"{middle} ({number(min(values))} to {number(max(values))})"


def listed(names):
    """Words in a sentence."""
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def image(uri, size, alt, kind="picture"):
    """A picture; the alternative text is escaped here."""
    return f'<img class="{kind}" src="{uri}" width="{size[0]}" height="{size[1]}" alt="{text(alt)}">'


def figure(drawn, alt):
    """A matplotlib Figure as a picture."""
    file = io.BytesIO()
    drawn.savefig(file, format="png", dpi=FIGURE_DPI)
    return f'<div class="figure">{image(_uri("png", file), Image.open(file).size, alt)}</div>'


def _jpeg(picture):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=JPEG_QUALITY)
    return _uri("jpeg", file)


def _uri(kind, file):
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
