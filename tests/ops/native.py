"""The C++ of the fused Ops compiled apart from Theano, whose own flags for the processor come last, and held against numpy.

``python native.py LIBRARY`` checks a library in a process of its own, such as one that reports wrong memory accesses;
``python native.py LIBRARY beyond`` makes one.
"""

import ctypes
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LIMITS = {"float32": 3e-6, "float64": 1e-13}
SCALE = 0.665248
# Height, width, columns, rows: less than a tile, tiles cut off, channels that fill vectors and don't, several blocks.
LAYERS = [(1, 1, 1, 1), (3, 2, 1, 2), (9, 14, 3, 40), (4, 8, 32, 16), (90, 70, 32, 20)]
# Height, width, size of a patch.
ENERGIES = [(8, 8, 8), (5, 9, 4), (41, 30, 8), (19, 70, 5), (7, 6, 1)]


def build(library, compiler, *options):
    """Compile ``driver.cpp`` and what it includes."""
    import lsd_repro.ops

    folders = [Path(lsd_repro.ops.__file__).parent, sysconfig.get_paths()["include"], np.get_include()]
    subprocess.run([compiler, "-shared", "-fPIC", "-Wno-psabi", *options,
                    *(f"-I{folder}" for folder in folders), str(HERE / "driver.cpp"), "-o", str(library)], check=True)
    return library


class Native:
    """The functions of a library, on arrays of one type; they raise what it raises."""

    def __init__(self, library, dtype):
        self.dtype = dtype
        self._library = ctypes.PyDLL(str(library))
        self._library.prepare()
        self._real = {"float32": "float", "float64": "double"}[dtype]
        self.vector_bytes = self._library.vector_bytes()

    def read_beyond(self, count):
        """What a library that reports wrong memory accesses must report."""
        self._library.read_beyond(count)

    def allow_allocations(self, count):
        self._library.allow_allocations(ctypes.c_long(count))

    def filters(self, weight):
        return self._call("filters", [weight], [], 1)[0]

    def layer(self, x, filters, bias, window=1):
        """Of channels that come last; and its bits."""
        return self._call("layer", [x, filters, bias], [window], 2)

    def gradient(self, upstream, bits, filters, size, window=1):
        return self._call("gradient", [upstream, bits, filters, np.array(size, "int64")], [window], 1)[0]

    def energy(self, x, filters, mean, student=True):
        return self._call("energy", [x, filters, mean], [int(student), ctypes.c_double(SCALE)], 2)

    def _call(self, name, arrays, numbers, count):
        outputs = [ctypes.py_object() for _ in range(count)]
        function = getattr(self._library, f"{name}_{self._real}")
        function(*map(ctypes.py_object, arrays), *numbers, *map(ctypes.byref, outputs))
        results = [output.value for output in outputs]
        for result in results:
            ctypes.pythonapi.Py_DecRef(ctypes.py_object(result))  # the library's own reference
        return results


