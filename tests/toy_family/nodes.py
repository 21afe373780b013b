"""The toy's node."""

from comfy_api.latest import io


class Brighten(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="Toy_Brighten",
            display_name="Brighten",
            category="toy",
            inputs=[io.Image.Input("image")],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def execute(cls, image) -> io.NodeOutput:
        import comfy.ops

        from toy_family.network import build, weights

        network = build(weights(2.0), name="toy", operations=comfy.ops.manual_cast)
        return io.NodeOutput(network(image.movedim(-1, 1)).movedim(1, -1))


NODES = [Brighten]
