// The graph: cards for values, edges with shapes, module boxes that fold, and the number that travels on a step.
import { $, count, esc, plain, short, still, tuple } from "./numbers.js";
import { array, chosen, gradient, input, isImage, opOf, output, ran, record, sent, size, waiting } from "./record.js";
import { local } from "./maps.js";
import { opened } from "./folds.js";
import { layout } from "./layout.js";
import { thumb } from "./heatmap.js";

export const narrow = () => document.documentElement.dataset.layout === "narrow";
let missing = [];
/** The array if it is there; what is not is noted, so that the page can load it and draw again. */
function have(k) {
  if (k === null || k === undefined) return null;
  const v = array(k);
  if (!v) missing.push(k);
  return v;
}

/** A value as a small picture on its card: the value left, its gradient right. */
function miniature(v, of, x, y, side, g, open) {
  const p = thumb(v, !g && isImage(of), v.size === size(of) ? chosen(of) : { base: 0, count: v.size, shape: v.shape }), k = Math.min(side / p.wide, side / p.high), flat = p.high * 4 < p.wide, thin = p.wide * 4 < p.high;
  const w = flat ? side : thin ? Math.max(9, p.wide * k) : p.wide * k, h = flat ? Math.max(9, p.high * k) : p.high * k, ix = x + (side - w) / 2, iy = y + (side - h) / 2;
  return `<image href="${p.url}" x="${ix}" y="${iy}" width="${w}" height="${h}" preserveAspectRatio="none"${g ? ' class="answer"' : ""}/><rect class="frame${g ? " g" : ""}${open ? " open" : ""}" x="${ix}" y="${iy}" width="${w}" height="${h}"/>`;
}
/** A constant that is written as a number in the source needs no "2 = 2". */
const constant = (v, t) => (!t || t.size !== 1 || v.label === String(t.data[0]) || Number(v.label) === Number(t.data[0]) ? short(v.label, 13) : `${short(v.label, 9)} = ${plain(t.data[0])}`);

