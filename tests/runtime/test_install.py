import importlib.util
import os
import re
import runpy
import subprocess
import sys
from types import SimpleNamespace

import pytest

from lsd_repro.runtime import check, install

PYPROJECT = (install.CHECKOUT / "pyproject.toml").read_text("utf-8")


@pytest.fixture
def installer(monkeypatch):
    """What the installer would be called with, beside the folders that Python is told to look into."""
    calls = []

    def run(command, env):
        # A Python that is started like the installer's, and as it starts another to build Theano.
        code = "import configparser as c; print(hasattr(c, 'SafeConfigParser') and hasattr(c.ConfigParser, 'readfp'))"
        python = real_run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        calls.append((command[command.index("install") + 2:], python.stdout.strip()))
        return SimpleNamespace(returncode=0)

    real_run = subprocess.run
    monkeypatch.setattr(install.subprocess, "run", run)
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: name == "pip")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return calls


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came in 3.11, and 3.12 is pretended here")
@pytest.mark.parametrize("minor", [12, 13])
def test_newer_python_gets_theano_built_with_the_names_that_it_misses(installer, monkeypatch, minor):
    monkeypatch.setattr(sys, "version_info", (3, minor, 0))
    assert install.main(["test"]) == 0
    (tools, _), (theano, mended), (last, _) = installer
    assert tools == re.findall(r'"(setuptools>[^"]+)"', PYPROJECT)
    assert theano == ["--no-build-isolation", "--no-deps", "Theano-PyMC==1.1.2"] and mended == "True"
    assert last == ["--no-build-isolation", "-e", f"{install.CHECKOUT}[test]"]


def test_older_python_needs_pip_alone(installer, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    install.main([])
    assert [command for command, _ in installer] == [["-e", str(install.CHECKOUT)]]


def test_without_pip_and_uv_it_says_how_to_get_pip(installer, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 11, 0))
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", os.devnull)
    assert install.main([]) == 2
    assert "ensurepip" in capsys.readouterr().err and not installer


def test_setup_on_a_newer_python_without_theano_says_what_to_do(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 12, 0))
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec",
                        lambda name, *package: None if name == "theano" else find_spec(name, *package))
    with pytest.raises(SystemExit, match="python -m lsd_repro.runtime.install"):
        runpy.run_path(str(install.CHECKOUT / "setup.py"))


def test_pip_and_the_program_agree_about_pythons():
    oldest, newest = (minor for _, minor in (check.OLDEST_PYTHON, check.NEWEST_PYTHON))
    assert f'requires-python = ">=3.{oldest},<3.{newest + 1}"' in PYPROJECT
    classifiers = re.findall(r'"Programming Language :: Python :: 3\.(\d+)"', PYPROJECT)
    assert classifiers == [str(minor) for minor in range(oldest, newest + 1)]
