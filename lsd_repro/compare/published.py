"""Our dreams of what the author published: one sheet of them, and a page with links to his frames."""

from collections.abc import Mapping
from pathlib import Path

from lsd_repro import __version__
from lsd_repro.compare.report import frame_paths
from lsd_repro.compare.report_parts import templates
from lsd_repro.film import write
from lsd_repro.material import fetch, files
from lsd_repro.material.photos import read_photo
from lsd_repro.program2015 import PUBLISHED

TITLE = "What the author published in 2015, dreamt again"
SHEET_WIDTH = 1680  # pixels
SHEET_COLUMNS = 3  # narrower ones have no room for "analog clock & wood rabbit"


def show(out: files.PathLike, captions: Mapping[str, str], made_with: str, report: bool) -> None:
    """Write ``contact.png``, the last frame of each run, and ``index.html``.

    None of the author's pictures is in them.

    Parameters
    ----------
    out : path
        Holds a run's folder for each name.
    captions : mapping from str to str
        By names in `PUBLISHED`.
    made_with : str
        Whose weights, prior and start image.
    report : bool
        Whether to link to ``report/report.html``.

    Raises
    ------
    InputError
        If a frame can't be read, or the files can't be written.
    """
    out = Path(out)
    paths = {name: frame_paths([out / name])[-1] for name in captions}
    pictures = [read_photo(path) for path in paths.values()]
    write.write_png(out / "contact.png", write.contact_sheet(pictures, list(captions.values()), SHEET_COLUMNS, SHEET_WIDTH))
    height, width = pictures[0].shape[:2]
    dreams = [{"name": name, "caption": caption, "picture": paths[name].relative_to(out).as_posix(),
               "theirs": f"{fetch.BLOG[-1]}result{PUBLISHED[name][0]:04d}.png"} for name, caption in captions.items()]
    page = templates().get_template("published.html").render(
        title=TITLE, dreams=dreams, width=width, height=height, made_with=made_with, report=report, version=__version__)
    files.write_bytes(out / "index.html", page.encode())
