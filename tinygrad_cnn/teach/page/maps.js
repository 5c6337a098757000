// Local derivatives: which elements of an input reach which elements of the output, how strongly, and all paths to the loss.
import { place } from "./numbers.js";
import { array, final, input, load, mapArrays, numbers, output, picked, record, size, Values } from "./record.js";

/** The map of input k of op o, opened; null if the record has none or if it is not inflated yet. */
export function local(o, k) {
  const m = o.maps?.[k];
  if (!m) return null;
  if (m.opened) return m.opened;
  if (mapArrays(m).some((n) => !array(n))) return null;
  const ins = size(input(o, k)), outs = size(output(o));
  if (m.kind === "elementwise") {
    const slope = array(m.slope), from = input(o, k).shape, to = output(o).shape;
    const cols = ins === outs ? null : Int32Array.from({ length: outs }, (_, j) => picked(from, to, j));
    return (m.opened = { ins, outs, entries: outs, range: (j) => [j, j + 1], col: (e) => (cols ? cols[e] : e), d: (e) => slope.data[e], via: () => undefined, out: (r) => r, lines: outs });
  }
  const rows = array(m.rows).data, cols = array(m.cols).data, only = m.only === null || m.only === undefined ? null : array(m.only).data;
  const line = only && new Map(Array.from(only, (j, r) => [j, r]));
  const via = m.via === null || m.via === undefined ? null : array(m.via).data, other = via && numbers(input(o, m.other));
  if (via && !other) return null;
  const values = m.values === null || m.values === undefined ? null : array(m.values).data;
  const range = (j) => { const r = only ? line.get(j) : j; return r === undefined ? [0, 0] : [rows[r], rows[r + 1]]; };
  const d = via ? (e) => other.data[via[e]] : values ? (e) => values[e] : () => m.one;
  return (m.opened = { ins, outs, entries: cols.length, range, col: (e) => cols[e], d, via: (e) => via?.[e], out: (r) => (only ? only[r] : r), lines: rows.length - 1, only });
}
/** The map by input element: where its entries begin, which they are, and the output of each. Made once. */
function turned(m) {
  if (m.turned) return m.turned;
  const starts = new Int32Array(m.ins + 1), entries = new Int32Array(m.entries), outs = new Int32Array(m.entries);
  for (let e = 0; e < m.entries; e++) starts[m.col(e) + 1]++;
  for (let i = 0; i < m.ins; i++) starts[i + 1] += starts[i];
  const next = starts.slice(0, -1);
  for (let r = 0; r < m.lines; r++) {
    const j = m.out(r), [a, b] = m.range(j);
    for (let e = a; e < b; e++) { const at = next[m.col(e)]++; entries[at] = e; outs[at] = j; }
  }
  return (m.turned = { starts, entries, outs });
}
/** The outputs that element i of input k reaches: [{j, d, via}]. `via` is the element of the other input that d was read from. */
export function reached(o, k, i) {
  const m = local(o, k);
  if (!m) return [];
  const { starts, entries, outs } = turned(m);
  return Array.from({ length: starts[i + 1] - starts[i] }, (_, n) => { const at = starts[i] + n; return { j: outs[at], d: m.d(entries[at]), via: m.via(entries[at]) }; });
}
/** The elements of input k that output j is made from: [{i, d, via}]. */
export function sources(o, k, j) {
  const m = local(o, k);
  if (!m) return [];
  const [a, b] = m.range(j);
  return Array.from({ length: b - a }, (_, n) => ({ i: m.col(a + n), d: m.d(a + n), via: m.via(a + n) }));
}

