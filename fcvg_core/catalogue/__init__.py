"""Which model files exist, where they are, how to get them, and which packages are installed.

Both faces use this room. It needs no torch, so that ComfyUI starts quickly and help appears at
once.
"""
