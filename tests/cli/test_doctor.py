from types import SimpleNamespace

import pytest

from lsd_repro.cli import doctor
from lsd_repro.cli.main import main
from lsd_repro.errors import InputError
from lsd_repro.film import encoder
from lsd_repro.material import fetch, shipped
from lsd_repro.runtime import check, device, load, toolchain


@pytest.fixture
def shipped_files(monkeypatch, tmp_path):
    for name in (shipped.SMALL, shipped.TRUNK, shipped.PRIORS):
        (tmp_path / name).write_bytes(b"")
    monkeypatch.setattr(shipped, "folder", lambda: tmp_path)
    return tmp_path


def test_all_is_well_where_the_tests_run(shipped_files):
    assert doctor.problems() == []
    report = doctor.report()
    assert report.endswith("All is well.") and "MISSING" not in report


def test_report_names_versions_blas_cache_and_ffmpeg(shipped_files):
    import numpy

    from lsd_repro.runtime.load import theano

    lines = dict(line.split(None, 1) for line in doctor.report().splitlines() if line and line[0] != "*")
    assert lines["numpy"] == numpy.__version__
    assert lines["Theano-PyMC"] == theano.__version__
    assert lines["floatX"] == theano.config.floatX
    assert lines["compile"].split() == ["cache", theano.config.compiledir]
    assert "ffmpeg version" in lines["ffmpeg"]
    assert toolchain.find_blas().path in lines["BLAS"]


@pytest.mark.parametrize("flags, expected", [
    ("", "fuse_conv3x3 and fuse_patch_energy on "),
    ("optimizer_excluding=fuse_conv3x3", "fuse_conv3x3 is off, as optimizer_excluding says"),
    ("optimizer_excluding=fuse_conv3x3:fuse_patch_energy", "none, as Theano's optimizer_excluding says"),
])
def test_report_says_which_path_computes(python, flags, expected):
    result = python("from lsd_repro.cli import doctor; print(doctor.report())", THEANO_FLAGS=flags)
    [line] = [line for line in result.stdout.splitlines() if line.startswith("fused Ops")]
    assert expected in line


def test_report_says_what_a_gpu_lacks_and_that_it_is_no_problem_without(shipped_files):
    lines = dict(line.split("  ", 1) for line in doctor.report().splitlines() if "  " in line)
    for piece in ("NVIDIA driver", "NVRTC", "cuBLAS", "pygpu"):
        assert piece in lines
    assert "--verify-gpu" in lines["GPU path"]


def test_missing_shipped_file_is_named_with_what_to_do(shipped_files):
    (shipped_files / shipped.PRIORS).unlink()
    [message] = doctor.problems()
    assert shipped.PRIORS in message and "install lsd_repro again" in message
    assert f"* {message}" in doctor.report()
    with pytest.raises(InputError, match=shipped.PRIORS):
        shipped.path(shipped.PRIORS)


def test_each_network_that_ships_is_listed_and_missed(shipped_files):
    (shipped_files / shipped.TRUNK).unlink()
    lines = dict(line.split(None, 1) for line in doctor.report().splitlines() if line and line[0] != "*")
    assert lines["vgg16-small.mat"] == str(shipped_files / "vgg16-small.mat")
    assert lines["vgg16-trunk.mat"] == "MISSING"
    [message] = doctor.problems()
    assert "vgg16-trunk.mat" in message


def test_report_works_where_theano_cannot_be_brought_up(python, tmp_path):
    result = python("from lsd_repro.cli import doctor; print(doctor.report()); print(doctor.problems())",
                    PATH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "C++ compiler" in result.stdout and "MISSING" in result.stdout
    assert "* no C++ compiler" in result.stdout


def test_missing_ffmpeg_says_what_to_install(monkeypatch, shipped_files):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")

    def none():
        raise RuntimeError

    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", none)
    [message] = doctor.problems()
    assert "ffmpeg" in message and "pip install imageio-ffmpeg" in message


PARTS = [(doctor, "_version"), (doctor, "_compiler"), (doctor, "_blas"), (doctor, "_fused_ops"), (doctor, "_ffmpeg"),
         (doctor, "_film_code"), (doctor, "_first_line"), (toolchain, "find_headers"), (toolchain, "find_blas"), (load, "load"),
         (device, "rows"), (check, "problems"), (shipped, "path"), (fetch, "state")]


@pytest.mark.parametrize("module, name", PARTS, ids=[name for _, name in PARTS])
def test_whatever_fails_the_rest_is_said(monkeypatch, capsys, module, name):
    def fail(*_):
        raise RuntimeError("broken\nin a way that nobody foresaw")

    # Slow, and sound.
    config = SimpleNamespace(floatX="float32", optimizer_excluding="", compiledir="here")
    monkeypatch.setattr(load, "load", lambda: SimpleNamespace(theano=SimpleNamespace(config=config), device="cpu"))
    monkeypatch.setattr(encoder, "check", lambda: "ffmpeg")
    monkeypatch.setattr(check, "problems", list)
    monkeypatch.setattr(module, name, fail)
    assert main(["doctor"]) in (0, 2)
    said = capsys.readouterr().out
    assert "(RuntimeError: broken in a way that nobody foresaw)" in said
    assert said.startswith("Python ") and "\nfetched" in said and ("\nAll is well." in said or "\nWhat to do:" in said)
