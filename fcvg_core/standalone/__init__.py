"""The face without ComfyUI: for the command line and Python programs, with diffusers' networks.

A spec says what to do (`spec`), and a painter does it (`inbetween`, `animate`): see docs/python.md.
"""
