"""The toy's model file, and its mode."""

from fcvg_core.catalogue.model_files import Download, Family, ModelFile, places

NETWORK = ModelFile(
    key="toy-network",
    name="the toy's network",
    comfyui=places("toys", "toy.safetensors"),
    folder=("toy.safetensors",),
    downloads=(Download("https://example.org/toy.safetensors", 1),),
    licence="none",
    source="example.org",
)
TOY = Family(mode="brighten", purpose="a brighter picture (toy)", needed=(NETWORK,))
