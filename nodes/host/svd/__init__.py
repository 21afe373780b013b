"""Stable Video Diffusion in ComfyUI: loaders, conditioning, decoding."""
