"""Pieces of CUDA, real but empty: every message is called forth by libraries built for it."""

import ctypes.util
import sys
from glob import glob

import fake_gpu
import pytest

from lsd_repro.errors import InputError
from lsd_repro.runtime import device

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="GPUs are used on Linux only")

PROBE = """if True:
    from lsd_repro.runtime import device, load
    from lsd_repro.runtime.gpu import cuda
    device.check_pygpu = lambda: "0.7.6"
    for message in device.problems({name!r}):
        print(message)
    for row in device.rows():
        print(row)
    """


@pytest.fixture
def probe(python, tmp_path):
    """What is printed of a machine whose libraries lie in a folder: `device.problems`, then `device.rows`."""

    # Those of the system would be found as well.
    if any(map(ctypes.util.find_library, ("cuda", "nvrtc", "cublas"))) or glob("/usr/local/cuda/lib64/libnvrtc.so*"):
        pytest.skip("CUDA is installed here")

    def run(folder="none", name="cuda", **environment):
        result = python(PROBE.format(name=name), LD_LIBRARY_PATH=str(tmp_path / folder), CUDA_PATH="", CUDA_HOME="",
                        **environment)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        return ([line for line in lines if line.startswith("device=")],
                dict(eval(line) for line in lines if line.startswith("(")))

    return run


@pytest.fixture
def machine(tmp_path):
    """Build libraries into a folder called ``cuda``."""
    return lambda **options: fake_gpu.build_all(tmp_path / "cuda", **options)


def test_whole_machine_has_no_problems_and_is_described(probe, machine):
    folder = machine(FAKE_VERSION=12060, FAKE_MAJOR=8, FAKE_MINOR=6)
    messages, rows = probe("cuda")
    assert messages == []
    assert rows["NVIDIA driver"] == f"12.6 ({folder}/libcuda.so.1)"
    assert rows["GPUs"] == "Fake GPU, compute capability 8.6"
    assert rows["NVRTC"] == f"12.4 ({folder}/libnvrtc.so.12)"
    assert rows["cuBLAS"] == f"12.4 ({folder}/libcublas.so.12)"
    assert "verify_gpu=True" in rows["GPU path"]


def test_everything_missing_is_said_piece_by_piece(probe):
    messages, rows = probe()
    assert [word for word, message in zip(("driver was not found", "NVRTC", "cuBLAS"), messages) if word in message] \
        == ["driver was not found", "NVRTC", "cuBLAS"]
    assert "apt install nvidia-driver" in messages[0]
    assert "pip install nvidia-cuda-nvrtc-cu12" in messages[1] and "pip install nvidia-cublas-cu12" in messages[2]
    assert rows["NVIDIA driver"].startswith("none: ")


@pytest.mark.parametrize("driver, words", [
    ({"FAKE_INIT": 100}, ("CUDA 12.4", "sees no GPU", "--gpus all")),
    ({"FAKE_DEVICES": 0}, ("sees no GPU",)),
    ({"FAKE_INIT": 803}, ("does not start", "CUDA_ERROR_FAKE, 803", "nvidia-smi")),
    ({"FAKE_MAJOR": 3, "FAKE_MINOR": 0}, ("Fake GPU, compute capability 3.0", "too old", "5.0 and newer", "the same with cu11")),
])
def test_gpu_that_cannot_be_used_says_why(probe, machine, driver, words):
    machine(**driver)
    [message], _ = probe("cuda")
    assert all(word in message for word in words), message


def test_gpu_beyond_the_last_is_refused(probe, machine):
    machine(FAKE_DEVICES=2)
    assert probe("cuda", "cuda1")[0] == []
    [message], _ = probe("cuda", "cuda2")
    assert "device=cuda2: the driver sees 2 GPUs, cuda0 to cuda1" in message


@pytest.mark.parametrize("driver, libraries, words", [
    (12020, {"nvrtc": (12, 4)}, ("NVRTC", "newer than NVIDIA's driver", "'nvidia-cuda-nvrtc-cu12==12.2.*'")),
    (12040, {"nvrtc": (13, 0), "cublas": (13, 0)}, ("cuBLAS", "newer", "'nvidia-cublas-cu12==12.*'")),
])
def test_libraries_newer_than_the_driver_are_refused(probe, machine, driver, libraries, words):
    machine(FAKE_VERSION=driver, **libraries)
    messages, _ = probe("cuda")
    assert all(word in messages[-1] for word in words), messages


def test_older_library_elsewhere_is_taken_over_a_newer_one(probe, machine, tmp_path):
    machine(FAKE_VERSION=12060, nvrtc=(13, 0))
    wheel = tmp_path / "site" / "nvidia" / "cuda_nvrtc" / "lib"
    fake_gpu.build(wheel, "nvrtc", "libnvrtc.so.12", FAKE_NVRTC_MAJOR=12, FAKE_NVRTC_MINOR=6)
    messages, rows = probe("cuda", PYTHONPATH=f"{tmp_path / 'site'}:{':'.join(filter(None, sys.path))}")
    assert messages == []
    assert rows["NVRTC"] == f"12.6 ({wheel}/libnvrtc.so.12)"


