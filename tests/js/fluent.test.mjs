import assert from "node:assert/strict";
import { test } from "node:test";

import { MotionDocument, selectionOf } from "../../web/js/motion/document.js";
import { stateAt } from "../../web/js/motion/inbetween.js";
import { hit, selectBox } from "../../web/js/motion/picking.js";
import { payload } from "./payloads.mjs";

const FRAME = 1000 / 30; // milliseconds

// Scattered numbers, the same in every run.
function scattered(count) {
    let seed = 1;
    return Array.from({ length: count }, () => (seed = (seed * 16807) % 2147483647) % 600);
}

function crowded() {
    const places = scattered(3000 * 8);
    const matches = Array.from({ length: 3000 }, (_, id) => {
        const [a, b, c, d, e, f, g, h] = places.slice(8 * id);
        return { id, first: [[a, b], [c, d]], last: [[e, f], [g, h]], score: 0.5 };
    });
    return new MotionDocument("", payload({ size: [600, 600], matches }));
}

// The shortest of 30 calls, in milliseconds: other programs make the other calls longer.
function timeOf(work) {
    const times = Array.from({ length: 30 }, (_, i) => {
        const begin = performance.now();
        work(i + 1);
        return performance.now() - begin;
    });
    return Math.min(...times);
}

test("3,000 lines: what a frame of a drag needs is done 30 times a second", (t) => {
    const document = crowded();
    const all = { lines: new Set(document.lines.map((row) => row.id)) };
    const one = { lines: new Set([5]) };
    document.begin();
    const times = {
        "move one line": timeOf((i) => document.move(one, "first", i, 0)),
        "move all lines": timeOf((i) => document.move(all, "both", i, -i)),
        "state at a time": timeOf((i) => stateAt(document, i / 31)),
        "what is hit": timeOf((i) => hit(document, "first", [i * 20, 300], 8)),
        "what is in a box": timeOf((i) => selectBox(selectionOf(), document, "first", [0, 0], [i * 20, 600])),
    };
    document.commit();
    t.diagnostic(JSON.stringify(times));
    for (const [name, time] of Object.entries(times)) assert.ok(time < FRAME, name);
    assert.ok(times["move one line"] < 1, "one line that moves must not cost what all lines cost");
});
