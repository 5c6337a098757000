// The record that the page shows: values, ops, steps in time, and arrays that are decoded or inflated when first needed.
import { place, product } from "./numbers.js";

const TYPES = { f4: Float32Array, f8: Float64Array, i8: BigInt64Array, u8: BigUint64Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array,
  u2: Uint16Array, i1: Int8Array, u1: Uint8Array, b1: Uint8Array, f2: Uint16Array, c8: Float32Array, c16: Float64Array };

/** An array of the record: its shape, and its values as the engine holds them, bit for bit. */
export class Values {
  constructor(type, shape, raw) {
    Object.assign(this, { type, shape, raw });
    this.data = type === "i8" || type === "u8" ? Float64Array.from(raw, Number) : type === "f2" ? Float32Array.from(raw, half)
      : type[0] === "c" ? raw.filter((_, i) => i % 2 === 0) : raw;
    this.size = this.data.length;
  }
  /** The smallest and the largest value, and the largest magnitude; what is not finite does not count. */
  get range() {
    if (this._range) return this._range;
    let lo = Infinity, hi = -Infinity;
    for (const v of this.data) if (Number.isFinite(v)) { if (v < lo) lo = v; if (v > hi) hi = v; }
    if (lo > hi) lo = hi = 0;
    return (this._range = [lo, hi]);
  }
  get most() { return Math.max(Math.abs(this.range[0]), Math.abs(this.range[1])); }
  /** The index of the element with the largest magnitude, among `count` of them from `base` on. */
  largest(base = 0, count = this.size) {
    let best = base;
    for (let i = base; i < base + count; i++) if (Math.abs(this.data[i]) > Math.abs(this.data[best])) best = i;
    return best;
  }
}
function half(bits) {
  const sign = bits >> 15 ? -1 : 1, e = (bits >> 10) & 31, m = bits & 1023;
  return e === 31 ? (m ? NaN : sign * Infinity) : sign * (e ? 2 ** (e - 15) * (1 + m / 1024) : 2 ** -14 * (m / 1024));
}

/** What all files of the page share: the data, and where the reader is. `at` is the step, `image` the chosen one of a batch. */
export const record = { data: null, values: [], ops: [], steps: [], track: [], loss: null, start: 0, at: 0, image: 0, batch: 1, noun: "image", size: 1, read: new Set(), room: { detail: 600, canvas: [460, 600] } };

// ---- arrays -------------------------------------------------------------------------------------------------------

const arrays = [], pending = new Map();

