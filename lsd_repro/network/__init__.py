"""The network: from a weights file to logits, and from words to class indices.

=====================  ==========================================================
``layers.py``          the table of a VGG's layers, which the rest reads
``weights.py``         `NetworkWeights`: what a VGG-16 or VGG-19 is made of; checks
``matconvnet.py``      MatConvNet's .mat file <-> `NetworkWeights`
``matfile.py``         the .mat file as such: variables, structs, cells
``quantise.py``        weights in few bits, for a small file
``separable.py``       filters as the coefficients of few functions, for a smaller one
``vgg16.py``           `NetworkWeights` -> Lasagne layers, fully convolutional
``receptive.py``       sizes and receptive fields, layer by layer
``pytorch.py``         `NetworkWeights` -> PyTorch layers (extra), to hold ours against
``random_weights.py``  `NetworkWeights` of any widths, seeded
``known.py``           entries by which the weights of 2014 are known
``ilsvrc.py``          the classes of ILSVRC 2012, which they know
``classes.py``         what a user calls a class -> its index
=====================  ==========================================================

Only ``vgg16`` needs Theano.
"""
