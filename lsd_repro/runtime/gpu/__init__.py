"""CUDA: what of it is there (`cuda`), and Theano's GPU backend, mended (`gpuarray`)."""
