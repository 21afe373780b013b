"""The networks of diffusers and transformers: loading, denoising and decoding."""
