"""Generates the frames between two keyframes, or animates a picture, steered by control frames.

ComfyUI's nodes (in `nodes/`) and the command line (in `standalone/`) both use this library.

Folders without file access, in the order in which the data passes through them:

    lines       two frames -> matched line segments -> frames that show the lines move
    pose        two frames -> matched people -> frames that show the people move
    boxes       labelled boxes -> their place in every frame -> frames that show them; box files
    control     line matches and people -> control frames; a driving video -> control frames
    warp        keyframes, line matches and people -> the keyframes' own pixels as they move
    sampling    maths over the frame axis and the noise levels: fusion, windows, guidance,
                schedule, noise, injection, decoding in chunks
    video       an open video file -> frames as in a player, and its sound
    measures    frames and the true frames -> how close they are: PSNR, SSIM, jitter
    models      networks: `svd`, `controlnext`, and `kinds`, which recognises model files

Folders that read and write files:

    files       regular files, JSON, files of weights, videos, the results folder of a run
    catalogue   which model files and packages are needed, where they are, how to get them
    box_sets    data sets of videos whose objects have boxes: GOT-10k and YouTube-VIS
    standalone  everything without ComfyUI:
        media       pictures, videos, files of line matches and poses
        networks    SVD with diffusers: loading, denoising, decoding
        control     opens line matchers and pose detectors for the command line
        spec        one run as a value: for the command line, run.json and Python programs
        cli         the command line: options, commands, progress, run.json
        evaluation  compares results with the true frames: clips, LPIPS and FVMD, table, JSON
        demo        sample pictures and the strip of a result, to try the program without weights
    batch       thousands of jobs of the command line, each done once, on one machine or many:
                manifest, content keys, leases, ledger, workers, report
    training    clips -> networks that follow control frames: training file, clips and their
                cache, noise levels, loss, trained sets, loop, validation, export

Modules in this folder, which all folders use:

    frames      frames and batches of frames: to_gray, to_uint8, to_image, fit_frame, overlay
    coverage    in how many parts of a frame something is shown
    placement   where a picture lies in a frame of another size: cropped, padded or stretched
    timeline    position of each frame between the keyframes
    settings    SamplingSettings: steps, guidance, windows, noise injection; DrivingSettings
    clip        a picture as input of CLIP's image encoder
    canvas      sizes in words; the largest canvas of lines and people
    bounds      smallest and largest value of each setting
    choices     the words that a user can choose from
    folder_names  ids that can be the names of files and folders
    errors      UserError: an error that the user can fix
    failures    an error -> a sentence for the user
    progress    how long work reports how far it is
    signals     Ctrl+C and other signals that end the program
    quoting     text of users and files for messages, cut to a length
    shell       commands for messages, as typed in a terminal
    json_text   untrusted JSON text -> values
    containers  checks of .safetensors files and pickles before a library reads them
    opcodes     sizes of the arrays in a pickle, without executing the pickle
    weights     checks of a state dict: plain tensors, with the shapes that a network needs

Letters in shapes: B batch, T frames, N lines, M points, P people, K keypoints, D descriptor
length, C channels, H height, W width. Names of the first and the last keyframe end in `0` and
`1`. In this library frames are uint8 arrays [T, H, W, 3]; in ComfyUI an IMAGE is a float tensor
in 0..1. Latents and features have the channels first. Points are (x, y): in pixels for lines, in
0..1 of the frame for people. Sizes are (height, width).
"""
