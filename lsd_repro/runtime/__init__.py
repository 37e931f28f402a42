"""What the rest runs on: a Theano that is mended for today's Python, and the machine that it finds.

==============  ==========================================================
``load.py``     imports Theano-PyMC and Lasagne, mended
``mend.py``     the mending
``find.py``     compiler, headers, BLAS; what is missing
``flags.py``    what the user set in Theano's flags
``openblas.py`` has OpenBLAS use a processor that is newer than it
``malloc.py``   has the C library keep what arrays free
``device.py``   CPU or GPU
``gpu/``        which CUDA there is, and Theano's backend mended
==============  ==========================================================
"""