function bytesOf(k) {
  const text = document.getElementById(`b${record.data.arrays[k].b}`).textContent.trim();
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const loose = atob(text), out = new Uint8Array(loose.length);
  for (let i = 0; i < loose.length; i++) out[i] = loose.charCodeAt(i);
  return out;
}
function keep(k, bytes) {
  const { d, s } = record.data.arrays[k], type = d.replace(/^[<>|=]/, "");
  return (arrays[k] = new Values(type, s, new TYPES[type](bytes.buffer, bytes.byteOffset, bytes.byteLength / TYPES[type].BYTES_PER_ELEMENT)));
}
/** Array number k; null if there is none, or if it must be inflated first (see `load`). */
export function array(k) {
  if (k === null || k === undefined) return null;
  if (arrays[k]) return arrays[k];
  return record.data.arrays[k].z ? null : keep(k, bytesOf(k));
}
/** Inflate what is not yet there. Null when nothing was missing, so that a step can tell whether to wait. */
export function load(ks) {
  const wait = [];
  for (const k of ks) {
    if (k === null || k === undefined || array(k)) continue;
    if (!pending.has(k)) {
      const stream = new Blob([bytesOf(k)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
      pending.set(k, new Response(stream).arrayBuffer().then((b) => (keep(k, new Uint8Array(b)), pending.delete(k))));
    }
    wait.push(pending.get(k));
  }
  return wait.length ? Promise.all(wait) : null;
}
/** How many bytes an array has when it is inflated. */
export const weight = (k) => product(record.data.arrays[k].s) * Number(record.data.arrays[k].d.replace(/\D/g, ""));

// ---- the graph and its steps in time ------------------------------------------------------------------------------

export function open(data) {
  Object.assign(record, { data, values: data.values, ops: data.ops, steps: data.steps, loss: data.values[data.loss] });
  for (const v of record.values) Object.assign(v, { uses: [], sends: [] });
  for (const o of record.ops) {
    o.sends = [];
    o.inputs.forEach((i) => record.read.add(i));
    o.inputs.forEach((i, k) => record.values[i].wants && record.values[i].uses.push([o.id, k]));
  }
  record.steps.forEach((s, n) => {
    s.n = n;
    record.values[s.to].sends.push(n);
    record.ops[s.op].sends[s.input] = n;
  });
  const track = record.ops.map((o) => ({ kind: "forward", op: o.id }));
  record.start = track.length;
  track.push({ kind: "seed", op: record.loss.op });
  record.steps.forEach((s, n) => track.push({ kind: "backward", op: s.op, n, first: n === 0 || record.steps[n - 1].op !== s.op }));
  track.push({ kind: "end", op: null });
  record.track = track;
  const given = record.values.filter((v) => v.role !== "result" && v.role !== "parameter" && v.shape.length >= 2);
  const images = given.find((v) => v.shape.length === 4) ?? given.find((v) => v.role === "input" && record.values.some((p) => p.role === "parameter"));
  record.batch = images?.shape[0] ?? 1;
  record.noun = images?.shape.length === 4 ? "image" : "example";
}

/** The value that input k of op o reads, the one that it makes, and their arrays (null before they are inflated). */
export const input = (o, k) => record.values[o.inputs[k]];
export const output = (o) => record.values[o.out];
export const numbers = (v) => array(v.array);
export const opOf = (v) => (v.op === null || v.op === undefined ? null : record.ops[v.op]);
export const size = (v) => product(v.shape);

export const ran = (o) => record.at >= o;
export const sent = (n) => n !== undefined && record.at > record.start + n;
/** The gradient of a value as far as it is known at this step: the number of its array, or null. */
export function gradient(v) {
  for (let c = v.sends.length - 1; c >= 0; c--) if (sent(v.sends[c])) return record.steps[v.sends[c]].after;
  return v === record.loss && record.at >= record.start ? record.data.seed : null;
}
/** "1 of 2" while contributions are missing, null before the first and after the last. */
export function waiting(v) {
  const came = v.sends.filter(sent).length;
  return came && came < v.sends.length ? `${came} of ${v.sends.length}` : null;
}
/** The gradient at the end. */
export const final = (v) => v.grad ?? (v === record.loss ? record.data.seed : v.sends.length ? record.steps[v.sends.at(-1)].after : null);

/** Whether the first axis of a value counts the images of the batch, and the part of it that the chosen one fills. */
export const batched = (v) => record.batch > 1 && v.role !== "parameter" && v.shape.length >= 2 && v.shape[0] === record.batch;
export function chosen(v) {
  if (!batched(v) || v.shape.length < 3) return { base: 0, count: size(v), shape: v.shape };
  const n = size(v) / v.shape[0];
  return { base: record.image * n, count: n, shape: v.shape.slice(1) };
}
export const isImage = (v) => (v.role === "input" || v.role === "constant") && v.shape.length >= 3 && v.shape.at(-1) >= 8 && v.shape.at(-2) >= 8;
/** The element of input k that output j reads, when shapes broadcast. */
export function picked(from, to, j) {
  const p = place(to, j), lead = to.length - from.length;
  return from.reduce((i, n, d) => i * n + (n === 1 ? 0 : p[d + lead]), 0);
}

/** The arrays that a step shows: first those of its values, then those of its local derivatives. */
export function needs(n) {
  const step = record.track[n], o = step.op === null || step.op === undefined ? null : record.ops[step.op];
  if (step.kind === "end") return { values: record.values.filter((v) => v.uses.length && v.role !== "result").map(final), maps: [] };
  if (step.kind === "seed" || !o) return { values: [record.loss.array, record.data.seed], maps: [] };
  const values = [...o.inputs.map((i) => record.values[i].array), output(o).array];
  if (step.kind === "forward") return { values, maps: o.maps.flatMap(mapArrays) };
  const s = record.steps[step.n];
  for (const m of record.values[s.to].sends) if (m <= step.n) values.push(record.steps[m].d);
  return { values: [...values, s.g, s.d, s.before, s.after, s.raw, s.check?.at, s.check?.q, s.check?.kinks], maps: mapArrays(o.maps[s.input]) };
}
export const mapArrays = (m) => (!m ? [] : m.kind === "elementwise" ? [m.slope] : [m.rows, m.cols, m.values, m.via, m.only]).filter((k) => k !== null && k !== undefined);
