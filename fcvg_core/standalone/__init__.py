"""The face without ComfyUI: a Python program or the command line, files and diffusers' networks.

A spec says what to do (`spec`), a painter does it (`inbetween`, `animate`): see docs/python.md.
"""
