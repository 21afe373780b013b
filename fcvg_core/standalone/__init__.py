"""The face without ComfyUI: files, diffusers' networks, command line."""