def route(up, response, window):
    """Where in front of rectification and max-pool (channels, height, width) a gradient goes, by plain comparison.

    `up` is made 0 where rounding might decide that.
    """
    height, width = (side // window * window for side in response.shape[1:])
    blocks = response[:, :height, :width].reshape(len(response), height // window, window, width // window, window)
    candidates = np.sort(np.maximum(blocks.transpose(0, 1, 3, 2, 4).reshape(*up.shape, window ** 2), 0), axis=-1)
    margin = np.abs(np.diff(candidates, axis=-1, prepend=0)[..., -1])
    up[margin < 1e-4 * np.abs(response).max()] = 0
    chosen = (blocks == blocks.max(axis=(2, 4), keepdims=True)) & (blocks > 0)
    routed = np.zeros(response.shape)
    routed[:, :height, :width] = (chosen * up[:, :, None, :, None]).reshape(len(response), height, width)
    return routed


def check_layer(native, height, width, columns, rows, window):
    from reference import correlate, max_pool

    rng = np.random.default_rng(height)
    x, weight, bias = (rng.normal(size=shape).astype(native.dtype) for shape in (
        (columns, height, width), (rows, columns, 3, 3), rows))
    filters = native.filters(weight)
    y, bits = native.layer(np.ascontiguousarray(x.transpose(1, 2, 0)[None]), filters, bias, window)
    exact = [array.astype(float) for array in (x, weight, bias)]
    response = correlate(*exact, pad=1)
    rectified = np.maximum(response, 0)
    close(y[0].transpose(2, 0, 1), max_pool(rectified) if window == 2 else rectified, native.dtype)
    up = rng.normal(size=(rows, *y.shape[1:3])).astype(native.dtype)
    routed = route(up, response, window)
    found = native.gradient(np.ascontiguousarray(up.transpose(1, 2, 0)[None]), bits, filters, (height, width), window)
    turned = exact[1].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1]
    close(found[0].transpose(2, 0, 1), correlate(routed, turned, np.zeros(columns), pad=1), native.dtype)


def check_energy(native, height, width, size, student):
    rng = np.random.default_rng(width)
    components = 3 * size ** 2
    x = rng.normal(0, 50, (1, 3, height, width)).astype(native.dtype)
    filters = rng.normal(0, 0.2 / size, (components, 3, size, size)).astype(native.dtype)
    mean = rng.normal(size=components).astype(native.dtype)
    energy, gradient = native.energy(x, filters, mean, student)
    windows = np.lib.stride_tricks.sliding_window_view(x[0].astype(float), (size, size), (1, 2))
    turned = filters[:, :, ::-1, ::-1].astype(float)
    d = np.einsum("kcij,cyxij->yxk", turned, windows, optimize=True) - mean
    expected = np.log1p(d ** 2 / SCALE) if student else d ** 2
    slopes = np.einsum("yxk,kcij->cyxij", (2 * d / (SCALE + d ** 2) if student else 2 * d) / d.size, turned, optimize=True)
    exact = np.zeros(x.shape[1:])
    for i in range(size):
        for j in range(size):
            exact[:, i:i + d.shape[0], j:j + d.shape[1]] += slopes[..., i, j]
    close(energy, expected.mean(), native.dtype)
    close(gradient[0], exact, native.dtype)


def close(found, expected, dtype):
    np.testing.assert_allclose(found, expected, rtol=0, atol=LIMITS[dtype] * np.abs(expected).max(initial=0))


def check_refusals(native):
    """Shapes that don't fit, and memory that there is not; nothing more is asked of the results."""
    for name, arguments in refused(native.dtype):
        try:
            getattr(native, name)(*arguments)
        except ValueError:
            continue
        raise AssertionError(f"{name} took {[getattr(one, 'shape', one) for one in arguments]}")
    for name, arguments in small(native):
        for count in range(10):
            native.allow_allocations(count)
            try:
                getattr(native, name)(*arguments)
                break
            except MemoryError:
                assert count < 9, f"{name} is never content"
            finally:
                native.allow_allocations(-1)
        assert count, f"{name} needs no memory"


def small(native):
    """Calls that go well, by name, with their arguments."""
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.normal(size=shape).astype(native.dtype) for shape in ((1, 9, 7, 3), (5, 3, 3, 3), 5))
    filters = native.filters(weight)
    y, bits = native.layer(x, filters, bias)
    prior = rng.normal(size=(6, 3, 4, 4)).astype(native.dtype), rng.normal(size=6).astype(native.dtype)
    return [("layer", (x, filters, bias)), ("gradient", (y, bits, filters, (9, 7))),
            ("energy", (np.ascontiguousarray(x.transpose(0, 3, 1, 2)), *prior))]


def refused(dtype):
    """Calls whose shapes are empty, don't fit, or are too large to be counted, by name."""
    def zeros(*shape):
        # As large as it likes: all its values are one.
        return np.broadcast_to(np.zeros((), dtype), shape)

    def bits(*shape):
        return np.zeros(shape, dtype.replace("float", "int"))

    lanes = zeros(43, 1, 3, 64)
    return [
        ("filters", (zeros(0, 3, 3, 3),)), ("filters", (zeros(5, 0, 3, 3),)), ("filters", (zeros(5, 3, 3, 2),)),
        ("filters", (zeros(2 ** 32 + 5, 3, 3, 3),)), ("filters", (zeros(5, 2 ** 31, 3, 3),)),
        ("layer", (zeros(1, 0, 9, 3), lanes, zeros(5))), ("layer", (zeros(1, 9, 9, 3), lanes, zeros(0))),
        ("layer", (zeros(1, 2 ** 32 + 9, 9, 3), lanes, zeros(5))), ("layer", (zeros(2, 9, 9, 3), lanes, zeros(5))),
        ("gradient", (zeros(1, 9, 9, 5), bits(1, 3, 3, 5), lanes, (2 ** 32 + 9, 9))),
        ("gradient", (zeros(1, 9, 9, 5), bits(1, 3, 3, 5), lanes, (-9, 9))),
        ("gradient", (zeros(1, 9, 9, 5), bits(1, 3, 3, 5), lanes, (9,))),
        ("energy", (zeros(1, 3, 9, 9), zeros(6, 3, 0, 0), zeros(6))), ("energy", (zeros(1, 3, 9, 9), zeros(0, 3, 4, 4), zeros(0))),
        ("energy", (zeros(1, 3, 9, 2 ** 32 + 9), zeros(6, 3, 4, 4), zeros(6))),
        ("energy", (zeros(1, 3, 2 ** 16, 2 ** 16), zeros(6, 3, 4, 4), zeros(6))),
        ("energy", (zeros(1, 2 ** 24, 9, 9), zeros(6, 2 ** 24, 4, 4), zeros(6))),
    ]


def check(library, dtypes=tuple(LIMITS)):
    """All there is to check."""
    for dtype in dtypes:
        native = Native(library, dtype)
        for shape in LAYERS:
            for window in (1, 2):
                check_layer(native, *shape, window)
        for shape in ENERGIES:
            for student in (True, False):
                check_energy(native, *shape, student)
        check_refusals(native)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    if sys.argv[2:] == ["beyond"]:
        Native(sys.argv[1], "float32").read_beyond(16)
    else:
        check(sys.argv[1])
