import ctypes.util
import importlib.util
import os
import subprocess
import sys
import sysconfig

import numpy as np
import pytest

from lsd_repro.errors import StackError
from lsd_repro.runtime import check, flags, load, toolchain


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("THEANO_FLAGS", raising=False)
    monkeypatch.setenv("THEANORC", str(tmp_path / "none"))


# ---------------------------------------------------------------- importing


@pytest.mark.parametrize("module", ["lsd_repro", "lsd_repro.runtime.load", "lsd_repro.cli.doctor", "lsd_repro.runtime.device",
                                    "lsd_repro.material.shipped"])
def test_import_does_not_import_theano(python, module):
    result = python(f"import sys, {module}; print({{'theano', 'lasagne', 'numpy', 'scipy'}} & set(sys.modules))")
    assert (result.stdout, result.stderr) == ("set()\n", "")


def test_names_it_does_not_have_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'keras'"):
        load.keras  # noqa: B018


def test_importing_building_and_compiling_warn_of_nothing(python):
    result = python("""if True:
        from lsd_repro.runtime.load import T, lasagne, theano
        x = T.tensor4()
        layer = lasagne.layers.Conv2DLayer(lasagne.layers.InputLayer((1, 3, 6, 6), x), 2, 3)
        y = lasagne.layers.get_output(lasagne.layers.MaxPool2DLayer(layer, 2)).sum()
        theano.function([x], [y, T.grad(y, x)])
        """, "-W", "always")
    assert (result.returncode, result.stderr) == (0, "")


