"""ControlNeXt in ComfyUI: its loader, and the patch that steers a model."""
