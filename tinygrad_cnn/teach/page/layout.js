// Where cards, edges and module boxes stand: dagre lays out the main line, parameters stand at the right of their op.
import { input, output, record, size } from "./record.js";
import { closedRound, foldOf, folds, opened } from "./folds.js";
import { short, tuple } from "./numbers.js";

const cache = new Map();

/** A card is as wide as its words and its two pictures or numbers; all ops of one graph have one width. */
function cardWidth(ops) {
  const words = (o) => 12 + Math.max(9 * short(o.symbol, 17).length, 7.2 * Math.min(15, output(o).label.length)) + (size(output(o)) > 1 ? 108 : 74);
  return Math.max(124, ...ops.map(words));
}

/** The layout at this step; equal sets of open folds have one layout. */
export function layout() {
  const open = opened(record.track[record.at].op), key = [...folds.closed].filter((p) => !open.has(p)).sort().join("|");
  if (!cache.has(key)) {
    if (cache.size > 60) cache.delete(cache.keys().next().value);
    cache.set(key, make(open));
  }
  return cache.get(key);
}

function make(open) {
  const nodes = new Map(), rep = new Map(), visible = record.ops.filter((o) => !closedRound(folds.of[o.id], open)), wide = cardWidth(visible);
  const box = (n) => (n && n !== folds.root ? n : null);
  const add = (id, more) => { if (!nodes.has(id)) nodes.set(id, { id, parts: [], ins: [], outs: [], side: [], fold: null, value: null, ...more }); return nodes.get(id); };
  for (const v of record.values) {
    if (v.role !== "result" && !record.read.has(v.id) && v !== record.loss) continue;
    const at = v.role === "result" ? folds.of[v.op] : v.role === "parameter" ? foldOf(v.module) : null, fold = at && closedRound(at, open);
    if (fold) { rep.set(v.id, `fold:${fold.path}`); add(`fold:${fold.path}`, { fold, w: wide, h: 62, home: box(fold.parent) }).parts.push(v); continue; }
    const tensor = size(v) > 1;
    rep.set(v.id, `v${v.id}`);
    add(`v${v.id}`, { value: v, home: at && box(at), w: v.role === "result" ? wide : tensor ? 132 + 8 * short(v.label).length : Math.max(124, 60 + 8 * short(v.label).length), h: tensor ? 62 : 58 }).parts.push(v);
  }
  const edges = new Map(), edgeOf = new Map();
  for (const o of record.ops) o.inputs.forEach((i, k) => {
    const [a, b] = [rep.get(i), rep.get(o.out)];
    if (a === undefined || b === undefined || a === b) return;
    const id = a.startsWith("fold") || b.startsWith("fold") ? `${a}>${b}` : `${o.id}-${k}`;
    if (!edges.has(id)) edges.set(id, { id, a: nodes.get(a), b: nodes.get(b), sends: [], shape: input(o, k).shape, op: o, k });
    edges.get(id).sends.push([o, k]);
    edgeOf.set(`${o.id}-${k}`, id);
  });
  // A constant that only a folded part reads is not worth a card.
  for (const n of [...nodes.values()]) if (n.value?.role === "constant") { const mine = [...edges.values()].filter((e) => e.a === n); if (!mine.length || mine.every((e) => e.b.fold)) { nodes.delete(n.id); for (const e of mine) edges.delete(e.id); } }
  for (const n of [...nodes.values()]) if (n.value && n.value.role !== "result") repeat(n, nodes, [...edges.values()].filter((e) => e.a === n));
  beside(nodes, edges);
  arrangeCards(nodes, edges);
  for (const e of edges.values()) curve(e);
  const boxes = frames(nodes), all = [...nodes.values()];
  const x0 = Math.min(...all.map((n) => n.x - n.w / 2), ...boxes.map((b) => b.x)) - 8, x1 = Math.max(...all.map((n) => n.x + n.w / 2), ...boxes.map((b) => b.x + b.w)) + 8;
  const y0 = Math.min(...all.map((n) => n.y - n.h / 2), ...boxes.map((b) => b.y)) - 8, y1 = Math.max(...all.map((n) => n.y + n.h / 2), ...boxes.map((b) => b.y + b.h)) + 8;
  return { nodes, edges: [...edges.values()], edgeOf, boxes, modules: boxes.length > 0, x0, y0, w: x1 - x0, h: y1 - y0 };
}
/** A leaf that many cards read (the weights of a loop) stands beside each of them: long lines to all would hide the rest. */
function repeat(n, nodes, edges) {
  if (edges.length <= 4) return;
  nodes.delete(n.id);
  for (const e of edges) {
    const id = `${n.id}@${e.b.id}`;
    if (!nodes.has(id)) nodes.set(id, { ...n, id, ins: [], outs: [], side: [], clone: true });
    e.a = nodes.get(id);
  }
}
/** Parameters and constants that one op alone reads stand beside it, so that a chain stays a straight line. */
function beside(nodes, edges) {
  const uses = new Map();
  for (const e of edges.values()) uses.set(e.a, [...(uses.get(e.a) ?? []), e]);
  for (const n of nodes.values()) {
    const mine = uses.get(n) ?? [], role = n.value?.role, owner = mine[0]?.b;
    if (!mine.length || mine.some((e) => e.b !== owner) || !(role === "parameter" || role === "constant" || n.clone) || (owner.fold && !n.clone) || (owner.side.length >= 4 && !n.clone)) continue;
    if (role === "constant" && owner.w <= 150 && size(n.value) > 1 && !n.clone) continue;
    Object.assign(n, { besides: owner, w: 120, h: role === "constant" ? 40 : 46 });
    for (const e of mine) e.side = true;
    owner.side.push(n);
  }
}
function arrangeCards(nodes, edges) {
  const g = new dagre.graphlib.Graph({ compound: true, multigraph: true });
  g.setGraph({ rankdir: "TB", nodesep: 30, ranksep: 54, edgesep: 18, marginx: 0, marginy: 0 });
  g.setDefaultEdgeLabel(() => ({}));
  const homes = new Set();
  for (const n of nodes.values()) for (let f = n.home; f && f !== folds.root && !n.besides; f = f.parent) if (f.kind === "module") homes.add(f);
  for (const f of homes) g.setNode(`box:${f.path}`, { label: f.path });
  for (const f of homes) if (f.parent !== folds.root && homes.has(f.parent)) g.setParent(`box:${f.path}`, `box:${f.parent.path}`);
  for (const n of nodes.values()) {
    if (n.besides) continue;
    const w = n.side.length ? n.w + 2 * (120 + 26) : n.w, h = Math.max(n.h, n.side.length * 50 - 4);
    g.setNode(n.id, { width: w, height: h });
    let home = n.home;
    while (home && home !== folds.root && !homes.has(home)) home = home.parent;
    if (home && homes.has(home)) g.setParent(n.id, `box:${home.path}`);
  }
  const pairs = new Map();
  for (const e of edges.values()) if (!e.side) {
    const pair = `${e.a.id}>${e.b.id}`;
    e.twin = pairs.has(pair) && e.shape.length > 0;
    pairs.set(pair, e);
    g.setEdge(e.a.id, e.b.id, { weight: e.shape.length ? 2 : 1, width: e.twin ? 0 : 16 + 7 * (e.shape.length ? tuple(e.shape).length : 5), height: 0, labelpos: homes.size ? "l" : "r", labeloffset: 4 }, e.id);
  }
  dagre.layout(g);
  for (const n of nodes.values()) if (!n.besides) { const at = g.node(n.id); n.x = at.x; n.y = at.y; n.row = at.height; }
  const { lower, to } = rows([...nodes.values()].filter((n) => !n.besides));
  for (const n of nodes.values()) n.side.forEach((m, k) => { m.x = n.x + n.w / 2 + 26 + m.w / 2; m.y = n.y + (k - (n.side.length - 1) / 2) * 50; });
  for (const e of edges.values()) if (!e.side) { // an edge that jumps over rows passes between their cards
    const points = (g.edge({ v: e.a.id, w: e.b.id, name: e.id }).points ?? []).map((p) => ({ x: p.x, y: lower(p.y) })), between = to.filter((y) => y > Math.min(e.a.y, e.b.y) + 2 && y < Math.max(e.a.y, e.b.y) - 2);
    e.points = points.filter((p) => between.some((y) => Math.abs(y - p.y) < 2));
  }
  const inner = (e, k) => e.points.at(k) ?? null;
  for (const e of edges.values()) if (!e.side) { e.a.outs.push(e); e.b.ins.push(e); }
  const ports = (list, n, set, at) => list.sort((e, f) => at(e) - at(f)).forEach((e, k) => { e[set] = n.x + (k - (list.length - 1) / 2) * Math.min(44, (n.w - 16) / list.length); });
  for (const n of nodes.values()) {
    ports(n.ins, n, "xb", (e) => inner(e, -1)?.x ?? e.a.x);
    ports(n.outs, n, "xa", (e) => inner(e, 0)?.x ?? e.b.x);
  }
}
/** Dagre leaves much room where module boxes begin and end: rows move together, and boxes get just what their names need. */
function rows(main) {
  const at = [...new Set(main.map((n) => Math.round(n.y)))].sort((a, b) => a - b), row = (n) => at.indexOf(Math.round(n.y)), first = new Map(), last = new Map();
  for (const n of main) for (let f = n.home; f && f !== folds.root; f = f.parent) { first.set(f, Math.min(first.get(f) ?? Infinity, row(n))); last.set(f, Math.max(last.get(f) ?? -1, row(n))); }
  const starts = at.map((_, r) => Math.max(0, ...levels(first, r))), ends = at.map((_, r) => Math.max(0, ...levels(last, r))), high = at.map((_, r) => Math.max(...main.filter((n) => row(n) === r).map((n) => n.row)));
  const to = [];
  at.forEach((_, r) => { to[r] = r ? to[r - 1] + (high[r - 1] + high[r]) / 2 + 56 + 20 * Math.max(0, starts[r] - 1) + 8 * ends[r - 1] + (starts[r] ? 6 : 0) : 0; });
  for (const n of main) n.y = to[row(n)];
  const lower = (y) => {
    const r = at.findIndex((v) => v >= y);
    if (r < 0) return to.at(-1) + y - at.at(-1);
    return r === 0 ? y - at[0] : to[r - 1] + ((to[r] - to[r - 1]) * (y - at[r - 1])) / (at[r] - at[r - 1]);
  };
  return { lower, to };
}
/** How many boxes, one in another, begin (or end) at a row. */
const levels = (edge, r) => { const found = [...edge].filter(([, at]) => at === r).map(([f]) => f.level); return [new Set(found).size]; };
/** The curve of an edge, and where its label stands. */
function curve(e) {
  const { a, b } = e;
  if (e.side) {
    const end = b.y + Math.max(-16, Math.min(16, (a.y - b.y) * 0.6)), x1 = a.x - a.w / 2, x2 = b.x + b.w / 2;
    e.path = `M${x1} ${a.y}C${x1 - 14} ${a.y} ${x2 + 14} ${end} ${x2} ${end}`;
    return;
  }
  let x = e.xa, y = a.y + a.h / 2;
  const bottom = b.y - b.h / 2, inner = e.points;
  e.path = `M${x} ${y}`;
  for (const p of [...inner, { x: e.xb, y: bottom }]) {
    const bend = Math.abs(p.y - y) * 0.5;
    e.path += `C${x} ${y + bend} ${p.x} ${p.y - bend} ${p.x} ${p.y}`;
    x = p.x;
    y = p.y;
  }
  e.long = inner.length > 0;
  e.straight = !e.long && Math.abs(e.xa - e.xb) < 16;
  e.mid = e.long ? [e.xa + (inner[0].x - e.xa) * 0.3, a.y + a.h / 2 + 28] : [(e.xa + e.xb) / 2, (a.y + a.h / 2 + bottom) / 2];
}
/** A module as its author would write it: its class and the leading numbers. */
function brief(text) {
  const [, head, rest] = text.match(/^(\w+)\((.*)\)$/s) ?? [null, text, ""], pool = /Pool/.test(head);
  const numbers = rest.replace(/\(([^(),]*)(,[^()]*)?\)/g, "$1").split(/,\s*/).map((p) => p.replace(/^\w+=/, "")).filter((p) => /^\d+$/.test(p)).slice(0, pool ? 1 : /Conv/.test(head) ? 3 : 2);
  return numbers.length ? `${head}(${numbers.join(", ")})` : head.split(/[(\n]/)[0];
}
/** The boxes of modules that are open, from what stands in them. */
function frames(nodes) {
  const members = new Map();
  for (const n of nodes.values()) {
    const from = n.besides && n.value.role === "parameter" ? (n.home ?? n.besides.home) : n.besides ? null : n.home;
    for (let f = from; f && f !== folds.root; f = f.parent) { if (!members.has(f)) members.set(f, []); members.get(f).push(n); }
  }
  const deepest = Math.max(0, ...[...members.keys()].map((f) => f.level));
  return [...members].sort(([p], [q]) => p.level - q.level).map(([f, mine]) => {
    const outer = f.level === 0 && f.kind === "module" && folds.root.children.length === 1, inside = deepest - f.level, pad = 10 + 8 * inside;
    const x = Math.min(...mine.map((n) => n.x - n.w / 2)) - pad, end = Math.max(...mine.map((n) => n.x + n.w / 2)) + pad;
    const y = Math.min(...mine.map((n) => n.y - n.h / 2)) - 20 - 21 * inside, bottom = Math.max(...mine.map((n) => n.y + n.h / 2)) + pad;
    const name = f.kind === "run" ? "" : f.level === 0 ? f.path : f.path.slice(f.path.indexOf(".") + 1), text = short([name, brief(f.text)].filter(Boolean).join(" · "), 44);
    const first = mine.filter((n) => !n.besides).sort((a, b) => a.y - b.y)[0] ?? mine[0], tx = outer ? x + 12 : first.x + 12;
    return { path: f.path, text, tx, x, y, w: Math.max(end, (outer ? x : tx) + text.length * 6.8 + 24) - x, h: bottom - y, outer, level: f.level };
  });
}
