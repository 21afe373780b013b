import assert from "node:assert/strict";
import { test } from "node:test";

import { distanceTo, eachJoint, isInside, pairedEnds, polylineOf } from "../../web/js/motion/geometry.js";
import { PART, person } from "./payloads.mjs";

test("the distance to a line ends at its ends", () => {
    const line = [[0, 0], [10, 0]];
    assert.equal(distanceTo(line, [5, 3]), 3);
    assert.equal(distanceTo(line, [13, 4]), 5);
    assert.equal(distanceTo([[1, 1], [1, 1]], [4, 5]), 5);
});

test("a polygon may be hollow", () => {
    const polygon = [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]];
    assert.ok(isInside(polygon, [1, 5]));
    assert.ok(!isInside(polygon, [5, 5]));
    assert.ok(!isInside(polygon, [11, 5]));
});

test("a Bezier curve is 32 straight pieces, and neighbours share a point", () => {
    const curves = [[0, 0], [0, 8], [8, 8], [8, 0], [8, -8], [16, -8], [16, 0]];
    const way = polylineOf(curves);
    assert.equal(way.length, 65);
    assert.deepEqual([way[0], way[16], way[32], way[64]], [[0, 0], [4, 6], [8, 0], [16, 0]]);
    assert.equal(polylineOf(curves), way);
    assert.deepEqual(polylineOf([[3, 4]]), [[3, 4]]);
});

test("ends are paired by the shortest way; two ways of one length are swapped", () => {
    const first = [[0, 0], [10, 0]];
    const near = [[1, 0], [9, 0]];
    assert.deepEqual(pairedEnds(first, near), near);
    assert.deepEqual(pairedEnds(first, [near[1], near[0]]), near);
    assert.deepEqual(pairedEnds(first, [[5, 5], [5, -5]]), [[5, -5], [5, 5]]);
});

test("joints are all triples of a person's lists", () => {
    const joints = [];
    const add = (...values) => joints.push(values);
    eachJoint({ ...person(), face_keypoints_2d: null, fcvg_brightness: 0.5 }, add);
    assert.equal(joints.length, 18);
    assert.deepEqual(joints[2], [80, 80, 1, PART, 2]);
    eachJoint(null, add);
    assert.equal(joints.length, 18);
});