/** What can be drawn of a map: {kind, other, values, c, winners}, by looking at it once. */
export function picture(o, k) {
  const raw = o.maps?.[k], m = local(o, k);
  if (!m) return { kind: "none" };
  return (m.picture ??= see(o, k, raw, m));
}
function see(o, k, raw, m) {
  if (raw.kind === "elementwise") {
    const slope = array(raw.slope), [lo, hi] = slope.range, same = o.inputs.findIndex((i) => record.values[i].array === raw.slope);
    return lo === hi ? { kind: "constant", c: lo } : { kind: "slope", values: slope, name: same >= 0 ? input(o, same).label : output(o).array === raw.slope ? output(o).label : lo === 0 && hi === 1 && slope.data.every((v) => v === 0 || v === 1) ? "slope: 1 or 0" : null };
  }
  if (m.via(0) !== undefined) return { kind: "via", other: raw.other };
  const single = singles(m), pool = o.geometry && o.inputs.length === 1;
  if (single.winners && (pool || m.entries > m.lines)) return { kind: "winners", winners: single.winners };
  if (raw.values === null || raw.values === undefined) return { kind: "constant", c: raw.one };
  if (m.outs === 1 || single.once) {
    const dense = new Float64Array(m.ins);
    for (let e = 0; e < m.entries; e++) dense[m.col(e)] += m.d(e);
    return { kind: "slope", values: new Values("f8", input(o, k).shape, dense), name: null };
  }
  if (m.outs * m.ins <= 4096 && !m.only) {
    const dense = new Float64Array(m.outs * m.ins);
    for (let j = 0; j < m.outs; j++) { const [a, b] = m.range(j); for (let e = a; e < b; e++) dense[j * m.ins + m.col(e)] += m.d(e); }
    return { kind: "matrix", values: new Values("f8", [m.outs, m.ins], dense) };
  }
  return { kind: "terms" };
}
/** Whether each output has one input with derivative 1 and no other (who won), and whether no input reaches two outputs. */
function singles(m) {
  const seen = new Uint8Array(m.ins), winners = [];
  let once = true, won = true;
  for (let r = 0; r < m.lines; r++) {
    const [a, b] = m.range(m.out(r));
    let ones = 0;
    for (let e = a; e < b; e++) {
      const d = m.d(e), i = m.col(e);
      if (seen[i]) once = false;
      seen[i] = 1;
      if (d === 1) { ones++; winners.push(i); } else if (d !== 0) won = false;
    }
    if (ones !== 1) won = false;
  }
  return { once, winners: won ? winners : null };
}

/** The cells of an input's plane that output j looks at, by the geometry of the op; [] where it says nothing. Padding falls outside. */
export function windowOf(o, j) {
  const g = o.geometry, x = input(o, 0).shape, y = output(o).shape, box = frame(o, j);
  if (!box || x.length !== 4) return [];
  const [, , H, W] = x, plane = Math.floor(j / (y[2] * y[3])), cells = [];
  for (let a = 0; a < g.kernel[0]; a++) for (let b = 0; b < g.kernel[1]; b++) {
    const r = box.r + a * g.dilation[0], c = box.c + b * g.dilation[1];
    if (r >= 0 && c >= 0 && r < H && c < W) cells.push((plane * H + r) * W + c);
  }
  return cells;
}
/** The frame of the window of output j: its corner and size in cells, which may reach into the padding. */
export function frame(o, j) {
  const g = o.geometry, y = output(o).shape, two = (v) => v?.length === 2;
  if (!g || y.length !== 4 || !two(g.kernel) || !two(g.stride) || !two(g.padding)) return null;
  const [, , p, q] = place(y, j), d = two(g.dilation) ? g.dilation : (g.dilation = [1, 1]);
  return { r: p * g.stride[0] - g.padding[0], c: q * g.stride[1] - g.padding[1], h: (g.kernel[0] - 1) * d[0] + 1, w: (g.kernel[1] - 1) * d[1] + 1, gaps: d[0] > 1 || d[1] > 1 };
}
/** The outputs whose window holds element i of a pool's input, whoever won there. */
export function windowsWith(o, i) {
  const g = o.geometry, x = input(o, 0).shape, y = output(o).shape;
  if (x.length !== 4 || y.length !== 4 || !frame(o, 0)) return reached(o, 0, i).map((e) => e.j);
  const [, , r, c] = place(x, i), plane = Math.floor(i / (x[2] * x[3])), found = [];
  for (let a = 0; a < g.kernel[0]; a++) for (let b = 0; b < g.kernel[1]; b++) {
    const p = (r + g.padding[0] - a * g.dilation[0]) / g.stride[0], q = (c + g.padding[1] - b * g.dilation[1]) / g.stride[1];
    if (Number.isInteger(p) && Number.isInteger(q) && p >= 0 && q >= 0 && p < y[2] && q < y[3]) found.push((plane * y[2] + p) * y[3] + q);
  }
  return found.sort((a, b) => a - b);
}

/** A contribution summed again from the terms of its map, in float64: what the page adds up when it explains an element. */
export function again(n) {
  const s = record.steps[n], m = local(record.ops[s.op], s.input), g = array(s.g);
  if (!m || !g || m.only) return null;
  const sum = new Float64Array(m.ins);
  for (let r = 0; r < m.lines; r++) {
    const j = m.out(r), [a, b] = m.range(j);
    for (let e = a; e < b; e++) sum[m.col(e)] += m.d(e) * g.data[j];
  }
  return sum;
}

// ---- paths --------------------------------------------------------------------------------------------------------

const LIMIT = 4e6; // entries of maps that are worth walking through to know every path

