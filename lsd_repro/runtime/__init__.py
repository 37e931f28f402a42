"""What the rest runs on: Theano, mended for today's Python, and the machine underneath.

==================  ==================================================================
``install.py``      brings it and lsd_repro into an environment: what ``make`` calls
``load.py``         imports Theano-PyMC and Lasagne, mended
``mend.py``         the mending
``check.py``        what is missing for it
``extras.py``       what is missing of that which only some commands need
``toolchain.py``    compiler, headers, BLAS
``flags.py``        what the user set in Theano's flags
``precompiled.py``  the headers that all compiled code reads, compiled once
``ahead.py``        compiles ahead, in parallel
``openblas.py``     has OpenBLAS use a processor that is newer than it
``malloc.py``       has the C library keep what arrays free
``symbolic.py``     what hints call a symbolic variable
``device.py``       CPU or GPU
``progress.py``     bars, for a terminal or a notebook
``provenance.py``   what a result depends on: versions, machine
``gpu/``            which CUDA there is, and Theano's backend mended
==================  ==================================================================
"""
