"""A family of networks from outside the product: it brightens pictures.

It shows what CONTRIBUTING.md says: a family has its own files, and one line in each of three lists.
tests/test_toy_family.py and tests/nodes/test_toy_family.py add the lines and change no file.
"""
