"""GPUs, by CUDA.

===============  ==============================================
``cuda.py``      which CUDA there is
``gpuarray.py``  Theano's GPU backend, mended
===============  ==============================================
"""
