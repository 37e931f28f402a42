"""The network: from a weights file to logits, and from words to class indices.

=====================  ===================================================
Only ``vgg16`` needs Theano.
"""
