import { app } from "../../../scripts/app.js";

// Colours of this pack's wires. A model has a darker shade of what it finds or makes.
const COLORS = {
    FCVG_LINE_MATCHES: "#c6e03f",
    FCVG_GLUESTICK: "#93a62c",
    POSE_KEYPOINT: "#f06292",
    FCVG_DWPOSE: "#b0487a",
    FCVG_CONTROLNEXT: "#2bb59a",
};

// The editor empties the colours of all types whenever it loads a palette, and then sets those that
// the palette names. So a colour of ours stands behind what the editor sets, and never in its place.
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

app.registerExtension?.({
    name: "comfyuifcvg.colors",
    setup() {
        const style = document.head.appendChild(document.createElement("style"));
        for (const [type, color] of Object.entries(COLORS)) {
            offer(app.canvas.default_connection_color_byType, type, color);
            offer(window.LGraphCanvas.link_type_colors, type, color);
            // Nodes 2.0 reads this; the editor writes a palette's colour over it.
            style.textContent += `:root { --color-datatype-${type}: ${color}; }\n`;
        }
    },
});
