"""What the rest runs on: Theano, mended for today's Python, and the machine underneath.

===============  ==========================================================
``load.py``      imports Theano-PyMC and Lasagne, mended
``mend.py``      the mending
``find.py``      compiler, headers, BLAS; what is missing
``flags.py``     what the user set in Theano's flags
``openblas.py``  lets OpenBLAS use a processor newer than itself
``malloc.py``    makes the C library keep what arrays free
``device.py``    CPU or GPU
``gpu/``         which CUDA there is, and Theano's backend mended
``doctor.py``    all of that on one page
===============  ==========================================================
"""
