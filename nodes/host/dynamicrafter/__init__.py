"""DynamiCrafter in ComfyUI: model, loaders, conditioning, sampler, guider."""
