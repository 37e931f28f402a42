"""Flags of the user's with which Theano can't work are one line, before anything is computed."""

import pytest

pytestmark = pytest.mark.slow  # each in a fresh process, which for some begins to compile

CASES = {
    "no compiler": ("cxx=", "cxx (THEANO_FLAGS or .theanorc) is set to nothing"),
    "a compile folder that is a file": ("base_compiledir={file}", "compiledir"),
    "a BLAS that does not exist": ("blas__ldflags=-lnosuchblas,base_compiledir={folder}", "nosuchblas"),
    "an option that the compiler lacks": ("gcc__cxxflags=-nosuchoption,base_compiledir={folder}", "nosuchoption"),
    "no rewrites": ("optimizer=None,mode=FAST_COMPILE", "No Python implementation"),
    "a mode that does not exist": ("mode=nosuch", "nosuch"),
    "a name for the compile folder that can't be made": ("compiledir_format=%(x)s", "compiledir_format"),
    "a device that does not exist": ("device=opencl0", "opencl0"),
    "a compiler that does not run": ("cxx=/bin/false", "/bin/false"),
}


@pytest.mark.parametrize("flags, words", CASES.values(), ids=CASES)
def test_hostile_flags_are_one_line(python, tmp_path, flags, words):
    (tmp_path / "file").touch()
    flags = flags.format(file=tmp_path / "file", folder=tmp_path / "compiled")
    code = ("import sys; from lsd_repro.cli.main import main\n"
            f"sys.exit(main(['frames', '--weights', 'small', '--classes', '0', '--out', {str(tmp_path / 'run')!r}]))")
    done = python(code, THEANO_FLAGS=flags)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("lsd-repro: ") and done.stderr.count("\n") == 1 and words in done.stderr
    assert done.stdout == "" and not (tmp_path / "run").exists()


def test_nan_guard_mode_dreams(python, tmp_path):
    code = ("import sys; from lsd_repro.cli.main import main\n"
            "sys.exit(main(['frames', '--weights', 'small', '--classes', '0', '--size', '264x256', '--frames', '1', "
            f"'--steps', '1', '--video-frames', '1', '--out', {str(tmp_path / 'run')!r}]))")
    done = python(code, THEANO_FLAGS="mode=NanGuardMode")
    assert done.returncode == 0, done.stderr
