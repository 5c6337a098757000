// The page: steps, the timeline, keys, and what happens on a click. Everything else is imported.
import { $, count, esc, still } from "./numbers.js";
import { array, gradient, load, mapArrays, needs, open, opOf, record, weight } from "./record.js";
import { again, local, paths, reached } from "./maps.js";
import { around, foldAll, folds, plant, toggle } from "./folds.js";
import { drawGraph, followGraph, narrow, travel } from "./graph.js";
import { buildSource, followSource, opOfLine, showSource } from "./source.js";
import { caption, showPanel } from "./panel.js";
import { fillPaper } from "./paper.js";

const OPS = 300, MODULES = 1500; // above so many ops one mark of the timeline is an op, then a module
const AHEAD = 64e6; // bytes that are inflated ahead of need; a bigger page inflates near the current step
let playing = 0, ticks = [], tickOf = [], grain = "step", stepTime = 0, settled = Promise.resolve();

// ---- the timeline -------------------------------------------------------------------------------------------------

/** The marks of the timeline: runs of steps, each [first, last]. */
function marks() {
  const n = record.ops.length;
  grain = record.data.summary?.shown === "modules" || n > MODULES ? "module" : n > OPS ? "op" : "step";
  const name = (t) => (grain === "step" ? null : grain === "op" ? t.op : (around(t.op)[1] ?? around(t.op)[0])?.path ?? t.op);
  ticks = [];
  tickOf = [];
  record.track.forEach((t, k) => {
    const last = ticks.at(-1), same = last && grain !== "step" && t.kind === record.track[k - 1].kind && name(t) === name(record.track[k - 1]);
    if (same) last[1] = k; else ticks.push([k, k]);
    tickOf[k] = ticks.length - 1;
  });
  const kind = (t) => record.track[t[0]].kind, many = ticks.length > 160;
  $("track").className = many ? "many" : "";
  $("track").innerHTML = ticks.map((t) => { const k = kind(t), first = record.track[t[0]].first || k === "seed" || k === "end"; return `<span class="${k === "forward" ? "f" : "b"}${first && !many ? " first" : ""}"${t[0] === 0 ? ' data-phase="forward"' : k === "seed" ? ' data-phase="backward"' : ""}></span>`; }).join("");
  $("scrub").max = record.track.length - 1;
}
let lit = -1;
function showMarks() {
  const at = tickOf[record.at], all = $("track").children;
  if (lit < 0) for (let k = 0; k < at; k++) all[k].classList.add("was");
  else { all[lit].classList.remove("at"); for (let k = Math.min(lit, at); k <= Math.max(lit, at); k++) all[k].classList.toggle("was", k < at); }
  all[at].classList.add("at");
  lit = at;
}

// ---- steps --------------------------------------------------------------------------------------------------------

/** Three columns, two, or one: by the width of the window in units of the text size. */
function arrange() {
  const w = innerWidth / record.size;
  document.documentElement.dataset.layout = w > 1150 ? "wide" : w > 700 ? "medium" : "narrow";
  record.room = { detail: $("detail").clientWidth, canvas: [$("canvas").clientWidth, $("canvas").clientHeight] };
}
/** Show step n. What must be inflated first completes itself; the answer is a promise of that. */
export function go(n, { quiet = false } = {}) {
  const before = record.at, started = performance.now();
  record.at = Math.max(0, Math.min(record.track.length - 1, Math.round(n) || 0));
  showSource();
  const graph = drawGraph();
  showPanel();
  $("scrub").value = record.at;
  $("scrub").setAttribute("aria-valuetext", caption(record.at).replace(/<[^>]*>/g, ""));
  showMarks();
  $("now").innerHTML = record.at === 0 ? `${caption(0)} <span>· press → to step, B for the way back</span>` : caption(record.at);
  $("back").disabled = $("first").disabled = record.at === 0;
  followSource();
  followGraph();
  stepTime = performance.now() - started;
  history.replaceState(null, "", `#${record.at + 1}`);
  if (!quiet && record.at > before) travel();
  const need = needs(record.at), wait = load([...need.values, ...need.maps, ...graph]), here = record.at;
  settled = wait ? wait.then(() => { if (record.at === here) redraw(); }) : Promise.resolve();
  if (wait) settled.then(() => nearby(here)); else nearby(here);
  return settled;
}
/** Draw the step again in its place: the focus and the scroll stay where they are. */
function redraw() {
  const top = $("detail").scrollTop, trace = document.querySelector(".trace"), focus = $("detail").contains(document.activeElement) ? [...$("detail").querySelectorAll("button, [tabindex], summary")].indexOf(document.activeElement) : -1;
  showSource();
  drawGraph();
  showPanel();
  followGraph();
  if (trace) $("detail").append(trace);
  $("detail").scrollTop = top;
  if (focus >= 0) [...$("detail").querySelectorAll("button, [tabindex], summary")][focus]?.focus({ preventScroll: true });
}
const restep = () => go(record.at, { quiet: true });
/** Inflate what the next steps show, while nothing else happens. */
function nearby(n) {
  const list = [];
  for (const m of [n + 1, n + 2, n - 1]) if (record.track[m]) { const need = needs(m); list.push(...need.values, ...need.maps); }
  (globalThis.requestIdleCallback ?? setTimeout)(() => load(list));
}
/** Everything, if the page is not too big for that: the reader then never waits. */
async function ahead() {
  await settled;
  const all = record.data.arrays.map((_, k) => k);
  if (all.reduce((s, k) => s + weight(k), 0) > AHEAD) return;
  for (let k = 0; k < all.length; k += 16) await load(all.slice(k, k + 16));
}
function stop() {
  clearInterval(playing);
  playing = 0;
  $("play").textContent = "▶";
  $("play").setAttribute("aria-label", "Play");
}
const last = () => record.track.length - 1;
const hop = (way) => { const t = ticks[tickOf[record.at] + way]; if (t) go(t[0]); };
function play() {
  if (playing) return stop();
  if (record.at === last()) go(0);
  $("play").textContent = "❚❚";
  $("play").setAttribute("aria-label", "Pause");
  playing = setInterval(() => { if (record.at === last()) stop(); else if (grain === "step") go(record.at + 1); else hop(1); }, 1800);
}
/** To the next op (or to the next mark of the timeline, where one mark is more than an op). */
function byOp(way) {
  if (grain !== "step") return hop(way);
  let n = record.at + way;
  while (n > 0 && n < last() && record.track[n].op === record.track[record.at].op && record.track[n].kind === record.track[record.at].kind) n += way;
  go(n);
}

