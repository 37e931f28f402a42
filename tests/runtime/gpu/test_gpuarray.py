"""The GPU backend without a GPU: real Theano, pygpu and libgpuarray on a driver that runs kernels on the processor.

What is compiled, and where each thing is computed and kept, is as on a GPU.  Where a
test doesn't look at numbers, kernels do nothing, as compiling each takes a second.
"""

import json
import os

import fake_gpu
import numpy as np
import pytest

from lsd_repro.runtime.load import theano

pytest.importorskip("pygpu", reason="pygpu, which Theano uses GPUs through, is not installed")


@pytest.fixture
def on_gpu(python, tmp_path):
    """Run code on a GPU that is not there; see `fake_gpu.build_all` for the options."""

    def run(code, environment=(), **options):
        folder = fake_gpu.build_all(tmp_path / "cuda", **options)
        # The kernels must not end in the cache of those that a real NVRTC has made.
        flags = (f"device=cuda,base_compiledir={theano.config.base_compiledir},"
                 f"gpuarray__cache_path={tmp_path / 'kernels'}")
        folders = os.pathsep.join(filter(None, [folder, os.getenv("LD_LIBRARY_PATH")]))
        return python(code, THEANO_FLAGS=flags, LD_LIBRARY_PATH=folders, CUDA_PATH="", CUDA_HOME="", **dict(environment))

    return run


STEP = """if True:
    import json
    import numpy as np
    from skimage import data
    from small_network import small_network
    from lsd_repro.material import shipped
    from lsd_repro.runtime import load
    from lsd_repro.step.evaluate import compile_energies
    from lsd_repro.step.gradient import GradientStep
    from lsd_repro.ops.patch_energy import PatchEnergy
    from lsd_repro.prior import store
    from lsd_repro.prior.energy import multiscale, patch_energy

    photo = data.astronaut()[40:136, 180:280]
    energy = patch_energy(store.load(shipped.path(shipped.PRIORS))["student"])
    step = GradientStep(small_network(np.random.default_rng(3)), multiscale(energy, (1, 4)), photo, 5.0, 10.0)
    state = step.state()
    nodes = step._step.maker.fgraph.toposort()
    is_gpu = lambda variable: "GpuArrayType" in type(variable.type).__name__
    dimensions = lambda variable: getattr(variable.type, "ndim", 0)
    print(json.dumps({
        "ops": sorted({type(node.op).__name__ for node in nodes}),
        "on the CPU": [str(node) for node in nodes if any(
            not is_gpu(v) and dimensions(v) > 1 for v in (*node.inputs, *node.outputs))],
        "transfers": [dimensions(node.inputs[0]) for node in nodes
                      if type(node.op).__name__ in ("GpuFromHost", "HostFromGpu")],
        "sums of maps": [str(node) for node in nodes if type(node.op).__name__ == "GpuCAReduceCuda"
                         and all(node.op.reduce_mask) and node.inputs[0].ndim > 2],
        "fused": sum(isinstance(node.op, PatchEnergy) for node in nodes),
        "kept": {variable.name: is_gpu(variable) for variable in (step._x, step._moments.m, step._moments.v)},
        "terms": len(step.step(7, 3)), "runs on CPU": load.runs_on_cpu(),
        "picture": bool((state["x"][0].transpose(1, 2, 0) == photo).all()),
        "set": [bool((step.picture == photo // 2).all()) for step.picture in [photo // 2]],
        "restored": [bool((step.picture == photo).all()) for _ in [step.restore(state)]],
        "energies": compile_energies(energy, (1, 4))(photo).shape}))
    """


def test_whole_step_moves_to_the_gpu(on_gpu):
    result = on_gpu(STEP)
    assert result.returncode == 0, result.stderr
    assert "ERROR" not in result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    # Of the picture, its maps and the network nothing is computed on the CPU, and only numbers go to and fro.
    assert found["on the CPU"] == []
    assert set(found["transfers"]) == {0}
    assert {"GpuCorrMM", "GpuCorrMM_gradInputs", "GpuElemwise", "GpuPool", "GpuMaxPoolGrad"} <= set(found["ops"])
    assert found["sums of maps"] == []
    assert found["fused"] == 0 and found["runs on CPU"] is False
    assert found["kept"] == {"x": True, "m": True, "v": True}
    assert (found["terms"], found["energies"]) == (4, [2])
    assert found["picture"] and found["set"] == found["restored"] == [True]


