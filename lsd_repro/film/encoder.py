"""ffmpeg, which makes the films, as imageio-ffmpeg finds and drives it."""

import os
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np

from lsd_repro.errors import InputError
from lsd_repro.hints import Pixels

# Constant rate factor of x264: at 18 the film can hardly be told from the original.
FILM_CRF = 18
# x264's default, "medium", needs two thirds more time, all of it for 25 frames a second on
# two cores; "faster" loses 0.4 dB against it, in a smaller file.
FILM_PRESET = "faster"
# Bytes depend on the number of threads, so it is fixed and not the machine's.
FILM_THREADS = 2
# As HDTV has it, and said in the file: players guess by a film's size what is not said.
COLOURS = "bt709"
# Without these, swscale rounds twice and takes chroma from every other pixel.
EXACT = "accurate_rnd+full_chroma_int+full_chroma_inp"
TRIED = 64, 36  # size of the film that is tried
VARIABLE = "IMAGEIO_FFMPEG_EXE"
MEND = ("pip install imageio-ffmpeg brings one along that has x264, or install your system's (Debian/Ubuntu: sudo apt install "
        "ffmpeg; Fedora: sudo dnf install ffmpeg from RPM Fusion, as ffmpeg-free has no x264; macOS: brew install ffmpeg)")


def start(path: Path, size: tuple[int, int], fps: float) -> Generator[None, Any, None]:
    """An encoder of H.264 in MP4: after its first ``send(None)``, which starts ffmpeg, it takes frames by `send`."""
    return imageio_ffmpeg.write_frames(
        # Absolute: ffmpeg takes run:1 for a protocol, and -x for an option.
        path.absolute(), size, fps=fps, codec="libx264", pix_fmt_out="yuv420p",
        macro_block_size=2,  # otherwise the film would be scaled to multiples of 16
        quality=None, ffmpeg_log_level="error", output_params=[*options(), "-f", "mp4"])


def options() -> list[str]:
    """ffmpeg's options that set quality, colours and the order of the file."""
    return ["-preset", FILM_PRESET, "-crf", str(FILM_CRF), "-threads", str(FILM_THREADS),
            # Index first: a browser shows the film while it loads.
            "-movflags", "+faststart",
            "-vf", f"scale=out_color_matrix={COLOURS}:out_range=tv:flags={EXACT}",
            "-colorspace", COLOURS, "-color_primaries", COLOURS, "-color_trc", COLOURS, "-color_range", "tv"]


def send(encoder: Generator[None, Any, None], frame: Pixels) -> None:
    """Give the encoder a frame; OSError if it has ended."""
    try:
        encoder.send(np.ascontiguousarray(frame))
    except OSError as error:
        # Its message is ffmpeg's whole command line; the reason ffmpeg has printed itself.
        raise OSError("the encoder stopped early; it said why above") from error


def check_film(path: Path, count: int) -> None:
    """OSError unless a film has as many frames as were sent: imageio_ffmpeg doesn't report whether ffmpeg succeeded."""
    try:
        found = imageio_ffmpeg.count_frames_and_secs(path.absolute())[0]
    except RuntimeError:
        found = 0
    if found != count:
        raise OSError(f"the encoder wrote {found} of {count} frames; is the disk full?")


def check() -> str:
    """Find ffmpeg, and encode two frames, before hours are spent on a film that it can't make.

    Returns
    -------
    str
        ffmpeg's path.

    Raises
    ------
    InputError
        If there is none, or it has no x264, with its own reason.
    """
    width, height = TRIED
    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise InputError(f"no ffmpeg was found, and films need it: {MEND}") from error
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder, "film.mp4")
        command = [program, "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "25",
                   "-i", "-", "-vcodec", "libx264", "-pix_fmt", "yuv420p", *options(), str(film)]
        try:
            done = subprocess.run(command, input=bytes(2 * 3 * width * height), capture_output=True)
        except OSError as error:
            raise InputError(f"{_named(program)} can't be run ({error.strerror or error}), and films need it: {MEND}") from error
        if not film.exists() or not film.stat().st_size:
            lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            raise InputError(f"{_named(program)} can't encode a film ({lines[-1]}): {MEND}")
    return program


def _named(program: str) -> str:
    """ffmpeg's path, with the variable that names it, if one does."""
    return f"{program} ({VARIABLE})" if os.environ.get(VARIABLE) else program
