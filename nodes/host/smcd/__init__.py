"""SMCD in ComfyUI: model, loaders, conditioning."""
