"""The page of a batch's report without its rows: style, script and frame, as plain text."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --card: #fff; --line: #dfe2e8; --text: #1b1f27; --faint: #5d6573;
  --done: #15703c; --failed: #b3261e; --left: #8a5a00; --link: #1a56b0; --strip: #e9ebef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1d2026; --line: #343943; --text: #e8eaee; --faint: #9aa3b2;
    --done: #6fd39b; --failed: #ff8f85; --left: #f0c060; --link: #8ab8ff; --strip: #2a2e36;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; max-width: 1240px; padding: 28px 20px 60px; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { margin: 0; font-size: 24px; }
h1 + p { margin: 2px 0 18px; color: var(--faint); overflow-wrap: anywhere; }
a { color: var(--link); }
.counts { display: flex; flex-wrap: wrap; gap: 12px; margin: 0 0 16px; padding: 0; }
.counts div {
  flex: 1 1 120px; padding: 10px 16px; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px;
}
.counts dt { color: var(--faint); font-size: 13px; }
.counts dd { margin: 0; font-size: 24px; font-weight: 600; font-variant-numeric: tabular-nums; }
.counts .done dd { color: var(--done); }
.counts .failed dd { color: var(--failed); }
.counts .left dd { color: var(--left); }
.note {
  margin: 0 0 12px; padding: 10px 14px; background: var(--card); border: 1px solid var(--line);
  border-left: 4px solid var(--left); border-radius: 8px; overflow-wrap: anywhere;
}
.tools {
  position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 10px;
  align-items: center; margin: 0 -20px; padding: 12px 20px; background: var(--page);
}
input, select, button {
  padding: 7px 11px; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px;
}
input { flex: 1 1 220px; min-width: 0; }
button { cursor: pointer; }
button[aria-pressed=true] { border-color: var(--link); box-shadow: inset 0 0 0 1px var(--link); }
:is(a, input, select, button, summary):focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px;
}
output { color: var(--faint); font-variant-numeric: tabular-nums; }
.pairs {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 530px), 1fr));
  gap: 14px; margin: 4px 0 0; padding: 0; list-style: none;
}
.pairs li {
  min-width: 0; padding: 12px 16px 14px; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px;
}
.pairs .failed { border-color: var(--failed); }
.head { display: flex; gap: 10px; align-items: baseline; }
h2 { flex: 1; min-width: 0; margin: 0; font-size: 16px; overflow-wrap: anywhere; }
.state { font-size: 13px; font-weight: 600; }
.done .state { color: var(--done); }
.failed .state { color: var(--failed); }
.facts { margin: 0; color: var(--faint); font-size: 13px; overflow-wrap: anywhere; }
.prompt { margin: 4px 0 0; font-style: italic; overflow-wrap: anywhere; }
.error { margin: 8px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.pairs img {
  display: block; width: 100%; min-height: 24px; margin-top: 8px; background: var(--strip);
  border-radius: 5px;
}
button.more { display: block; margin: 18px auto 0; }
details { margin-top: 8px; font-size: 13px; }
pre { margin: 6px 0 0; overflow-x: auto; font: 12px/1.45 ui-monospace, Consolas, monospace; }
footer { margin-top: 24px; color: var(--faint); font-size: 13px; }
@media print { .tools { display: none; } .pairs li { break-inside: avoid; } }
"""

SCRIPT = """
"use strict";
// A browser lays out thousands of rows slowly, so that most rows wait in a template.
const AT_ONCE = 200;
const list = document.querySelector(".pairs");
const search = document.querySelector("input");
const order = document.querySelector("select");
const states = [...document.querySelectorAll("[data-state]")];
const shown = document.querySelector("output");
const more = document.querySelector(".more");
const waiting = document.querySelector("template").content;
const pairs = [...list.children, ...waiting.children].map((item, place) => ({
  item, place, state: item.className, time: item.dataset.time || "",
  seconds: Number(item.dataset.seconds) || 0, text: item.textContent.toLowerCase(),
  id: item.querySelector("h2").textContent,
}));
const { compare } = new Intl.Collator(undefined, { numeric: true });
const orders = {
  state: (a, b) => a.place - b.place,
  id: (a, b) => compare(a.id, b.id) || a.place - b.place,
  newest: (a, b) => (a.time < b.time) - (a.time > b.time) || a.place - b.place,
  slowest: (a, b) => b.seconds - a.seconds || a.place - b.place,
};
let state = "", found = [];
function showMore() {
  const next = found.slice(list.children.length, list.children.length + AT_ONCE);
  list.append(...next.map((pair) => pair.item));
  more.hidden = list.children.length >= found.length;
}
function select() {
  const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
  found = pairs.filter((pair) =>
    (!state || pair.state === state) && words.every((word) => pair.text.includes(word)));
  found.sort(orders[order.value]);
  list.replaceChildren();
  showMore();
  const [some, all] = [found, pairs].map((them) => them.length.toLocaleString("en"));
  shown.value = `${some} of ${all} pairs`;
}
let timer = 0;
search.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(select, 80);
});
for (const button of states) {
  button.addEventListener("click", () => {
    state = button.dataset.state;
    for (const other of states) other.setAttribute("aria-pressed", String(other === button));
    select();
  });
}
order.addEventListener("change", select);
more.addEventListener("click", showMore);
new IntersectionObserver((seen) => {
  if (seen.some((one) => one.isIntersecting)) showMore();
}, { rootMargin: "600px" }).observe(more);
document.querySelector(".rest")?.remove();
document.querySelector(".tools").hidden = false;
select();
"""

# The rules keep the page from asking for anything: a picture can only be in the page itself, and
# only the script above runs, whatever a manifest has written into a message.
HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src '{style_mark}'; script-src '{script_mark}'; base-uri 'none'; form-action 'none'">
<title>Batch report</title>
<style>{style}</style>
</head>
<body>
<h1>Batch report</h1>
<p>{subtitle}</p>
<dl class="counts">
<div class="done"><dt>done</dt><dd>{done}</dd></div>
<div class="failed"><dt>failed</dt><dd>{failed}</dd></div>
<div class="left"><dt>left</dt><dd>{left}</dd></div>
"""

TOOLS = """</dl>
{notes}<div class="tools" hidden>
<input type="search" placeholder="Search: id, message, mode, seed, prompt ..." aria-label="Search">
<button type="button" data-state="" aria-pressed="true">all</button>
<button type="button" data-state="done" aria-pressed="false">done</button>
<button type="button" data-state="failed" aria-pressed="false">failed</button>
<select aria-label="Order">
<option value="state">failed first</option>
<option value="id">by id</option>
<option value="newest">newest first</option>
<option value="slowest">slowest first</option>
</select>
<output aria-live="polite"></output>
</div>
<ol class="pairs">
"""

REST = """</ol>
<p class="note rest">More pairs are shown where scripts may run.</p>
<template>
"""

FOOT = """</template>
<button type="button" class="more" hidden>show more</button>
<footer>Made by fcvg batch. Links lead to the results beside this page.</footer>
<script>{script}</script>
</body>
</html>
"""
