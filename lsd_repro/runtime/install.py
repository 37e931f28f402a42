"""Installs lsd_repro from its checkout into the Python that runs this, as ``make`` does.

    python -m lsd_repro.runtime.install [EXTRA ...]

Up to Python 3.11 that is ``pip install -e .``.  From 3.12 on pip by itself fails at Theano-PyMC 1.1.2, whose
setup.py reads setup.cfg by two names that configparser no longer has: here it is built with them.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]

# Python imports a module of this name by itself when it starts.
SITECUSTOMIZE = """
import configparser

configparser.SafeConfigParser = configparser.ConfigParser
configparser.RawConfigParser.readfp = configparser.RawConfigParser.read_file
"""


def main(extras: Sequence[str]) -> int:
    """Install lsd_repro, editable.

    Parameters
    ----------
    extras : sequence of str
        Names of setup.py's ``extras_require``.

    Returns
    -------
    int
        The status that the installer ended with.
    """
    lsd_repro = ["-e", f"{CHECKOUT}[{','.join(extras)}]" if extras else str(CHECKOUT)]
    if sys.version_info < (3, 12):
        return _install(*lsd_repro)
    import tomllib

    # Neither is built in an environment of its own: there Theano would lack the names below, and setup.py Theano.
    tools = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    return _install(*tools) or _install_theano() or _install("--no-build-isolation", *lsd_repro)


def _install_theano():
    if importlib.util.find_spec("theano"):
        return 0
    theano = re.search('"(Theano-PyMC==.+?)"', (CHECKOUT / "setup.py").read_text("utf-8")).group(1)  # type: ignore[union-attr]  # it is there
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(SITECUSTOMIZE)
        path = os.pathsep.join(filter(None, [folder, os.getenv("PYTHONPATH")]))
        return _install("--no-build-isolation", "--no-deps", theano, PYTHONPATH=path)


def _install(*arguments, **environment):
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    elif shutil.which("uv"):  # it makes virtual environments without pip
        command = ["uv", "pip", "install", "--python", sys.executable]
    else:
        print(f"{sys.executable} has no pip, and uv was not found: python -m ensurepip brings pip", file=sys.stderr)
        return 2
    return subprocess.run([*command, *arguments], env={**os.environ, **environment}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
