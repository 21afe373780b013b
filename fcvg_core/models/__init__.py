"""Networks, one folder for each published family of them, and the contract of a family.

A folder here holds what is a family's own and pure, under the names of what it is about:

`network.py`        modules that take `operations=torch.nn, dtype=None, device=None`, so that a
                    host can put in its own layers, which manage its memory; and a frozen `Config`
                    with their sizes. Versions of a network are rows of its `Config`.
`keys.py`           published key names -> the names used here or by a host; the sizes of a
                    network, read from the shapes in its file.
`conditioning.py`   pure functions that make what the network takes besides latents.

A family may lack some of these: `svd/` has no network, because both faces bring their own UNet and
VAE, but it has `configs.py`, the rules for the config files of its folder. `kinds.py` serves all
families: it tells from key names what a file is, and refuses a file that does not fit. A layer
moves to `layers.py` when a second family needs it. Families never import each other, nor a room.

Outside this folder a family is a line in each of three lists, and files of its own beside them:

`catalogue/families.py`      its mode and its model files, in `catalogue/<family>.py`. `models`,
                             `doctor` and ComfyUI's folders follow from this line.
`standalone/cli/commands`    its command, with networks of diffusers in `standalone/networks/`.
`nodes/__init__.py`          its nodes, in `nodes/<family>.py`; what ComfyUI calls back, and what
                             loads its files, is in `nodes/host/<family>/`.
"""
