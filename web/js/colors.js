import { app } from "../../../scripts/app.js";

// Colours of the wires that this pack's nodes have. A model has a darker shade of what it finds or
// makes.
const COLORS = {
  FCVG_LINE_MATCHES: "#c6e03f",
  FCVG_MOTION: "#5fd0e6",
  FCVG_PATHS: "#3b93a5",
  FCVG_KEYFRAMES: "#b39ddb",
  FCVG_GLUESTICK: "#93a62c",
  POSE_KEYPOINT: "#f06292",
  FCVG_DWPOSE: "#b0487a",
  FCVG_CONTROLNEXT: "#2bb59a",
  FCVG_IMAGE_PROJECTOR: "#e0934a",
  FCVG_BOXES: "#e5b94e",
  BOUNDING_BOX: "#f2dca0",
  FCVG_SMCD_ENCODERS: "#b08a2c",
  TRACKS: "#3b93a5",
  CURVE: "#9aa7b0",
};

// The editor empties the colours of all types whenever it loads a palette, and then sets those
// that the palette names. So a colour of ours stands behind what the editor sets, not in its place.
function offer(colors, type, color) {
  let chosen = colors[type];
  Object.defineProperty(colors, type, {
    get: () => chosen || color,
    set: (other) => {
      chosen = other;
    },
    configurable: true,
    enumerable: true,
  });
}

// Nodes 2.0 reads the colours of types here. The editor writes those of a palette, and removes all
// that the next palette does not name.
function fillIn() {
  const { style } = document.documentElement;
  for (const [type, color] of Object.entries(COLORS)) {
    const name = `--color-datatype-${type}`;
    if (!style.getPropertyValue(name)) style.setProperty(name, color);
  }
}

app.registerExtension?.({
  name: "comfyuifcvg.colors",
  setup() {
    for (const [type, color] of Object.entries(COLORS)) {
      offer(app.canvas.default_connection_color_byType, type, color);
      offer(window.LGraphCanvas.link_type_colors, type, color);
    }
    fillIn();
    const changes = { attributes: true, attributeFilter: ["style"] };
    new MutationObserver(fillIn).observe(document.documentElement, changes);
  },
});
