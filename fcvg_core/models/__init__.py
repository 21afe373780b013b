"""One folder per published family of networks. What such a folder holds:

`<network>.py`      a frozen `Config` and modules that take `operations=torch.nn, dtype=None,
                    device=None`, so that a host's layers (VRAM management) can be put in.
`keys.py`           published key names -> the names used here or by the host, and the check
                    that a file is what it should be.
`conditioning.py`   pure functions that make what the network takes besides latents.

`layers.py` is the second use of a layer. Families never import each other, nor another room.
"""
