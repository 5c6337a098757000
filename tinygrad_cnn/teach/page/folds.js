// What is folded: modules, and runs of ops where a module (or a program without modules) has too many of them.
import { record } from "./record.js";

const CARDS = 40; // about as many cards as a reader can follow
const RUN = 24; // ops of one level that are shown before they are put into runs

/** The tree of folds: {path, text, parent, children, ops, level}. The root is the program. */
export const folds = { root: null, of: [], byPath: new Map(), closed: new Set(), own: new Set() };

const node = (path, text, parent, kind) => ({ path, text, parent, kind, children: [], ops: [], level: parent ? parent.level + 1 : -1 });

export function plant() {
  folds.root = node("", "", null, "program");
  folds.byPath.clear();
  for (const m of record.data.modules) {
    const cut = m.path.lastIndexOf("."), parent = folds.byPath.get(m.path.slice(0, Math.max(cut, 0))) ?? folds.root, n = node(m.path, m.text, parent, "module");
    if (folds.byPath.has(m.path)) continue;
    parent.children.push(n);
    folds.byPath.set(m.path, n);
  }
  for (const o of record.ops) (folds.byPath.get(o.module) ?? folds.root).ops.push(o.id);
  const tidy = (n) => {
    n.children.forEach(tidy);
    n.children = n.children.filter((c) => c.all > 0);
    n.all = n.ops.length + n.children.reduce((s, c) => s + c.all, 0);
    if (n.ops.length > RUN + 16) runs(n);
  };
  tidy(folds.root);
  const mark = (n) => { for (const o of n.ops) folds.of[o] = n; n.children.forEach(mark); };
  mark(folds.root);
  unfold();
}
/** Put the ops of a level into runs of neighbours, runs of runs if there are many. */
function runs(n) {
  const modules = n.children;
  let parts = [];
  for (let k = 0; k < n.ops.length; k += RUN) {
    const ops = n.ops.slice(k, k + RUN), run = node(`${n.path}#${ops[0]}`, "", n, "run");
    Object.assign(run, { ops, all: ops.length, from: ops[0], to: ops.at(-1) });
    parts.push(run);
  }
  while (parts.length > RUN) {
    const next = [];
    for (let k = 0; k < parts.length; k += RUN) {
      const inner = parts.slice(k, k + RUN), run = node(`${n.path}#${inner[0].from}+${inner.length * inner[0].all}`, "", n, "run");
      Object.assign(run, { children: inner, from: inner[0].from, to: inner.at(-1).to, all: inner.reduce((s, c) => s + c.all, 0) });
      for (const c of inner) c.parent = run;
      next.push(run);
    }
    parts = next;
  }
  const level = (m, at) => { m.level = at; m.children.forEach((c) => c.kind === "run" && level(c, at + 1)); };
  for (const p of parts) { level(p, n.level + 1); p.text = ""; }
  n.children = [...modules, ...parts];
  n.ops = [];
  const name = (m) => { m.text = `ops ${m.from + 1} to ${m.to + 1}`; folds.byPath.set(m.path, m); m.children.forEach((c) => c.kind === "run" && name(c)); };
  parts.forEach(name);
}
/** Close a fold and all in it: when the reader opens it, what is inside is folded again. */
function close(n) {
  folds.closed.add(n.path);
  n.children.forEach(close);
}
/** Unfold breadth-first for as long as the cards that are then shown are about forty. */
export function unfold() {
  folds.closed = new Set();
  let level = [folds.root], cards = 0;
  const width = (n) => n.ops.reduce((s, o) => s + 1 + record.ops[o].inputs.filter((i) => record.values[i].op === null && record.values[i].role !== "parameter").length * 0.5, 0) + n.children.length;
  cards = width(folds.root);
  level = [...folds.root.children];
  while (level.length) {
    const next = [];
    for (const n of level) {
      const more = cards - 1 + width(n);
      if (more <= CARDS || (n.level === 0 && n.kind === "module" && folds.root.children.length === 1 && width(n) <= CARDS)) { cards = more; next.push(...n.children); } else close(n);
    }
    level = next;
  }
  folds.start = new Set(folds.closed);
  folds.own.clear();
}
/** The folds round an op, outermost first. */
export function around(op) {
  const list = [];
  for (let n = op === null || op === undefined ? null : folds.of[op]; n && n !== folds.root; n = n.parent) list.unshift(n);
  return list;
}
/** The outermost closed fold round a place of the tree, when the folds round the current op are open. */
export function closedRound(n, open) {
  let found = null;
  for (; n && n !== folds.root; n = n.parent) if (folds.closed.has(n.path) && !open.has(n.path)) found = n;
  return found;
}
/** The fold of a module path (the nearest that has ops). */
export const foldOf = (path) => { for (let p = path; p; p = p.includes(".") ? p.slice(0, p.lastIndexOf(".")) : "") if (folds.byPath.has(p)) return folds.byPath.get(p); return null; };
/** The folds that the current step opens: those round its op, unless the reader has closed one of them by hand. */
export function opened(op) {
  const open = new Set();
  for (const n of around(op)) { if (folds.own.has(n.path)) break; open.add(n.path); }
  return open;
}
export function toggle(path) {
  const open = opened(record.track[record.at].op);
  if (folds.closed.has(path) && !open.has(path)) { folds.closed.delete(path); folds.own.delete(path); } else { folds.closed.add(path); folds.own.add(path); }
}
/** Fold all that can be folded below the outermost module; or back to what was open at first. */
export function foldAll() {
  if (folds.closed.size) { folds.own.clear(); folds.closed = folds.start.size === folds.closed.size ? new Set() : new Set(folds.start); if (record.ops.length > 400) folds.closed = new Set(folds.start); return; }
  for (const n of folds.byPath.values()) if (n.all && !(n.level === 0 && folds.root.children.length === 1)) folds.closed.add(n.path);
}
