"""Trains a family's networks on clips, so that they follow control frames.

The networks, their steering and the meaning of a prediction are those of inference. What is here
adds what inference does not need:

    noise          noise levels, drawn from a distribution
    loss           what the UNet should predict, and how far its prediction is from it
    dropout        which conditions a pass keeps, so that guidance can be learned
    clips          a clip as a step takes it, and the same clip backward in time
    drawing        clips -> passes: a noise level, noise, a direction, the conditions that are kept
    steps          UNet and ControlNeXt under passes of different clips: predictions and loss
    trained_sets   which parameters are trained, and how fast: a row for each family
    ema            the average of the trained parameters over the steps
"""
