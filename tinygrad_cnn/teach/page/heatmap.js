// Heat maps: an array on paper, with its own scale, a cell cursor, outlines, and a table of its numbers.
import { $, count, dark, esc, fmt, plain, product, tuple, where } from "./numbers.js";
import { record } from "./record.js";

const STOPS = { light: ["#1f4b99", "#86aedd", "#f4f2ed", "#efb277", "#a04a00"], dark: ["#8fbaff", "#3a64a8", "#20242a", "#96591a", "#ffbc6e"] };
const SIDE = 64; // above this many rows or columns a map is pooled
const PANELS = 144; // more channels than this are not drawn
const hex = (h) => [1, 3, 5].map((k) => parseInt(h.slice(k, k + 2), 16));
const palettes = new Map();

/** 256 colours as bytes of a picture: diverging from −1 to 1, or grey from 0 to 1. */
function palette(image) {
  const key = `${image}${dark()}`;
  if (palettes.has(key)) return palettes.get(key);
  const stops = STOPS[dark() ? "dark" : "light"].map(hex), colours = new Uint8ClampedArray(256 * 4);
  for (let n = 0; n < 256; n++) {
    const at = (n / 255) * 4, k = Math.min(3, Math.floor(at)), x = n / 255, grey = dark() ? 28 + 215 * x : 250 - 225 * x;
    const c = image ? [grey, grey, grey] : stops[k].map((v, j) => v + (stops[k + 1][j] - v) * (at - k));
    colours.set([...c, 255], n * 4);
  }
  const words = new Uint32Array(colours.buffer);
  palettes.set(key, { colours, words });
  return palettes.get(key);
}
const rgb = (n, image) => `rgb(${palette(image).colours.slice(n * 4, n * 4 + 3).join(",")})`;
/** The number of a value's colour; 127.5 is 0 in a diverging map. NaN looks like 0. */
const shade = (v, most) => Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * (v / most || 0))));
const grey = (v, [lo, hi]) => Math.max(0, Math.min(255, Math.round((255 * (v - lo)) / (hi - lo || 1))));

/** How an array lies on paper: panels of rows and columns, one after another; a long row is wrapped. */
export function lay(shape) {
  const s = shape.filter((n, k) => !(k < 2 && n === 1 && shape.length > 2)), n = product(shape);
  if (s.length === 0 || n === 0) return { panels: 1, rows: 1, cols: Math.max(1, n), cells: n };
  const row = s.length === 1 || (s.length === 2 && s[0] === 1);
  if (row && n > 2 * SIDE) return { panels: 1, rows: Math.ceil(n / SIDE), cols: SIDE, cells: n, wrapped: true };
  if (row) return { panels: 1, rows: 1, cols: n, cells: n };
  const [rows, cols] = s.slice(-2);
  if (s.length > 2 && rows * cols === 1) return lay([n]);
  return { panels: n / rows / cols, rows, cols, cells: n };
}
/** The same, with neighbouring cells drawn as one where there are too many: each shows the value of the largest magnitude. */
function pool(l, row = 2 * SIDE) {
  const by = l.rows > SIDE ? Math.ceil(l.rows / SIDE) : 1, bx = l.cols > row || (by > 1 && l.cols > SIDE) ? Math.ceil(l.cols / SIDE) : 1;
  return { by, bx, high: Math.ceil(l.rows / by), wide: Math.ceil(l.cols / bx) };
}
/** For each drawn cell, the element whose value it shows (−1 where there is none). */
function shownElements(v, l, p, base, panels) {
  const owner = new Int32Array(panels * p.high * p.wide).fill(-1), { data } = v;
  for (let n = 0, end = Math.min(l.cells, panels * l.rows * l.cols); n < end; n++) {
    const panel = Math.floor(n / l.rows / l.cols), r = Math.floor(n / l.cols) % l.rows, c = n % l.cols;
    const at = (panel * p.high + Math.floor(r / p.by)) * p.wide + Math.floor(c / p.bx);
    if (owner[at] < 0 || Math.abs(data[base + n]) > Math.abs(data[owner[at]])) owner[at] = base + n;
  }
  return owner;
}
/** A picture with one pixel a cell, panels one below the other. */
function pixels(v, owner, wide, image, range, most) {
  const canvas = document.createElement("canvas"), { words } = palette(image);
  canvas.width = wide;
  canvas.height = owner.length / wide;
  const ink = canvas.getContext("2d"), picture = ink.createImageData(canvas.width, canvas.height), to = new Uint32Array(picture.data.buffer);
  for (let n = 0; n < owner.length; n++) if (owner[n] >= 0) to[n] = words[image ? grey(v.data[owner[n]], range) : shade(v.data[owner[n]], most)];
  ink.putImageData(picture, 0, 0);
  return canvas;
}