def test_a_second_process_compiles_nothing_again(python, tmp_path):
    # Alloc and ScalarFromTensor have an empty __props__, DimShuffle is an ExternalCOp.
    code = """if True:
        import numpy as np
        from lsd_repro.runtime.load import T, theano
        from theano.link.c.cmodule import GCC_compiler
        compile_str = GCC_compiler.compile_str
        def counted(module_name, *args, **kwargs):
            print("compiled")
            return compile_str(module_name, *args, **kwargs)
        GCC_compiler.compile_str = staticmethod(counted)
        x, i = T.matrix(), T.iscalar()
        f = theano.function([x, i], T.alloc(x[i], 2, 3).dimshuffle(1, 0))
        print(any(type(n.op).__name__ == "Alloc" for n in f.maker.fgraph.toposort()))
        np.testing.assert_array_equal(f(np.array([[1, 2, 3]], "float32"), 0), [[1, 1], [2, 2], [3, 3]])
    """
    first, second = (python(code, THEANO_FLAGS=f"base_compiledir={tmp_path}/cache") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("compiled\n") and first.stdout.endswith("True\n")
    assert (second.stdout, second.returncode) == ("True\n", 0), second.stderr


def test_warnings_elsewhere_are_still_shown(python):
    result = python("""if True:
        import warnings
        from lsd_repro.runtime.load import theano
        warnings.warn("`np.bool` is a deprecated alias", DeprecationWarning)
        """, "-W", "always")
    assert "DeprecationWarning: `np.bool` is a deprecated alias" in result.stderr


# ---------------------------------------------------------------- flags


def settings(python, **environment):
    result = python("""if True:
        import os
        from lsd_repro.runtime.load import theano
        print(theano.config.floatX, repr(theano.config.blas__ldflags), repr(os.environ.get("THEANO_FLAGS")))
        """, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_floatx_is_float32_and_blas_is_linked_unless_the_user_says_otherwise(python):
    floatx, rest = settings(python).split(" ", 1)
    assert floatx == "float32"
    assert "blas" in rest and rest.endswith("None")


def test_theano_flags_of_the_user_win_and_stay_as_they_were(python):
    flags = "floatX=float64,blas__ldflags="
    assert settings(python, THEANO_FLAGS=flags) == f"float64 '' {flags!r}"


def test_theanorc_of_the_user_wins(python, tmp_path):
    rc = tmp_path / "theanorc"
    rc.write_text("[global]\nfloatX = float64\n[blas]\nldflags =\n")
    assert settings(python, THEANORC=str(rc)) == "float64 '' None"


def test_theano_flags_win_over_theanorc(monkeypatch, tmp_path):
    (tmp_path / "theanorc").write_text("[global]\nfloatX = float64\ndevice = cpu\n")
    monkeypatch.setenv("THEANORC", str(tmp_path / "theanorc"))
    monkeypatch.setenv("THEANO_FLAGS", r"floatX=float16,blas__ldflags=-Wl\,-framework\,Accelerate")
    assert flags.user_flags() == {
        "floatX": "float16", "device": "cpu", "blas__ldflags": "-Wl,-framework,Accelerate"}


BAD_SETTINGS = {"not UTF-8": (b"\xff\n", "not UTF-8"), "not UTF-8 in a value": (b"[global]\ndevice = \xff\n", "not UTF-8"),
                "no section": (b"junk\n", "no section headers"), "no value": (b"[global]\njunk\n", "parsing errors"),
                "a folder": (None, "no file")}


@pytest.mark.parametrize("data, words", BAD_SETTINGS.values(), ids=BAD_SETTINGS)
def test_a_theanorc_that_cannot_be_read_is_one_message(monkeypatch, tmp_path, data, words):
    settings = tmp_path / "theanorc"
    settings.mkdir() if data is None else settings.write_bytes(data)
    monkeypatch.setenv("THEANORC", f"{tmp_path / 'none'}{os.pathsep}{settings}")
    [message] = check.problems()
    assert str(settings) in message and words in message and "\n" not in message


def test_compiler_flags_of_the_user_stay(python):
    result = python("from lsd_repro.runtime.load import theano; print(theano.config.gcc__cxxflags)",
                    THEANO_FLAGS="gcc__cxxflags=-DMINE -O2")
    assert result.stdout.startswith("-DMINE -O2"), result.stderr


def test_theano_flags_that_do_not_parse_are_one_message(monkeypatch):
    monkeypatch.setenv("THEANO_FLAGS", 'floatX="float32')
    [message] = check.problems()
    assert "THEANO_FLAGS cannot be parsed" in message


# ---------------------------------------------------------------- what can be missing


def test_nothing_is_missing_where_the_tests_run():
    assert check.problems() == []


@pytest.mark.parametrize("version", [(3, 8, 18), (3, 14, 0), (4, 0, 0)])
def test_unsupported_python_says_which_to_use(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(StackError, match=r"Python \d\.\d+ cannot run Theano.*3\.9 to 3\.13"):
        check.check_python()


def test_missing_compiler_says_what_to_install_before_theano_is_imported(python, tmp_path):
    result = python("""if True:
        import sys
        from lsd_repro.errors import StackError
        try:
            from lsd_repro.runtime.load import theano
        except StackError as error:
            print(error, "theano" in sys.modules)
        """, PATH=str(tmp_path))
    assert "no C++ compiler" in result.stdout and "apt install g++" in result.stdout
    assert result.stdout.endswith("False\n")


def compiler(folder, name, status):
    file = folder / name
    file.write_text(f"#!/bin/sh\nexit {status}\n")
    file.chmod(0o755)
    return str(file)


def test_compiler_that_does_not_run_is_passed_over(monkeypatch, tmp_path):
    compiler(tmp_path, "g++", 1)
    works = compiler(tmp_path, "clang++", 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert toolchain.find_compiler() == works


def test_compiler_of_the_user_wins(monkeypatch, tmp_path):
    mine = compiler(tmp_path, "my-g++", 0)
    monkeypatch.setenv("THEANO_FLAGS", f"cxx={mine}")
    assert toolchain.find_compiler() == mine
    os.remove(mine)
    with pytest.raises(StackError, match="my-g.*does not run"):
        toolchain.find_compiler()


def test_a_user_who_wants_no_compiler_is_told_that_one_is_needed(monkeypatch):
    monkeypatch.setenv("THEANO_FLAGS", "cxx=")
    [message] = check.problems()
    assert message.startswith("cxx ") and "take it out" in message


def test_missing_headers_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(StackError, match=r"Python\.h .*apt install python3\.\d+-dev"):
        toolchain.find_headers()


def test_missing_blas_says_what_to_install(monkeypatch):
    monkeypatch.setattr(toolchain, "_scipy_libraries", list)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    with pytest.raises(StackError, match="no BLAS.*apt install libopenblas0"):
        toolchain.find_blas()


@pytest.mark.skipif(sys.platform != "linux", reason="names a library of Linux")
def test_library_without_gemm_is_no_blas(monkeypatch):
    monkeypatch.setattr(toolchain, "_scipy_libraries", list)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: "libc.so.6")
    with pytest.raises(StackError, match="no BLAS"):
        toolchain.find_blas()


def test_all_that_is_missing_is_listed(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchain, "_scipy_libraries", list)
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    compiler_message, blas_message = check.problems()
    assert "C++ compiler" in compiler_message and "BLAS" in blas_message


def test_missing_theano_says_to_install_again(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "theano" else find_spec(name))
    [message] = check.problems()
    assert "not installed here: theano; install lsd_repro again" in message


def test_other_import_errors_say_how_to_mend_the_environment(python, tmp_path):
    (tmp_path / "theano.py").write_text("raise AttributeError('np.bool')")
    result = python("""if True:
        import sys
        sys.path.insert(0, ".")
        from lsd_repro.runtime.load import theano
        """)
    assert "StackError: theano cannot be imported (AttributeError: np.bool)" in result.stderr


# ---------------------------------------------------------------- BLAS


PRODUCT = """if True:
    from lsd_repro.runtime import toolchain
    {patch}
    from lsd_repro.runtime.load import T, theano
    import numpy as np
    a, b = np.random.RandomState(0).randn(2, 50, 50).astype("float32")
    x, y = T.fmatrices(2)
    product = theano.function([x, y], T.dot(x, y))
    assert "Dot22" in str(product.maker.fgraph), product.maker.fgraph
    np.testing.assert_allclose(product(a, b), a.dot(b), rtol=1e-3, atol=1e-3)
    print(toolchain.find_blas().kind, theano.config.blas__ldflags)
    """


@pytest.mark.skipif(not any(map(ctypes.util.find_library, ("openblas", "flexiblas", "blas"))),
                    reason="this system has no BLAS of its own")
def test_system_blas_stands_in_for_scipys(python):
    result = python(PRODUCT.format(patch="toolchain._scipy_libraries = lambda: []"))
    assert result.stdout.startswith("system -l:lib"), result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="macOS links against Accelerate")
def test_blas_in_a_folder_with_white_space_is_linked(python, tmp_path):
    [library] = toolchain._scipy_libraries()
    (tmp_path / "site, packages").symlink_to(library.parent)
    patch = f"toolchain._scipy_libraries = lambda: [toolchain.Path({str(tmp_path / 'site, packages' / library.name)!r})]"
    result = python(PRODUCT.format(patch=patch), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert result.stdout.startswith(f"scipy wheel -L{tmp_path / 'cache'}"), result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="macOS links against Accelerate")
def test_blas_whose_functions_are_called_otherwise_is_used(python, tmp_path):
    blas = toolchain.find_blas()
    if blas.prefix:
        pytest.skip(f"scipy's own are called {blas.prefix}sgemm_ here: all that multiplies tests it")
    parameters = "abcdefghijklm"
    source, library = tmp_path / "other.cpp", tmp_path / "libother_openblas.so"
    types = ", ".join(f"void *{name}" for name in parameters)
    source.write_text("\n".join(f'extern "C" void {gemm}({types}); extern "C" void scipy_{gemm}({types}) '
                                f'{{ {gemm}({", ".join(parameters)}); }}' for gemm in ("sgemm_", "dgemm_")))
    subprocess.run([toolchain.find_compiler(), "-shared", "-fPIC", source, "-o", library, f"-L{blas.folder}", blas.flags,
                    f"-Wl,-rpath,{blas.folder}"], check=True)
    # Alone: hasattr(library, "sgemm_") would find what it is linked to.
    patch = f"""
    toolchain._scipy_libraries = lambda: [toolchain.Path({str(library)!r})]
    toolchain._gemm_prefix = lambda path: "scipy_"
    """
    result = python(PRODUCT.format(patch=patch), HOME=str(tmp_path))
    assert result.stdout.startswith(f"scipy wheel -L{tmp_path} -lother_openblas"), result.stderr


def test_folder_that_no_flag_can_name_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "white space"))
    with pytest.raises(StackError, match="XDG_CACHE_HOME"):
        load._plain_folder(str(tmp_path / "site packages"))


