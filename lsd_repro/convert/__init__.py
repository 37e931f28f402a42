"""The same network from other files: Keras, Caffe, numpy, PyTorch, MATLAB -> `NetworkWeights` (no Theano).

===================  ========================================================
``reader.py``        a file of any of these formats -> `NetworkWeights`, and what is to be said of it
``stored.py``        what a file says that it holds, and reading it once that makes a network
``downloaded.py``    what ``lsd-repro fetch weights`` asks of a downloaded file
``colours.py``       a first layer for 0..1 -> one for grey levels
``keras.py``         .h5 (library h5py)
``mat73.py``         .mat of MATLAB 7.3 (library h5py)
``hdf5.py``          what the two of them read
``caffe.py``         .caffemodel
``npz.py``           numpy's .npz, the format of Davi Frossard's weights
``library.py``       optional libraries
``torchvision.py``   .safetensors (library safetensors), .pth (PyTorch)
===================  ========================================================

Nothing in a file is executed, and nothing larger than any VGG is read: a reader first
looks at shapes and types alone.
"""