/**
 * `part` is {base, count, shape}: the piece of v that is drawn (one image of a batch), or nothing for all of it.
 * `pad` is a margin of cells round each panel, where the windows of a convolution reach into its padding.
 */
export class HeatMap {
  constructor(v, { title, note = "", g = false, image = false, width = 420, role = "", winners, answer = false, part, pad = [0, 0] }) {
    part ??= { base: 0, count: v.size, shape: v.shape };
    Object.assign(this, { v, role, image, part, pad, title });
    const l = (this.lay = lay(part.shape)), p = (this.pool = pool(l)), panels = (this.panels = Math.min(l.panels, PANELS));
    const gap = (this.gap = panels > 16 ? 4 : panels > 1 ? 7 : 0), across = (this.across = Math.ceil(Math.sqrt(panels))), down = Math.ceil(panels / across);
    this.owner = shownElements(v, l, p, part.base, panels);
    const most = part.count <= 24 ? 54 : 24, cols = p.wide + 2 * pad[1];
    const fits = (width - gap * (across - 1)) / (cols * across);
    this.cell = Math.max(panels > 16 ? 1 : panels > 1 ? 2 : p.wide > 40 ? 3 : 4, Math.min(most, fits < 6 ? Math.floor(2 * fits) / 2 : Math.floor(fits)));
    this.high = p.wide > 24 && p.high <= 16 ? (p.high === 1 ? 24 : 14) : this.cell;
    this.step = [cols * this.cell + gap, (p.high + 2 * pad[0]) * this.high + gap];
    this.W = across * this.step[0] - gap;
    this.H = down * this.step[1] - gap;
    this.range = image ? [Math.min(0, v.range[0]), v.range[1]] : v.range;
    this.most = v.most || 1;
    const said = [tuple(v.shape), note, p.by * p.bx > 1 ? `${p.by} × ${p.bx} values a cell, the largest shown` : "", l.wrapped ? `in rows of ${SIDE}` : "", panels < l.panels ? `the first ${PANELS} of ${count(l.panels)} panels` : ""].filter(Boolean);
    this.figure = document.createElement("figure");
    if (answer) this.figure.className = "answer";
    this.figure.style.width = `${Math.max(this.W, Math.min(width, 176 * record.size))}px`;
    this.figure.innerHTML = `<figcaption><b${g ? ' class="g"' : ""}>${title}</b><br><span class="${said.join(" · ").length < 34 ? "nowrap" : ""}">${said.map(esc).join(" · ")}</span></figcaption>
      <div class="map" tabindex="0" role="img"><canvas></canvas><svg width="${this.W}" height="${this.H}" aria-hidden="true"></svg></div>`;
    const box = (this.box = this.figure.querySelector(".map"));
    box.setAttribute("aria-label", `${title.replace(/<[^>]*>/g, "")}, ${said.join(", ")}, from ${plain(v.range[0])} to ${plain(v.range[1])}. Arrow keys read the values.`);
    this.svg = this.figure.querySelector("svg");
    this.paint();
    if (v.size > 0) this.figure.append(this.table());
    let extra = "";
    if (pad[0] || pad[1]) extra += this.margins();
    if (winners) extra += this.dots(winners);
    if (this.cell >= 36 && part.count <= 24) extra += this.written();
    if (p.wide > 24 && p.high > 1 && p.high <= 16 && !l.wrapped) {
      box.style.marginLeft = "1.3rem";
      for (let r = 0; r < p.high; r++) extra += `<text class="row" x="-10" y="${(r + 0.5) * this.high}">${r}</text>`;
    }
    this.svg.innerHTML = `${extra}<g></g>`;
    this.marks = this.svg.lastChild;
    this.at = part.base;
    this.listen(box);
  }
  listen(box) {
    box.addEventListener("pointermove", (e) => { const i = this.hit(e); if (i !== null) { this.hover?.(i, e); tip(e, this, i); } });
    box.addEventListener("pointerleave", () => { $("tip").hidden = true; this.leave?.(); });
    box.addEventListener("click", (e) => { const i = this.hit(e); if (i !== null) this.pin?.((this.at = i)); });
    box.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: -this.pool.bx, ArrowRight: this.pool.bx, ArrowUp: -this.lay.cols * this.pool.by, ArrowDown: this.lay.cols * this.pool.by }[e.key];
      if (e.key === "Enter") { this.pin?.(this.at); e.preventDefault(); }
      if (!step) return;
      e.preventDefault();
      e.stopPropagation();
      this.at = Math.max(this.part.base, Math.min(this.part.base + this.part.count - 1, this.at + step));
      this.hover?.(this.at);
      $("now").textContent = `${this.title.replace(/<[^>]*>/g, "")} ${where(this.v.shape, this.at)}: ${plain(this.v.data[this.at])}`;
    });
  }
  paint() {
    const canvas = this.figure.querySelector("canvas"), dense = 2, { wide, high } = this.pool;
    canvas.width = this.W * dense;
    canvas.height = this.H * dense;
    canvas.style.width = `${this.W}px`;
    canvas.style.height = `${this.H}px`;
    const ink = canvas.getContext("2d"), from = pixels(this.v, this.owner, wide, this.image, this.range, this.most);
    ink.scale(dense, dense);
    ink.imageSmoothingEnabled = false;
    for (let n = 0; n < this.panels; n++) {
      const [x, y] = this.corner(n);
      ink.drawImage(from, 0, n * high, wide, high, x, y, wide * this.cell, high * this.high);
      if (this.cell < 9 || this.high < 9) continue;
      ink.fillStyle = dark() ? "#14161a" : "#faf9f6"; // --page
      for (let c = 1; c < wide; c++) ink.fillRect(x + c * this.cell - 0.5, y, 0.5, high * this.high);
      for (let r = 1; r < high; r++) ink.fillRect(x, y + r * this.high - 0.5, wide * this.cell, 0.5);
    }
  }
  /** The upper left corner of panel n, inside its padding. */
  corner(n) { return [(n % this.across) * this.step[0] + this.pad[1] * this.cell, Math.floor(n / this.across) * this.step[1] + this.pad[0] * this.high]; }
  /** Panel, drawn row and drawn column of an element; null when it is not drawn. */
  spot(i) {
    const n = i - this.part.base, { rows, cols } = this.lay, panel = Math.floor(n / rows / cols);
    return n < 0 || n >= this.part.count || panel >= this.panels ? null : [panel, Math.floor((Math.floor(n / cols) % rows) / this.pool.by), Math.floor((n % cols) / this.pool.bx)];
  }
  xy(i) { const at = this.spot(i), [x, y] = this.corner(at[0]); return [x + at[2] * this.cell, y + at[1] * this.high]; }
  hit(e) {
    const r = this.box.getBoundingClientRect(), x = e.clientX - r.left, y = e.clientY - r.top, px = Math.floor(x / this.step[0]), py = Math.floor(y / this.step[1]), panel = py * this.across + px;
    if (px < 0 || px >= this.across || panel < 0 || panel >= this.panels) return null;
    const [x0, y0] = this.corner(panel), c = Math.floor((x - x0) / this.cell), row = Math.floor((y - y0) / this.high);
    if (c < 0 || c >= this.pool.wide || row < 0 || row >= this.pool.high) return null;
    const i = this.owner[(panel * this.pool.high + row) * this.pool.wide + c];
    return i < 0 ? null : i;
  }
  /** What the summary of the numbers says: the colours and the two ends. */
  scale() {
    const stops = [0, 64, 128, 191, 255].map((n) => rgb(n, this.image)), bar = `<i style="background:linear-gradient(90deg,${stops})"></i>`;
    return `<span class="scale">${this.image ? `${fmt(this.range[0], 3)} ${bar} ${fmt(this.range[1], 3)}` : `${bar} ±${fmt(this.v.most, 3)}`}</span>`;
  }
  table() {
    const el = document.createElement("details"), most = 10000;
    el.className = "numbers";
    el.innerHTML = `<summary title="Show the numbers"><span class="hidden">Numbers, scale </span>${this.scale()}</summary>`;
    el.addEventListener("toggle", () => {
      if (el.children.length > 1) return;
      const { rows, cols } = this.lay, { base, count: all } = this.part, tables = [];
      for (let n = 0; n < Math.min(all, most); n += rows * cols) {
        const lines = [];
        for (let r = 0; r < rows && n + r * cols < Math.min(all, most); r++) {
          const cells = [];
          for (let c = 0; c < cols && n + r * cols + c < all; c++) { const x = this.v.raw[base + n + r * cols + c] ?? this.v.data[base + n + r * cols + c]; cells.push(`<td title="${x}">${plain(this.v.data[base + n + r * cols + c], 3)}</td>`); }
          lines.push(`<tr>${cells.join("")}</tr>`);
        }
        tables.push(`<table>${this.lay.panels > 1 ? `<caption>panel ${n / rows / cols}</caption>` : ""}${lines.join("")}</table>`);
      }
      el.insertAdjacentHTML("beforeend", `<div class="scroll" tabindex="0">${tables.join("")}${all > most ? `<p>The first ${count(most)} of ${count(all)} numbers.</p>` : ""}</div>`);
    });
    return el;
  }
  written() {
    let s = "";
    for (let n = 0; n < this.part.count; n++) {
      const i = this.part.base + n, [x, y] = this.xy(i), at = this.image ? grey(this.v.data[i], this.range) : shade(this.v.data[i], this.most), c = palette(this.image).colours.slice(at * 4, at * 4 + 3);
      const text = [3, 2].map((d) => plain(this.v.data[i], d)).find((t) => t.length * 7.2 + 4 < this.cell), small = text ?? plain(this.v.data[i], 1);
      s += `<text x="${x + this.cell / 2}" y="${y + this.high / 2}"${text ? "" : ' class="small"'} fill="${0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2] > 140 ? "#15181c" : "#fff"}">${small.length * 5.6 + 2 < this.cell ? small : ""}</text>`;
    }
    return s;
  }
  /** A dot in each winner, faint where its value is 0. */
  dots(list) {
    let s = "";
    for (const i of list) if (this.spot(i)) { const [x, y] = this.xy(i); s += `<circle class="winner${this.v.data[i] ? "" : " tie"}" cx="${x + this.cell / 2}" cy="${y + this.high / 2}" r="${this.v.data[i] ? Math.max(1.2, this.cell / 6) : Math.min(1, this.cell / 6)}"/>`; }
    return s;
  }
  /** The padding round each panel, as a dotted line: there the windows see zeros. */
  margins() {
    let s = "";
    for (let n = 0; n < this.panels; n++) { const [x, y] = this.corner(n); s += `<rect class="padding" x="${x - this.pad[1] * this.cell}" y="${y - this.pad[0] * this.high}" width="${(this.pool.wide + 2 * this.pad[1]) * this.cell}" height="${(this.pool.high + 2 * this.pad[0]) * this.high}"/>`; }
    return s;
  }
  /** Outline cells: neighbours of one panel that form a block get one outline. `frames` adds windows by corner and size, which may reach outside. */
  mark(list, self = null, frames = []) {
    const groups = new Map();
    for (const i of list) { const at = this.spot(i); if (!at) continue; if (!groups.has(at[0])) groups.set(at[0], new Map()); groups.get(at[0]).set(at[1] * this.pool.wide + at[2], at); }
    let s = "";
    const rect = (x, y, w, h, c) => `<rect class="hl halo" x="${x}" y="${y}" width="${w}" height="${h}"/><rect class="hl ${c}" x="${x}" y="${y}" width="${w}" height="${h}"/>`;
    for (const [panel, cells] of groups) {
      const r = [...cells.values()].map((a) => a[1]), c = [...cells.values()].map((a) => a[2]), [x, y] = this.corner(panel);
      const [r0, r1, c0, c1] = [Math.min(...r), Math.max(...r), Math.min(...c), Math.max(...c)], block = (r1 - r0 + 1) * (c1 - c0 + 1) === cells.size;
      const box = (r, c, w, h) => rect(x + c * this.cell, y + r * this.high, w * this.cell, h * this.high, cells.size > 60 && !block ? "thin" : "");
      if (block) s += box(r0, c0, c1 - c0 + 1, r1 - r0 + 1);
      else for (const [, row, col] of [...cells.values()].slice(0, 600)) s += box(row, col, 1, 1);
    }
    for (const f of frames) for (const panel of f.panels) if (panel < this.panels && panel >= 0 && this.pool.by * this.pool.bx === 1) { const [x, y] = this.corner(panel); s += `<rect class="hl window" x="${x + f.c * this.cell}" y="${y + f.r * this.high}" width="${f.w * this.cell}" height="${f.h * this.high}"/>`; }
    if (self !== null && this.spot(self)) { const [x, y] = this.xy(self); s += rect(x, y, this.cell, this.high, "self"); }
    this.marks.innerHTML = s;
  }
}
function tip(e, map, i) {
  const t = $("tip"), hidden = document.body.classList.contains("predict") && map.figure.classList.contains("answer") && !map.figure.classList.contains("shown");
  t.hidden = hidden;
  t.innerHTML = `${where(map.v.shape, i)} <b>${fmt(map.v.data[i], 5)}</b>`;
  t.style.left = `${Math.min(innerWidth - 150, e.clientX + 14)}px`;
  t.style.top = `${e.clientY + 18}px`;
}

/** A small picture for a card of the graph: its address, and its size in cells. */
export function thumb(v, image, part) {
  const key = `${dark()}${image}${part.base}`, known = (v.thumbs ??= {});
  if (known[key]) return known[key];
  const l = lay(part.shape), p = pool({ ...l, rows: l.rows }, SIDE), panels = Math.min(l.panels, 36), across = panels > 1 ? Math.ceil(Math.sqrt(panels)) : 1;
  const owner = shownElements(v, l, p, part.base, panels), from = pixels(v, owner, p.wide, image, [Math.min(0, v.range[0]), v.range[1]], v.most || 1), c = document.createElement("canvas");
  c.width = across * (p.wide + 1) - 1;
  c.height = Math.ceil(panels / across) * (p.high + 1) - 1;
  const ink = c.getContext("2d");
  for (let n = 0; n < panels; n++) ink.drawImage(from, 0, n * p.high, p.wide, p.high, (n % across) * (p.wide + 1), Math.floor(n / across) * (p.high + 1), p.wide, p.high);
  return (known[key] = { url: c.toDataURL(), wide: c.width, high: c.height });
}
