"""The only code of the pack that opens files or that ComfyUI calls back."""
