"""Networks, one folder for each published family, and the contract of a family.

A family's folder holds pure code: no file is opened here, and no host is imported.

`network.py`        Modules that take `operations=torch.nn, dtype=None, device=None`, so that a
                    host can put in its own layers, which manage its memory. A frozen `Config`
                    holds their sizes; versions of a network are rows of its `Config`.
`keys.py`           Published key names -> the names used here or by a host; or the sizes of a
                    network, read from the shapes in its file.
`conditioning.py`   Pure functions that prepare the network's inputs besides latents.

A family may lack some of these files and have more:

`svd/`              The base of FCVG and of ControlNeXt-SVD. It has no network, because both faces
                    bring their own UNet and VAE. `prediction.py` holds the meaning of the UNet's
                    prediction, `configs.py` the rules for the config files of SVD's folder.
`controlnext/`      The network that steers SVD. `features.py` computes its features of a video and
                    adds them to a hidden state, `fit.py` refuses a wrong combination of files.
`unet3d/`           The UNet that DynamiCrafter and SMCD share. Their differences are switches of
                    its Config, which `keys.py` reads from a file's names and shapes.
`dynamicrafter/`    A picture and a prompt -> a video. `variants.py` is the table of the published
                    models, `keys.py` takes a checkpoint apart, `projector.py` turns CLIP's tokens
                    of the picture into tokens for each frame. Its UNet is `unet3d/`.
`dropletvideo/`     A picture and a prompt -> a video, by a transformer and a VAE over time of its
                    own. `rules.py` says which sizes, lengths and texts the model takes,
                    `settings.py` what its config files may say. `network.py` and `blocks.py` are
                    the transformer.
`smcd/`             A picture, boxes that move and a prompt -> a video. Its UNet is `unet3d/`. The
                    two networks here turn boxes with labels, and the first frame, into tokens.

Some files serve all families. `kinds.py` tells from key names what a file is, and refuses a file
that does not fit. `config_rules.py` checks the values of config files. `sizes.py` refuses frames of
a wrong size. A layer moves to `layers.py` when a second family needs it. A family may import the
base on which it stands (`controlnext/` imports `svd/`; `dynamicrafter/` and `smcd/` import
`unet3d/`), but no other family and no other room.

Outside this folder, a family adds a line to each of three lists, and files of its own beside each:

`catalogue/families.py`      The list of families. `catalogue/<family>.py` holds its mode and its
                             model files. The commands `models` and `doctor`, the search for model
                             files and ComfyUI's folders follow from this line.
`standalone/cli/commands/`   The commands. `standalone/networks/` loads and runs its networks.
`nodes/__init__.py`          The list of node modules. `nodes/<family>.py` holds its nodes;
                             `nodes/host/<family>/` loads its files, and holds what ComfyUI calls.
"""
