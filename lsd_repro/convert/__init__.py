"""The same network from other files: Keras, Caffe, numpy, PyTorch -> `NetworkWeights` (no Theano).

===================  ========================================================
``reader.py``        a file of any of these formats -> `NetworkWeights`, and what was found
``stored.py``        what a file claims to hold, and reading it if that makes a network
``colours.py``       a first layer for 0..1 -> one for grey levels
``keras.py``         .h5 (library h5py)
``caffe.py``         .caffemodel
``npz.py``           numpy's .npz, the format of Davi Frossard's weights
``library.py``       optional libraries
``torchvision.py``   .safetensors (library safetensors), .pth (PyTorch)
===================  ========================================================

Nothing in a file is executed, and nothing larger than any VGG is read: a reader first
looks at shapes and types alone.
"""