# ---------------------------------------------------------------- what Theano and Lasagne compute


def convolve(x, w):
    """Correlation of (channels, H, W) with (filters, channels, h, w), flipped as Lasagne 0.1 does."""
    h, width = w.shape[2:]
    windows = np.lib.stride_tricks.sliding_window_view(x, (h, width), axis=(1, 2))
    return np.einsum("cijhw,fchw->fij", windows, w[:, :, ::-1, ::-1])


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("float64", 1e-12)])
def test_lasagne_layers_give_what_numpy_gives(dtype, tolerance):
    from lsd_repro.runtime.load import T, lasagne, theano

    random = np.random.RandomState(1)
    picture, filters, bias = random.randn(3, 11, 12), random.randn(4, 3, 3, 3), random.randn(4)
    with theano.config.change_flags(floatX=dtype):
        x = T.tensor4()
        layer = lasagne.layers.InputLayer((1, 3, 11, 12), x)
        layer = lasagne.layers.Conv2DLayer(layer, 4, 3, W=filters.astype(dtype), b=bias.astype(dtype))
        layer = lasagne.layers.MaxPool2DLayer(layer, 2)
        y = lasagne.layers.get_output(layer)
        got, slope = theano.function([x], [y, T.grad(y.sum(), x)])(picture[None].astype(dtype))

    assert got.dtype == slope.dtype == dtype
    rectified = np.maximum(convolve(picture, filters) + bias[:, None, None], 0)
    rows, columns = rectified.shape[1] // 2, rectified.shape[2] // 2  # the ninth row is left over
    expected = rectified[:, :2 * rows, :2 * columns].reshape(4, rows, 2, columns, 2).max(axis=(2, 4))
    assert got.shape == (1, 4, 4, 5)
    np.testing.assert_allclose(got[0], expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options, mode", [
    (dict(stride=1), "max"), (dict(pad=1), "max"), (dict(ignore_border=False), "max"), (dict(), "average_exc_pad")])
