"""`tqdm`: progress bars, for a terminal or a notebook, whichever this is."""

import warnings

with warnings.catch_warnings():
    # A notebook without ipywidgets gets a terminal's bar, which is no reason for a warning in its output.
    warnings.simplefilter("ignore")
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