/** The values between v and the loss, in the order of the way back, and the arrays of the maps between them. */
function between(v) {
  const seen = new Set([v]), stack = [v];
  while (stack.length) for (const [op] of stack.pop().uses) { const y = output(record.ops[op]); if (!seen.has(y)) { seen.add(y); stack.push(y); } }
  const list = [...seen].sort((a, b) => (b.op ?? -1) - (a.op ?? -1) || b.id - a.id), edges = list.flatMap((x) => x.uses.map(([op, k]) => [record.ops[op], k]));
  return { list, edges, ks: edges.flatMap(([o, k]) => [...mapArrays(o.maps?.[k]), o.maps?.[k]?.via !== undefined ? input(o, o.maps[k].other ?? k).array : null]) };
}
/** For each element of v: the largest path to the loss (`best`), how many paths there are (`ways`), and their sum. By dynamic programming over nodes. */
function reach(v, memo) {
  if (memo.has(v)) return memo.get(v);
  const n = size(v), r = { best: new Float64Array(n), ways: new Float64Array(n), sum: new Float64Array(n), whole: true };
  if (v === record.loss) { const seed = array(record.data.seed); r.best.fill(Math.abs(seed.data[0])); r.ways.fill(1); r.sum.fill(seed.data[0]); }
  for (const [op, k] of v.uses) {
    const o = record.ops[op], y = output(o), up = memo.get(y), m = local(o, k);
    if (!up || !m) { if (y.sends.length || y === record.loss) r.whole = false; continue; }
    if (!up.whole || m.only) r.whole = false;
    for (let row = 0; row < m.lines; row++) {
      const j = m.out(row);
      if (up.ways[j] === 0) continue;
      const [a, b] = m.range(j);
      for (let e = a; e < b; e++) {
        const d = m.d(e), i = m.col(e);
        if (d === 0) continue;
        const most = Math.abs(d) * up.best[j];
        if (most > r.best[i]) r.best[i] = most;
        r.ways[i] += up.ways[j];
        r.sum[i] += d * up.sum[j];
      }
    }
  }
  memo.set(v, r);
  return r;
}
class Heap { // the largest key first
  constructor() { this.items = []; }
  push(item) {
    const a = this.items;
    let i = a.push(item) - 1;
    while (i > 0 && a[(i - 1) >> 1].key < item.key) { a[i] = a[(i - 1) >> 1]; i = (i - 1) >> 1; }
    a[i] = item;
  }
  pop() {
    const a = this.items, top = a[0], last = a.pop();
    if (!a.length) return top;
    let i = 0;
    for (;;) {
      let c = 2 * i + 1;
      if (c >= a.length) break;
      if (c + 1 < a.length && a[c + 1].key > a[c].key) c++;
      if (a[c].key <= last.key) break;
      a[i] = a[c];
      i = c;
    }
    a[i] = last;
    return top;
  }
}
const reaches = new Map(); // shared by all questions of one page: the loss is the same
/**
 * The paths from the loss to element i of value v, largest first. Each is {value, chain: [{op, k, i, j, d}]} from the element up to the loss.
 * `ways` is the number of all paths (null if they could not all be followed), `total` their sum, `engine` the engine's number.
 */
export async function paths(v, i, most = 7) {
  const road = between(v);
  if (road.ks.length) await load(road.ks);
  const g = final(v);
  if (g !== null) await load([g, record.data.seed]);
  const entries = road.edges.reduce((s, [o, k]) => s + (local(o, k)?.entries ?? 0), 0), exact = entries <= LIMIT;
  if (exact) for (const u of road.list) reach(u, reaches);
  else await load(road.list.map(final));
  const here = exact ? reaches.get(v) : null, gradientOf = new Map();
  const guess = (u, j) => {
    if (exact) return reaches.get(u)?.best[j] ?? 0;
    if (!gradientOf.has(u)) gradientOf.set(u, array(final(u)));
    return Math.abs(gradientOf.get(u)?.data[j] ?? 0);
  };
  const heap = new Heap(), found = [], seed = array(record.data.seed)?.data[0] ?? 1, enough = here?.whole && here.ways[i] <= most + 1 ? most + 1 : most;
  let work = 0;
  heap.push({ key: guess(v, i), u: v, i, p: 1, link: null });
  while (heap.items.length && found.length < enough && work < 300000) {
    const at = heap.pop();
    if (at.u === record.loss) {
      const chain = [];
      for (let l = at.link; l; l = l.before) chain.unshift(l.edge);
      found.push({ value: at.p * seed, chain });
      continue;
    }
    for (const [op, k] of at.u.uses) {
      const o = record.ops[op], y = output(o);
      for (const e of reached(o, k, at.i)) {
        work++;
        const key = Math.abs(at.p * e.d) * guess(y, e.j);
        if (key > 0) heap.push({ key, u: y, i: e.j, p: at.p * e.d, link: { before: at.link, edge: { op, k, i: at.i, j: e.j, d: e.d } } });
      }
    }
  }
  const engine = array(g)?.data[i] ?? null, whole = Boolean(here?.whole), shown = found.reduce((s, p) => s + p.value, 0), total = whole ? here.sum[i] : engine ?? shown;
  return { found, whole, ways: whole ? here.ways[i] : null, total, rest: total - shown, engine };
}