def test_pooling_options_of_lasagne_reach_theano(options, mode):
    from lsd_repro.runtime.load import T, lasagne

    x = np.random.RandomState(2).randn(1, 1, 5, 5).astype("float32")
    symbol = T.ftensor4()
    layer = lasagne.layers.Pool2DLayer(lasagne.layers.InputLayer((1, 1, 5, 5), symbol), 2, mode=mode, **options)
    got = lasagne.layers.get_output(layer).eval({symbol: x})

    pad, stride = options.get("pad", 0), options.get("stride", 2)
    padded = np.pad(x[0, 0], pad, constant_values=-np.inf)
    last = len(padded) if options.get("ignore_border") is False else len(padded) - 1
    reduce = np.max if mode == "max" else np.mean
    expected = [[reduce(padded[i:i + 2, j:j + 2]) for j in range(0, last, stride)] for i in range(0, last, stride)]
    np.testing.assert_allclose(got[0, 0], expected, rtol=1e-6)


def test_lasagnes_random_streams_draw():
    from lsd_repro.runtime.load import T, lasagne

    x = T.fmatrix()
    dropped = lasagne.layers.get_output(lasagne.layers.DropoutLayer(lasagne.layers.InputLayer((40, 50), x), p=0.25))
    kept = dropped.eval({x: np.ones((40, 50), "float32")}) > 0
    assert 0.7 < kept.mean() < 0.8
