// How numbers, shapes and names are written: four digits, a true minus, and the learner's text escaped.

export const $ = (id) => document.getElementById(id);
/** Text of the learner, made safe for HTML and for attributes. */
export const esc = (s) => String(s).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);
/** A sentence of the record: escaped, with `code` between backticks. */
export const prose = (s) => esc(s).replace(/`([^`]+)`/g, "<code>$1</code>");
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
export const dark = () => document.documentElement.dataset.theme === "dark";

/** A number with four significant digits, a true minus, and no exponent where a reader can do without. */
export function fmt(v, digits = 4) {
  v = Number(v);
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "nan" : v > 0 ? "∞" : "−∞";
  if (v === 0) return "0";
  const size = Math.abs(v);
  if (size < 1e-4 || size >= 1e6) {
    const [m, e] = v.toExponential(2).split("e");
    return `${m.replace("-", "−")}·10<sup>${e.replace("+", "").replace("-", "−")}</sup>`;
  }
  return String(Number(v.toPrecision(digits))).replace("-", "−");
}
export const plain = (v, digits) => fmt(v, digits).replace(/·10<sup>(.*)<\/sup>/, "e$1");
export const signed = (v) => `<span class="${v < 0 ? "neg" : "pos"}">${fmt(v)}</span>`;
export const factor = (v) => (v < 0 ? `(${fmt(v)})` : fmt(v));
export const tuple = (s) => (s.length === 0 ? "scalar" : s.length === 1 ? `(${s[0]},)` : `(${s.join(", ")})`);
export const count = (n) => Number(n).toLocaleString("en-US");
export const product = (list) => list.reduce((a, b) => a * b, 1);
export const bytes = (n) => (n < 1000 ? `${n} bytes` : n < 1e6 ? `${Math.round(n / 1000)} kB` : `${(n / 1e6).toFixed(1)} MB`);
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
export const listed = (items) => (items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`);
export const short = (s, n = 15) => (s.length > n ? `${s.slice(0, n - 1)}…` : s);
/** A name as it stands in a formula: an expression gets brackets. */
export const par = (s) => (/\s/.test(s) ? `(${esc(s)})` : esc(s));

/** The place of element i in an array of this shape, axis by axis. */
export function place(shape, i) {
  const at = [];
  for (let k = shape.length - 1; k >= 0; k--) {
    at.unshift(i % shape[k]);
    i = Math.floor(i / shape[k]);
  }
  return at;
}
/** The index of an element in brackets; axes of size one are left out where the others say enough. */
export function where(shape, i) {
  const at = place(shape, i), keep = at.filter((_, k) => shape[k] > 1 || (shape.length === 2 && k === 1) || shape.length === 1);
  return at.length && product(shape) > 1 ? `[${keep.join(", ")}]` : "";
}

const allowed = new Set("math mrow mi mo mn mtext ms mspace mfrac msup msub msubsup munder mover munderover msqrt mroot mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts none semantics".split(" "));
const formulas = new Map();
/** MathML of the record, kept only where it is MathML: another element or an attribute that runs is dropped. */
export function mathml(text) {
  if (!text) return "";
  if (formulas.has(text)) return formulas.get(text);
  const holder = document.createElement("template");
  holder.innerHTML = text;
  for (const el of holder.content.querySelectorAll("math")) el.setAttribute("displaystyle", "true");
  for (const el of holder.content.querySelectorAll("*")) {
    if (!allowed.has(el.localName)) { el.replaceWith(el.textContent); continue; }
    for (const a of [...el.attributes]) if (/^on|href$|^src|^style$|action/i.test(a.name)) el.removeAttribute(a.name);
  }
  formulas.set(text, holder.innerHTML);
  return holder.innerHTML;
}
