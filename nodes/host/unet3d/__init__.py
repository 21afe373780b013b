"""What DynamiCrafter and SMCD share in ComfyUI: model, noise levels, DDIM, guider, encoders."""
