"""Trains a family's networks on clips, so that they follow control frames.

The networks, their steering and the meaning of a prediction are those of inference. What is here
adds what inference does not need:

    config         the training file
    data           manifest -> clips: frames, conditions, latents, the cache
    jobs           what a clip of a job is, and what conditions it: inbetween, animate
    base_models    the models that training starts from
    memory         the memory of a step, computed
    assembly       a training file -> a run, or a look at what a run would do
    noise          noise levels, drawn from a distribution
    loss           what the UNet should predict, and how far its prediction is from it
    dropout        which conditions a pass keeps, so that guidance can be learned
    clips          a clip as a step takes it, and the same clip backward in time
    drawing        clips -> passes: a noise level, noise, a direction, the conditions that are kept
    steps          UNet and ControlNeXt under passes of different clips: predictions and loss
    trained_sets   which parameters are trained: a row for each family
    ema            the average of the trained parameters over the steps
    task           what the loop asks of a network and its samples
    svd_task       SVD's networks as such a task
    smcd           SMCD's networks as such a task, and their data sets, options and checkpoints
    loop           steps, checkpoints, resume, log, several processes
    validation     losses at fixed noise levels, and painted clips
    record         what a run keeps of its beginning
    export         a run -> files of the tensors that changed
    differences    which tensors of two files differ
    provenance     what an exported file says of its base and recipe
"""
