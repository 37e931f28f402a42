"""The network: from a weights file to logits, and from words to class indices.

=====================  ==========================================================
``matconvnet.py``      MatConvNet's .mat file <-> `NetworkWeights`
``matfile.py``         the .mat file as such: variables, structs, cells
``quantise.py``        weights in few bits, for a small file
``vgg16.py``           `NetworkWeights` -> Lasagne layers, fully convolutional
``receptive.py``       sizes and receptive fields, layer by layer
``pytorch.py``         `NetworkWeights` -> PyTorch layers (extra), to hold ours against
``random_weights.py``  `NetworkWeights` of any widths, seeded
``classes.py``         what a user calls a class -> its index
=====================  ==========================================================

Only ``vgg16`` needs Theano.
"""
