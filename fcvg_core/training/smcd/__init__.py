"""The second stage of SMCD's training: a model that knows boxes learns a picture too.

spec             what a run is told
official_config  the official configuration as such a spec
start            the files that training starts from -> networks
network          the three networks as training takes them, with the official dropout
encoders         text encoder and VAE in training
videos           data sets of videos with boxes -> windows of them
dropping         which conditions a batch keeps
steps            noised videos under the UNet: prediction and loss
task             all this as the loop's task
layout           checkpoints in the official layout, also those of the official program
run              a spec -> a run
"""
