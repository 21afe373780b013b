"""DynamiCrafter in ComfyUI: model, loaders, conditioning, stories."""
