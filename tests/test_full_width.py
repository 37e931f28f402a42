"""The real sizes, end to end, on weights of our own."""

import json

import numpy as np
import pytest
from small_network import small_network

from lsd_repro.network import matconvnet
from lsd_repro.network.layers import FULL

GIB = 2 ** 30

CODE = """
import json
import numpy as np
from lsd_repro.bench.worker import memory
from lsd_repro.material import shipped
from lsd_repro.step.gradient import GradientStep
from lsd_repro.film.start import load_start
from lsd_repro.network import matconvnet
from lsd_repro.network.layers import FULL
from lsd_repro.prior import store
from lsd_repro.prior.energy import multiscale, patch_energy
from lsd_repro.program2015 import STREAM

network = matconvnet.read({weights!r})
prior = store.load_kind(shipped.path(shipped.PRIORS), "student")
start = load_start(size=(STREAM.width, STREAM.height))
step = GradientStep(network, multiscale(patch_energy(prior), STREAM.prior_scales), start, STREAM.learning_rate,
                    STREAM.prior_strength, STREAM.network_scales)
losses = [step.step(3, 5).loss for _ in range(2)]
moved = float(np.abs(step.picture - start).mean())
print(json.dumps([network.parameter_count, losses, moved, memory()["peak"]]))
"""


@pytest.mark.slow
def test_the_stream_at_full_width_and_size_takes_less_than_2_5_gib(tmp_path, python):
    weights = tmp_path / "vgg16.mat"
    network = small_network(np.random.default_rng(7), **FULL)
    matconvnet.write(weights, network)
    assert weights.stat().st_size > GIB // 2
    result = python(CODE.format(weights=str(weights)))
    assert result.returncode == 0, result.stderr
    parameters, losses, moved, peak = json.loads(result.stdout)
    print(f"peak memory {peak:.0f} MiB")
    assert parameters == 138_357_544
    assert np.isfinite(losses).all() and losses[1] < losses[0]
    assert 3 < moved < 10
    assert peak < 2560