// ---- how it looks -------------------------------------------------------------------------------------------------

function theme(set) {
  const root = document.documentElement;
  root.dataset.theme = set ?? (root.dataset.theme === "dark" ? "light" : "dark");
  if (record.data) restep();
}
function bigger(by) {
  record.size = Math.max(0.85, Math.min(1.75, record.size * by));
  document.documentElement.style.setProperty("--size", record.size);
  arrange();
  requestAnimationFrame(restep);
}
function predict() {
  const on = document.body.classList.toggle("predict");
  $("predict").setAttribute("aria-pressed", on);
  restep();
}
function refold() { foldLabel(); restep(); }
function foldLabel() { $("fold").textContent = folds.closed.size ? "Unfold" : "Fold modules"; }
function image(way) {
  if (record.batch < 2) return;
  record.image = (record.image + way + record.batch) % record.batch;
  restep();
}
async function print(hide) {
  $("printing").close();
  await load(record.steps.slice(0, 400).flatMap((s) => [s.g, s.d, s.after]));
  document.body.classList.toggle("worksheet", hide);
  fillPaper(hide);
  globalThis.print();
}

// ---- keys and clicks ----------------------------------------------------------------------------------------------

const KEYS = [["→ ←", "one step forward or back (also Page Down and Page Up, as a presenter sends)"], ["Shift →", "to the next op"], ["Space", "play or pause"], ["Home End", "first and last step"], ["B", "to the start of the way back"], ["W", "where did this gradient come from?"], ["F", "fold or unfold modules"], ["[ ]", "another image of the batch"], ["P", "predict first: results stay hidden until you click them"], ["+ −", "larger or smaller text"], ["T", "light or dark"], ["Tab, arrows", "inside a heat map: read value by value"], ["?", "this list"]];

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  const inside = (s) => e.target.closest?.(s), run = (f) => { f(); e.preventDefault(); };
  if (e.key === "Escape") return document.querySelector(".trace .close")?.click();
  if (inside(".map") && e.key.startsWith("Arrow")) return;
  if (e.key === "ArrowRight" || e.key === "PageDown") return run(() => { stop(); if (e.shiftKey) byOp(1); else go(record.at + 1); });
  if (e.key === "ArrowLeft" || e.key === "PageUp") return run(() => { stop(); if (e.shiftKey) byOp(-1); else go(record.at - 1); });
  if (e.key === "Home") return run(() => go(0));
  if (e.key === "End") return run(() => go(last()));
  if (e.key === " " && !inside("button, summary, [role=button], .answer")) return run(play);
  if (e.key === "Enter" || e.key === " ") { const b = inside("[role=button]"); if (b) return run(() => b.dispatchEvent(new MouseEvent("click", { bubbles: true }))); }
  const act = { b: () => go(record.start), w: () => document.querySelector("#detail .ask")?.click(), f: () => { foldAll(); refold(); }, p: predict, "+": () => bigger(1.12), "=": () => bigger(1.12), "-": () => bigger(1 / 1.12), "−": () => bigger(1 / 1.12), t: () => theme(), "?": () => $("keys").showModal(), "[": () => image(-1), "]": () => image(1) }[e.key.toLowerCase()];
  if (act) run(act);
});
/** The step that speaks of an op: on the way back its first contribution, before that its forward step. */
function goTo(op, back) {
  const o = record.ops[op], n = back ? Math.min(...o.sends.filter((s) => s !== undefined)) : op;
  if (Number.isFinite(n)) go(back ? record.start + 1 + n : n); else go(op);
}
document.addEventListener("click", (e) => {
  const at = (s) => e.target.closest?.(s), back = record.at >= record.start, hidden = at(".answer:not(.shown)");
  if (document.body.classList.contains("predict") && hidden && !at("#graph")) { hidden.classList.add("shown"); e.stopPropagation(); return; }
  if (at("[data-image]")) return image(Number(at("[data-image]").dataset.image));
  if (at(".source li.can")) { const li = at("li"), op = opOfLine(Number(li.parentNode.dataset.file), Number(li.dataset.line)); if (op !== null) goTo(op, back); return; }
  if (at("[data-fold]")) { toggle(at("[data-fold]").dataset.fold); refold(); return; }
  if (at("[data-value]")) {
    const v = record.values[at("[data-value]").dataset.value], o = opOf(v);
    if (o) goTo(o.id, back); else if (v.sends.length) go(record.start + 1 + v.sends[0]);
  }
}, true);

