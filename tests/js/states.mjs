// Standard input: [{ text, payload, times }, ...]. Standard output: the states at these times, and
// the text that the document writes: [{ states, text }, ...].
import { readFileSync } from "node:fs";

import { MotionDocument } from "../../web/js/motion/document.js";
import { stateAt } from "../../web/js/motion/inbetween.js";

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ text, payload, times }) => {
    const document = new MotionDocument(text, payload);
    const states = times.map((time) => {
        const maps = Object.entries(stateAt(document, time));
        return Object.fromEntries(maps.map(([kind, rows]) => [kind, [...rows]]));
    });
    return { states, text: document.toText() };
});
process.stdout.write(JSON.stringify(answers));