SUM = """if True:
    from lsd_repro.runtime.load import T, theano
    import numpy as np
    x = theano.shared(np.ones((3, 4), "float32"))
    function = theano.function([], T.exp(x + 1).sum())
    function()
    print(sorted(type(node.op).__name__ for node in function.maker.fgraph.toposort()))
    """


def test_gpu_newer_than_libgpuarray_gets_code_for_an_older_one(on_gpu):
    result = on_gpu(SUM, FAKE_MAJOR=12, FAKE_MINOR=0)
    assert result.stdout == "['GpuCAReduceCuda', 'GpuElemwise', 'HostFromGpu']\n", result.stderr


STEPS = """if True:
    import sys
    import numpy as np
    from skimage import data
    from small_network import small_network
    from lsd_repro.material import shipped
    from lsd_repro.step.gradient import GradientStep
    from lsd_repro.prior import store
    from lsd_repro.prior.energy import multiscale, patch_energy

    energy = multiscale(patch_energy(store.load(shipped.path(shipped.PRIORS))["student"]), (1, 4))
    step = GradientStep(small_network(np.random.default_rng(3)), energy, data.astronaut()[40:136, 180:280], 5.0, 10.0,
                        dtype="float64")
    terms, gradient, logits = step.evaluate(7, 3)
    losses = [step.step(7, 3).loss for _ in range(3)]
    np.savez("found.npz", terms=terms, gradient=gradient, logits=logits, losses=losses, picture=step.picture)
    """


@pytest.mark.slow
def test_gradient_and_steps_are_those_of_the_cpu(on_gpu, python, tmp_path):
    flags = f"base_compiledir={theano.config.base_compiledir}"
    for side, result in (("gpu", on_gpu(STEPS, {"FAKE_GPU_FOLDER": str(tmp_path)})), ("cpu", None)):
        result = result or python(STEPS, THEANO_FLAGS=flags)
        assert result.returncode == 0, result.stderr
        (tmp_path / "found.npz").rename(tmp_path / f"{side}.npz")
    with np.load(tmp_path / "gpu.npz") as gpu, np.load(tmp_path / "cpu.npz") as cpu:
        for name in cpu.files:
            assert np.abs(gpu[name] - cpu[name]).max() <= 1e-12 * np.abs(cpu[name]).max(), name
            assert np.ptp(gpu[name]) > 0


ATLAS = """if True:
    import numpy as np
    from pathlib import Path
    from small_network import small_network
    from lsd_repro.cli.main import main
    from lsd_repro.network import matconvnet
    from lsd_repro.runtime import load

    folder = Path({folder!r})
    matconvnet.write(folder / "small.mat", small_network(np.random.default_rng(3)))
    (folder / "sweep.toml").write_text('''
        [fixed]
        weights = "small.mat"
        size = "80x72"
        prior-kind = "tv"
        frames = 1
        steps = 1
        [swept]
        classes = ["creature 3"]
        ''')
    print(main(["atlas", str(folder / "sweep.toml"), "--device", "cuda", "--out", str(folder / "atlas")]), load.load().device)
    """


@pytest.mark.slow
@pytest.mark.parametrize("options, status", [({}, 0), ({"FAKE_CREATE": 1}, 2)])
def test_workers_of_an_atlas_have_the_gpu_for_themselves(on_gpu, tmp_path, options, status):
    """Theano refuses it to a process whose parent has it."""
    result = on_gpu(ATLAS.format(folder=str(tmp_path)), **options)
    assert result.stdout.splitlines()[-1] == f"{status} cpu", result.stderr
    assert ("the GPU cannot be used (GpuArrayException" in result.stderr) == bool(status)


def test_gpu_that_fails_is_a_message_and_no_cpu(on_gpu):
    result = on_gpu(SUM, FAKE_CREATE=1)
    assert result.stdout == ""
    assert "StackError: device=cuda: the GPU cannot be used (" in result.stderr


def test_backend_needs_its_mends(on_gpu):
    """Once a Theano comes that does not, this fails, and they can go."""
    result = on_gpu("""if True:
        from lsd_repro.runtime.gpu import gpuarray

        def as_released(device):
            import theano.gpuarray
            theano.gpuarray.use(device)

        gpuarray.use = as_released
        from lsd_repro.runtime.load import theano
        """)
    assert "module 'theano.gpuarray.optdb' has no attribute 'add_tags'" in result.stderr
