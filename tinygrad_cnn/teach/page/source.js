// The learner's source: the line that runs, the expression in it, what came out of it, and how often a line ran.
import { $, esc, fmt, tuple } from "./numbers.js";
import { array, gradient, output, ran, record, size, waiting } from "./record.js";

let slots = new Map(); // "file:line" -> the expressions of that line, each with its ops in order
const shown = { lines: new Map(), marked: [], first: null };

export function buildSource() {
  slots = new Map();
  for (const o of record.ops) {
    const w = o.where[0];
    if (!w) continue;
    const key = `${w.file}:${w.line}`, place = `${w.col}:${w.end}:${w.stop}`;
    if (!slots.has(key)) slots.set(key, new Map());
    if (!slots.get(key).has(place)) slots.get(key).set(place, []);
    slots.get(key).get(place).push(o.id);
  }
  for (const [, exprs] of slots) for (const [place, ops] of [...exprs]) if (ops.length > 1) split(exprs, place, ops);
  const many = record.data.files.length > 1;
  $("code").innerHTML = record.data.files.map((f, n) => `<h2 class="label"${n ? "" : ' id="code-title"'}>${esc(f.name)}</h2><ol class="source" data-file="${n}"${many ? ` aria-label="${esc(f.name)}"` : ""}>${f.lines.map((line, k) => `<li class="${slots.has(`${n}:${k + 1}`) ? "can" : ""}" data-line="${k + 1}"><div><span class="text">${coloured(line, 0, line.text.length) || " "}</span></div></li>`).join("")}</ol>`).join("");
  shown.lines = new Map();
  for (const ol of $("code").querySelectorAll("ol")) for (const li of ol.children) shown.lines.set(`${ol.dataset.file}:${li.dataset.line}`, li);
}
/** One call may run several ops: the k-th op of each run is one expression, when the runs are equally long. */
function split(exprs, place, ops) {
  const names = ops.map((o) => record.ops[o].name), run = names.indexOf(names[0], 1) < 0 ? ops.length : names.indexOf(names[0], 1);
  if (run === 1 || ops.length % run || names.some((n, k) => n !== names[k % run])) return;
  exprs.delete(place);
  for (let k = 0; k < run; k++) exprs.set(`${place}/${k}`, ops.filter((_, n) => n % run === k));
}
function coloured(line, from, to) {
  let s = "", p = from;
  for (const [x, y, k] of line.marks) { const u = Math.max(x, from), v = Math.min(y, to); if (u < v) { s += `${esc(line.text.slice(p, u))}<span class="${esc(k)}">${esc(line.text.slice(u, v))}</span>`; p = v; } }
  return s + esc(line.text.slice(p, to));
}
/** Of the ops of one expression, the one that the reader looks at; else the last that ran. Ops are in order. */
function latest(ops) {
  const at = record.track[record.at].op ?? -1, before = (limit) => { // how many of the ops are not after the limit
    let lo = 0, hi = ops.length;
    while (lo < hi) { const mid = (lo + hi) >> 1; if (ops[mid] <= limit) lo = mid + 1; else hi = mid; }
    return lo - 1;
  };
  const here = before(at);
  return ops[here] === at ? here : before(record.at);
}
function hint(v) {
  const k = gradient(v), g = k === null ? null : array(k), wait = waiting(v), t = array(v.array), scalar = size(v) === 1;
  const text = scalar && t ? `<b>${esc(v.label)}</b> = ${fmt(t.data[0])}` : `<b>${esc(v.label)}</b> ${tuple(v.shape)}`;
  return text + grown(k, g, wait, scalar);
}
const grown = (k, g, wait, scalar) => (k === null ? "" : scalar && g ? ` <span class="grad answer">∂ ${fmt(g.data[0])}${wait ? " so far" : ""}</span>` : ` <span class="grad">∂ ${wait ?? "✓"}</span>`);

export function showSource() {
  if (!record.data.files.length) return;
  const step = record.track[record.at], op = step.op === null || step.op === undefined ? null : record.ops[step.op], turn = step.kind === "seed" || step.kind === "end";
  const hints = new Map();
  for (const [key, exprs] of slots) {
    const list = [];
    for (const ops of exprs.values()) {
      const n = latest(ops);
      if (n >= 0) list.push(hint(output(record.ops[ops[n]])) + (ops.length > 1 ? ` <span class="times">run ${n + 1} of ${ops.length}</span>` : ""));
    }
    if (list.length) hints.set(key, list.length > 8 ? [...list.slice(-8), `and ${list.length - 8} more`] : list);
  }
  for (const v of record.values) if (v.first && v.role === "input" && v.uses.length) {
    const k = gradient(v), key = `0:${v.first}`;
    if (k !== null) hints.set(key, [...(hints.get(key) ?? []), `${v.label === v.name ? "" : `<b>${esc(v.label)}</b>`}${grown(k, array(k), waiting(v), size(v) === 1)}`]);
  }
  for (const [key, li] of shown.lines) {
    const html = hints.get(key)?.join(" · ") ?? "", el = li.firstChild;
    if ((li.hint ?? "") === html) continue;
    li.hint = html;
    el.querySelector(".hint")?.remove();
    if (html) el.insertAdjacentHTML("beforeend", `<span class="hint">${html}</span>`);
  }
  for (const li of shown.marked) { li.classList.remove("now", "caller"); li.removeAttribute("aria-current"); const line = lineOf(li); li.querySelector(".text").innerHTML = coloured(line, 0, line.text.length) || " "; }
  shown.marked = [];
  const light = (key, c) => { const li = shown.lines.get(key); if (li) { li.classList.add(c); shown.marked.push(li); if (c === "now") li.setAttribute("aria-current", "step"); } return li; };
  let first = null;
  if (turn) first = light(backwardLine(), "now");
  else if (op?.where.length) {
    const w = op.where[0];
    for (const c of op.where.slice(1)) light(`${c.file}:${c.line}`, "caller");
    for (let l = w.end; l >= w.line; l--) first = light(`${w.file}:${l}`, "now");
    if (first && w.line === w.end) { const line = lineOf(first); first.querySelector(".text").innerHTML = `${coloured(line, 0, w.col)}<mark>${coloured(line, w.col, w.stop)}</mark>${coloured(line, w.stop, line.text.length)}`; }
  }
  shown.first = first;
}
/** Bring the lit line into view. */
export function followSource() {
  const panel = $("code"), first = shown.first;
  if (first && panel.scrollHeight > panel.clientHeight + 4) panel.scrollTop += first.getBoundingClientRect().top - panel.getBoundingClientRect().top - panel.clientHeight / 2;
}
const lineOf = (li) => record.data.files[li.parentNode.dataset.file].lines[li.dataset.line - 1];
function backwardLine() {
  for (const [n, f] of record.data.files.entries()) for (let l = f.lines.length; l > 0; l--) if (/\.backward\(|\bgrad\(/.test(f.lines[l - 1].text)) return `${n}:${l}`;
  return "";
}
/** The first op of a line, or of the run that the reader looks at. */
export function opOfLine(file, line) {
  const exprs = slots.get(`${file}:${line}`);
  if (!exprs) return null;
  const ops = exprs.values().next().value, n = latest(ops);
  return ops[Math.max(0, n)];
}