function box(b) {
  return `<g class="module${b.outer ? " outer" : ""}" data-fold="${esc(b.path)}" role="button" tabindex="0" aria-label="Fold ${esc(b.text)}"><rect x="${b.x}" y="${b.y}" width="${b.w}" height="${b.h}" rx="12"/>
    <text x="${b.outer ? b.x + b.w - 12 : b.tx}" y="${b.y + 17}"${b.outer ? ' text-anchor="end"' : ""}>▾ ${esc(b.text)}</text></g>`;
}
function edge(e, step, send) {
  const now = send && e.sends.some(([o, k]) => o.id === send.op && k === send.input), done = e.sends.some(([o, k]) => sent(o.sends[k])), runs = e.sends.some(([o]) => ran(o.id));
  const state = now ? "now" : done ? "done" : runs ? "forward" : "";
  return `<path class="edge ${state}" id="e${esc(e.id)}" d="${e.path}" marker-end="${now || done ? "" : "url(#arrow)"}" marker-start="${now ? "url(#arrow-now)" : done ? "url(#arrow-done)" : ""}"/>`;
}
/** Between scalars the local derivative, once it was used: the graph becomes the chain rule. Else the shape. */
function edgeLabel(e, L, send) {
  if (e.side || e.twin || !e.mid) return "";
  const [o, k] = e.sends[0], now = send && e.sends.some(([p, q]) => p.id === send.op && q === send.input), lean = e.long || e.straight ? 5 : e.xb > e.xa ? -7 : 17, left = L.modules && (e.straight || e.long);
  if (e.shape.length === 0 && size(output(o)) === 1 && e.sends.length === 1) {
    const m = sent(o.sends[k]) && local(o, k);
    return m && m.entries === 1 ? `<text class="shape answer ${now ? "hot" : ""}" x="${e.mid[0] + 11}" y="${e.mid[1] + lean}">× ${plain(m.d(0))}</text>` : "";
  }
  const text = e.sends.length > 1 && new Set(e.sends.map(([p, q]) => tuple(input(p, q).shape))).size > 1 ? `${e.sends.length} values` : tuple(e.shape);
  return e.shape.length || e.sends.length > 1 ? `<text class="shape ${now ? "hot" : ""}" x="${e.mid[0] + (left ? -9 : 9)}" y="${e.mid[1] + (left ? 5 : lean)}"${left ? ' text-anchor="end"' : ""}>${text}</text>` : "";
}
function card(n, step, send, open) {
  const inside = n.fold ? n.parts.filter((p) => p.role === "result") : [];
  let v = n.value ?? inside.at(-1) ?? n.parts.at(-1);
  if (n.fold) v = inside.filter((p) => ran(p.op)).at(-1) ?? v;
  const o = opOf(v), has = o ? ran(o.id) : true, t = has ? have(v.array) : null, k = gradient(v), g = k === null ? null : have(k), wait = waiting(v), tensor = size(v) > 1;
  const current = !n.fold && o && step.op === o.id, folds = n.fold && n.parts.some((p) => p.op !== null && p.op === step.op), target = send && n.parts.some((p) => p.id === send.to) && !folds && (!n.clone || n.besides.value?.op === send.op || n.besides.parts.some((p) => p.op === send.op));
  const kind = n.fold ? "folded" : o ? "" : v.role === "constant" ? "constant" : "leaf", x = n.x - n.w / 2, y = n.y - n.h / 2;
  let s = `<g class="node ${kind} ${has ? "" : "waiting"} ${current || folds ? "current" : ""} ${target ? "target" : ""}" ${n.fold ? `data-fold="${esc(n.fold.path)}"` : `data-value="${v.id}"`} tabindex="0" role="button" aria-label="${esc(n.fold ? `Unfold ${n.fold.path}, ${n.fold.all} ops. ` : "")}${esc(spoken(v, o, t, g))}">
    <title>${esc(v.label)}</title><rect class="box" x="${x}" y="${y}" width="${n.w}" height="${n.h}" rx="${o || n.fold ? 9 : Math.min(18, n.h / 2)}"/>`;
  const room = Math.floor((n.w - (tensor ? 116 : 78)) / 7.4), big = Math.floor((n.w - (tensor ? 116 : 74)) / 8.6);
  if (n.fold) s += `<rect class="box under" x="${x + 5}" y="${y + n.h}" width="${n.w - 10}" height="4" rx="2"/><text class="op" x="${x + 12}" y="${y + 25}">▸ ${esc(short(n.fold.kind === "run" ? n.fold.text : n.fold.level ? n.fold.path.slice(n.fold.path.indexOf(".") + 1) : n.fold.path, Math.max(7, big - 2)))}</text><text class="sub" x="${x + 12}" y="${y + 44}">${esc(short(n.fold.kind === "run" ? v.label : `${count(n.fold.all)} ${n.fold.all === 1 ? "op" : "ops"} · ${v.label}`, Math.max(9, room)))}</text>`;
  else if (n.besides) {
    s += `<text class="sub ink" x="${x + 14}" y="${y + (v.role === "constant" ? 25 : 20)}">${esc(v.role === "constant" ? constant(v, t) : short(v.label.split(".").at(-1), 10))}</text>`;
    if (v.role !== "constant" && size(v) === 1) s += `<text class="sub tiny" x="${x + 14}" y="${y + 36}">${t ? plain(t.data[0]) : ""}</text>${g ? `<text class="num grad answer" x="${x + n.w - 13}" y="${y + 28}">${plain(g.data[0])}${wait ? " …" : ""}</text>` : ""}`;
    else if (v.role !== "constant") s += `<text class="sub tiny" x="${x + 14}" y="${y + 36}">${tuple(v.shape)}</text>${g ? miniature(g, v, x + n.w - 41, y + 8, 30, true) : ""}`;
    return `${s}</g>`;
  } else if (o) s += `<text class="op" x="${x + 12}" y="${y + 24}">${esc(short(o.symbol, Math.max(9, big)))}</text><text class="sub" x="${x + 12}" y="${y + 44}">${esc(short(v.label, Math.max(9, room)))}</text>`;
  else s += `<text class="op" x="${x + 16}" y="${y + n.h / 2 + 5}">${esc(short(v.label))}</text>`;
  if (tensor) s += (t ? miniature(t, v, x + n.w - 100, y + 9, 43, false) : "") + (g ? miniature(g, v, x + n.w - 52, y + 9, 43, true, wait) : "");
  else {
    if (t) s += `<text class="num" x="${x + n.w - 13}" y="${y + 24}">${plain(t.data[0])}</text>`;
    if (g) s += `<text class="num grad answer" x="${x + n.w - 13}" y="${y + 44}">${plain(g.data[0])}${wait ? " …" : ""}</text>`;
  }
  return `${s}</g>`;
}
const spoken = (v, o, t, g) => `${o ? `${o.symbol} gives ` : ""}${v.label}${size(v) > 1 ? `, shape ${tuple(v.shape)}` : t ? ` = ${plain(t.data[0])}` : ""}${g ? (g.size > 1 ? ", gradient known" : `, gradient ${plain(g.data[0])}`) : ""}`;

