"""The method: frames between two frames, painted along conditions that both share.

The rooms, in the order in which the data passes through them:

    frames      batches of frames: to_gray, to_uint8, to_image, fit_frame, overlay
    canvas      how large what lines and people are placed on may be
    timeline    when each frame lies between the keyframes
    lines       two frames -> matched segments -> drawn frames
    pose        two frames -> matched people -> drawn frames
    control     lines and people -> control frames; a driving video -> control frames
    sampling    maths over the frame axis: fusion, windows, schedule, noise
    models      one folder per published family of networks
    standalone  the face without ComfyUI: files, diffusers, command line

What all of them use:

    files       plain files, JSON, files of weights, folders of a run
    catalogue   which model files exist, where they lie, how to get them; no torch
    errors      UserError: what a user can mend
    bounds      between which numbers a setting lies, without torch
    choices     the words that a user can choose from, without torch
    settings    values that a user sets, part by part, without torch
    quoting     what a user or a file says, repeated in a message, never too long
    shell       a command as it is typed, for messages
    json_text   JSON from anywhere -> values
    containers  files of weights, checked before a library reads them; opcodes: the pickles in them
    weights     tensors by name against what a network needs

Letters in shapes: B batch, T frames, N lines, M points, P people, K keypoints, D descriptor,
C H W. Keyframes are `0` and `1`. Frames are uint8 arrays [T, H, W, 3] in here and float tensors
in 0..1 on wires; latents and control are channels first. Points are (x, y) in pixels (people's in
0..1 of the frame), sizes (height, width).
"""
