import assert from "node:assert/strict";
import { test } from "node:test";

import { MotionDocument, selectionOf } from "../../web/js/motion/document.js";
import { hit, selectBox } from "../../web/js/motion/picking.js";
import { PART, only, payload } from "./payloads.mjs";

const opened = () => new MotionDocument("", payload());
const chosen = (kind, ...ids) => selectionOf({ [kind]: ids });

// A hit as [kind, id], and of a point also its index, and of a joint its part.
function found(result) {
    const { kind, id, index, part } = result ?? {};
    return [kind, id, index, part].filter((value) => value !== undefined);
}

test("a line's end comes before the line, the nearest first", () => {
    const document = opened();
    assert.deepEqual(found(hit(document, "first", [11, 24], 8)), ["lines", 0, 0]);
    assert.deepEqual(found(hit(document, "first", [60, 24], 8)), ["lines", 0]);
    assert.equal(hit(document, "first", [60, 29], 8), undefined);
    assert.deepEqual(found(hit(document, "last", [60, 29], 8)), ["lines", 0]);
});

test("a joint that shows; a hidden joint only of a selected person", () => {
    const document = opened();
    const joint = ["people", 0, 2, PART];
    assert.deepEqual(found(hit(document, "first", [80, 80], 8)), joint);
    const part = { id: 0, which: "first", part: PART };
    document.changePart(part, (number, i) => (i === 8 ? 0 : number));
    assert.equal(hit(document, "first", [80, 80], 8), undefined);
    assert.deepEqual(found(hit(document, "first", [80, 80], 8, chosen("people", 0))), joint);
});

test("the way of a path; its handles only if it is selected", () => {
    const document = opened();
    const id = document.draw("paths", { points: [[300, 300], [300, 400], [400, 400], [400, 300]] });
    assert.deepEqual(found(hit(document, "first", [400, 302], 8)), ["paths", id, 3]);
    assert.deepEqual(found(hit(document, "last", [350, 374], 8)), ["paths", id]);
    assert.equal(hit(document, "first", [300, 400], 8), undefined);
    assert.equal(hit(document, "first", [300, 400], 8, chosen("paths", id)).index, 1);
});

test("what lies in a region comes before the region", () => {
    const document = opened();
    const id = document.draw("holds", { points: [[0, 0], [200, 0], [200, 100], [0, 100]] });
    assert.deepEqual(found(hit(document, "first", [40, 60], 8)), ["holds", id]);
    assert.deepEqual(found(hit(document, "first", [40, 20], 8)), ["lines", 0]);
    assert.equal(hit(document, "first", [200, 100], 8, chosen("holds", id)).index, 2);
    assert.equal(hit(document, "first", [201, 101], 8), undefined);
});

test("points of selected rows first; or nothing but selected rows", () => {
    const document = opened();
    const id = document.draw("lines", { first: [[10, 22], [300, 300]], last: [[0, 0], [9, 9]] });
    assert.equal(hit(document, "first", [10, 20], 8).id, 0);
    assert.equal(hit(document, "first", [10, 20], 8, chosen("lines", id)).id, id);
    assert.equal(hit(document, "first", [60, 20], 8, chosen("lines", id), true), undefined);
});

test("a box selects what lies in it wholly, from any corner", () => {
    const document = opened();
    const id = document.draw("paths", { points: [[20, 10]] });
    const within = (which, ...corners) => {
        const selection = selectionOf();
        selectBox(selection, document, which, ...corners);
        return selection;
    };
    const selection = within("first", [120, 90], [0, 0]);
    const expected = { lines: [0], people: [0], paths: [0, id], holds: [] };
    const ids = Object.entries(selection).map(([kind, rows]) => [kind, [...rows]]);
    assert.deepEqual(Object.fromEntries(ids), expected);
    assert.equal(within("first", [0, 0], [100, 100]).lines.size, 0);
    assert.equal(within("last", [0, 0], [120, 90]).people.size, 0);
});