def test_toolkit_named_by_the_user_comes_first(python, machine, tmp_path):
    folder = machine()
    fake_gpu.build(tmp_path / "toolkit" / "lib64", "nvrtc", "libnvrtc.so.12", FAKE_NVRTC_MAJOR=12, FAKE_NVRTC_MINOR=1)
    result = python("from lsd_repro.runtime.gpu import cuda; print(cuda.find_nvrtc())",
                    LD_LIBRARY_PATH=folder, CUDA_PATH=str(tmp_path / "toolkit"))
    assert result.stdout.startswith("12.1 "), result.stderr


LINK = """if True:
    import ctypes
    from lsd_repro.runtime import load, toolchain
    from lsd_repro.runtime.gpu import cuda
    driver = cuda.find_driver()
    cuda.link_names(toolchain.find_compiler(), driver, cuda.find_nvrtc(driver), cuda.find_cublas(driver))
    major, minor, count = (ctypes.c_int() for _ in range(3))
    found = ctypes.CDLL("libcuda.so")
    found.cuDeviceGetAttribute(ctypes.byref(major), 75, 0)
    found.cuDeviceGetAttribute(ctypes.byref(minor), 76, 0)
    found.cuDeviceGetAttribute(ctypes.byref(count), 10, 0)
    print(major.value, minor.value, count.value, ctypes.CDLL("libnvrtc.so").nvrtcGetPTX is not None,
          ctypes.CDLL("libcublas.so").cublasSgemm_v2 is not None)
    """


@pytest.mark.parametrize("capability, reported", [((8, 6), "8 6"), ((9, 0), "9 0"), ((12, 0), "9 0")])
def test_libraries_are_found_under_the_names_that_libgpuarray_knows(python, machine, capability, reported):
    folder = machine(FAKE_MAJOR=capability[0], FAKE_MINOR=capability[1])
    result = python(LINK, LD_LIBRARY_PATH=folder)
    assert result.stdout == f"{reported} 32 True True\n", result.stderr


# ---------------------------------------------------------------- choosing


@pytest.fixture
def flags(monkeypatch, tmp_path):
    monkeypatch.setenv("THEANORC", str(tmp_path / "none"))

    def set_flags(text):
        monkeypatch.setenv("THEANO_FLAGS", text)
    return set_flags


@pytest.mark.parametrize("text, name", [("", "cpu"), ("device=cuda1,floatX=float64", "cuda1")])
def test_theano_flags_ask_for_a_device(flags, text, name):
    flags(text)
    assert device.asked() == name


def test_theanorc_asks_for_a_device(flags, monkeypatch, tmp_path):
    (tmp_path / "theanorc").write_text("[global]\ndevice = cuda0\n")
    monkeypatch.setenv("THEANORC", str(tmp_path / "theanorc"))
    flags("")
    assert device.asked() == "cuda0"


@pytest.mark.parametrize("text, word", [("device=gpu", "device=gpu"), ("init_gpu_device=cuda", "init_gpu_device"),
                                        ("contexts=a->cuda0", "contexts")])
def test_what_theano_would_pass_over_is_refused(flags, text, word):
    flags(text)
    with pytest.raises(InputError, match=word):
        device.asked()


def test_option_wins_over_theano_flags(python):
    result = python("""if True:
        from lsd_repro.runtime import device
        device.choose("cpu")
        from lsd_repro.runtime import load
        print(load.load().device, load.runs_on_cpu(), load.theano.config.floatX)
        """, THEANO_FLAGS="device=cuda,floatX=float64")
    assert result.stdout == "cpu True float64\n", result.stderr


def test_device_cannot_change_once_theano_is_imported(python):
    result = python("""if True:
        from lsd_repro.runtime import device
        from lsd_repro.runtime.load import theano
        device.choose("cpu")
        device.choose("cuda")
        """)
    assert "InputError: the device cannot be changed to cuda: Theano is already on cpu" in result.stderr


@pytest.mark.parametrize("flags_of_user, call", [
    ("device=cuda", ""), ("", "device.choose('cuda')"), ("device=cuda,force_device=True", "")])
def test_absent_gpu_is_a_message_before_theano_is_imported_and_no_cpu(python, machine, flags_of_user, call):
    result = python(f"""if True:
        import sys
        from lsd_repro.runtime import device
        from lsd_repro.errors import StackError
        {call}
        try:
            from lsd_repro.runtime.load import theano
        except StackError as error:
            print(error, "theano" in sys.modules)
        """, THEANO_FLAGS=flags_of_user, LD_LIBRARY_PATH=machine(FAKE_DEVICES=0))
    assert result.stdout.startswith("device=cuda: "), result.stderr
    assert result.stdout.endswith("False\n")
