"""DropletVideo in ComfyUI: model, loaders, VAE, conditioning, noise levels."""