function listen() {
  const on = (id, f) => { $(id).onclick = f; };
  on("first", () => go(0)); on("last", () => go(last()));
  on("back", () => { stop(); go(record.at - 1); }); on("next", () => { stop(); go(record.at + 1); });
  on("play", play); on("theme", () => theme()); on("help", () => $("keys").showModal()); on("fold", () => { foldAll(); refold(); });
  on("larger", () => bigger(1.12)); on("smaller", () => bigger(1 / 1.12)); on("predict", predict); on("print", () => $("printing").showModal());
  on("worksheet", () => print(true)); on("solution", () => print(false));
  $("scrub").oninput = (e) => { stop(); go(Number(e.target.value)); };
  $("keys").innerHTML = `<form method="dialog"><b>Keys</b><dl>${KEYS.map(([k, v]) => `<dt><kbd>${k}</kbd></dt><dd>${v}</dd>`).join("")}</dl><p><button autofocus>Close</button></p></form>`;
  let wait = 0;
  addEventListener("resize", () => { clearTimeout(wait); wait = setTimeout(() => { arrange(); restep(); }, 120); });
  addEventListener("beforeprint", () => { document.documentElement.dataset.layout = "wide"; if (!$("paper").innerHTML) fillPaper(document.body.classList.contains("predict")); });
  addEventListener("afterprint", () => { arrange(); document.body.classList.remove("worksheet"); $("paper").innerHTML = ""; });
  addEventListener("hashchange", () => { const n = Number(location.hash.slice(1)) - 1; if (n >= 0 && n !== record.at) go(n); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (e) => theme(e.matches ? "dark" : "light"));
}
/** What a reader must know of the whole page: how big it is, and how it can show more. */
function remarks() {
  const n = record.data.summary?.ops ?? record.ops.length, list = record.data.note ? [record.data.note] : [];
  if (grain === "module") list.push(`${/shown by module/.test(record.data.note ?? "") ? "" : `${count(n)} ops, shown by module. `}One mark of the timeline is a module: Shift → goes from mark to mark, → from step to step.`);
  else if (grain === "op") list.push(`${count(n)} ops: one mark of the timeline is an op. Shift → goes from op to op.`);
  $("note").hidden = !list.length;
  $("note").innerHTML = list.map(esc).join(" ");
}
function begin() {
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  open(JSON.parse($("data").textContent));
  document.documentElement.dataset.source = record.data.files.length ? "yes" : "none";
  $("title").textContent = record.data.title;
  $("key").innerHTML = record.values.some((v) => v.shape.length) ? "<b>value</b> left, <i>gradient</i> right" : "<b>value</b> above, <i>gradient</i> below";
  plant();
  marks();
  remarks();
  buildSource();
  arrange();
  listen();
  $("fold").hidden = folds.byPath.size === 0;
  foldLabel();
  go(Number(location.hash.slice(1)) - 1 || 0, { quiet: true });
}
begin();
const ready = new Promise((done) => { requestAnimationFrame(() => setTimeout(() => ahead().then(done))); });

/** For tests in a browser: the data, the steps, and the numbers behind what is shown. Wait for `ready` first. */
globalThis.stepper = {
  data: record.data, record, ready, go, array, gradient, paths, still, narrow,
  get at() { return record.at; }, get count() { return record.track.length; }, get stepTime() { return stepTime; }, get settled() { return settled; },
  load: (ks) => load(ks ?? record.data.arrays.map((_, k) => k)) ?? Promise.resolve(),
  value: (k) => array(k).raw,
  contribution: (n) => { const s = record.steps[n], raw = (k) => array(k)?.raw ?? null; return { g: raw(s.g), d: raw(s.d), before: raw(s.before), after: raw(s.after) }; },
  map: (op, k, i) => reached(record.ops[op], k, i).map(({ j, d }) => ({ j, d })),
  mapped: (op, k) => local(record.ops[op], k) !== null, mapArrays: (op, k) => mapArrays(record.ops[op].maps[k]), again,
};
