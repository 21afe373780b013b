"""The networks as diffusers and transformers have them: loaded, denoising, decoding."""