/** Draw the graph at this step. Answers the numbers of the arrays that it could not show yet. */
export function drawGraph() {
  const L = layout(), canvas = $("canvas"), step = record.track[record.at], send = step.kind === "backward" ? record.steps[step.n] : null, phone = narrow(), open = opened(step.op);
  const room = [record.room.canvas[0] - 6 || 460, phone ? innerHeight * 0.28 : record.room.canvas[1] - 6];
  const scale = Math.max(phone ? 0.5 : record.size > 1.05 ? 0.8 * record.size : 0.55, Math.min(1.3, room[0] / L.w, Math.max(room[1] / L.h, phone ? 0.55 : 0.8)));
  missing = [];
  const parts = [...L.boxes.map(box), ...L.edges.map((e) => edge(e, step, send)), ...L.edges.map((e) => edgeLabel(e, L, send)), ...[...L.nodes.values()].map((n) => card(n, step, send, open))];
  const arrow = (id, color, side) => `<marker id="${id}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="${side}" markerHeight="${side}" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path d="M0 1L10 5L0 9z" fill="${color}"/></marker>`;
  const held = canvas.contains(document.activeElement) ? document.activeElement.dataset : {};
  canvas.innerHTML = `<svg role="group" aria-label="The graph" width="${L.w * scale}" height="${L.h * scale}" viewBox="${L.x0} ${L.y0} ${L.w} ${L.h}"><defs>${arrow("arrow", "var(--soft)", 9)}${arrow("arrow-done", "color-mix(in srgb, var(--accent) 70%, var(--page))", 9)}${arrow("arrow-now", "var(--accent)", 16)}</defs>${parts.join("")}<g class="mover"></g></svg>`;
  for (const kind of ["value", "fold"]) if (held[kind] !== undefined) canvas.querySelector(`[data-${kind}="${CSS.escape(held[kind])}"]`)?.focus({ preventScroll: true });
  return missing;
}
/** Bring the card that the step speaks of into view. */
export function followGraph() {
  const canvas = $("canvas"), focus = canvas.querySelector(".node.target") ?? canvas.querySelector(".node.current");
  if (focus && (canvas.scrollHeight > canvas.clientHeight + 4 || canvas.scrollWidth > canvas.clientWidth + 4)) {
    const r = focus.getBoundingClientRect(), q = canvas.getBoundingClientRect();
    canvas.scrollTop += r.top + r.height / 2 - q.top - q.height / 2;
    canvas.scrollLeft += r.left + r.width / 2 - q.left - q.width / 2;
  }
}
/** The drawn edge of input k of op o, if neither end is folded away. */
export const drawnEdge = (o, k) => document.getElementById(`e${layout().edgeOf.get(`${o}-${k}`)}`);

/** What moves: values in ink down into the op that runs, the cotangent in the accent up its edge. */
let flight = 0;
export function travel() {
  cancelAnimationFrame(flight);
  const step = record.track[record.at], mover = document.querySelector(".mover"), send = step.kind === "backward" ? record.steps[step.n] : null;
  if (!mover || still() || step.op === null || step.kind === "seed" || step.kind === "end") return;
  const edges = (send ? [[send.op, send.input]] : record.ops[step.op].inputs.map((_, k) => [step.op, k])).map(([o, k]) => drawnEdge(o, k)).filter(Boolean);
  const d = send && array(send.d), label = d?.size === 1 ? plain(d.data[0]) : "", start = performance.now(), time = send ? 700 : 420;
  const frame = (now) => {
    const x = Math.min(1, (now - start) / time), ease = x < 0.5 ? 2 * x * x : 1 - 2 * (1 - x) ** 2;
    if (x >= 1) { mover.innerHTML = ""; return; }
    mover.innerHTML = edges.map((path) => {
      const p = path.getPointAtLength(path.getTotalLength() * (send ? 1 - ease : ease));
      return `<circle class="${send ? "" : "ink"}" cx="${p.x}" cy="${p.y}" r="${send ? 8 : 5.5}"/>${label ? `<text class="answer" x="${p.x - 14}" y="${p.y + 5}" text-anchor="end">${label}</text>` : ""}`;
    }).join("");
    flight = requestAnimationFrame(frame);
  };
  flight = requestAnimationFrame(frame);
}
