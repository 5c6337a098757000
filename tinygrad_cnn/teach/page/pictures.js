// The pictures of a step: heat maps that answer to each other, and a line that reads out the sum under the pointer.
import { count, esc, factor, fmt, plural, product, where } from "./numbers.js";
import { array, batched, chosen, input, isImage, numbers, output, record, size } from "./record.js";
import { frame, local, picture, reached, sources, windowOf, windowsWith } from "./maps.js";
import { HeatMap, lay } from "./heatmap.js";
import { by, trace } from "./trace.js";

const SHOWN = 9; // terms of a sum that are written out

export const part = (html) => { const el = document.createElement("div"); el.innerHTML = html; return el; };
export const mapsRow = (...items) => { const el = document.createElement("div"); el.className = "maps"; for (const m of items) if (m) el.append(m.figure ?? m); return el; };
export const room = () => Math.max(220, Math.min(record.room.detail - (record.room.detail < 480 ? 30 : 52), 720));
const cotangent = (text) => `<span class="cot">${text}</span>`;
const margin = (o, map) => (o.geometry?.padding?.length === 2 && map ? o.geometry.padding : [0, 0]);
/** In place of a map whose array is not there: still being read, or left out of the page. */
export function gap(title, k) {
  return { figure: part(`<figure><figcaption><b>${title}</b><br>${k === null || k === undefined ? "not kept on this page" : "one moment …"}</figcaption></figure>`).firstChild, mark() {}, spot: () => null };
}
const map = (k, title, options) => { const v = array(k); return v ? new HeatMap(v, { title, ...options }) : gap(title, k); };
/** Which image of a batch is shown, with two buttons to choose. */
export function chooser(...maps) {
  if (record.batch < 2 || !maps.some((m) => m?.part && m.part.count < m.v.size)) return null;
  return part(`<p class="chooser"><button data-image="-1" aria-label="The ${record.noun} before" title="[">‹</button><span>${record.noun} <b>${record.image + 1}</b> of ${record.batch}</span><button data-image="1" aria-label="The next ${record.noun}" title="]">›</button></p>`);
}
/** Widths of maps that stand side by side. */
function widths(n) {
  const all = room(), third = all < 440 ? Math.floor((all - 24) / 2) : Math.floor((all - 22 * (n - 1)) / n);
  return (v, shape, most = 260) => (lay(shape).cols > 24 && lay(shape).rows <= 16 ? all - 22 : Math.min(third, shape.reduce((a, b) => a * b, 1) > 40 ? most : 190));
}
const nudge = (check, i) => {
  if (!check || check.kind === "direction") return "";
  const at = array(check.at), n = check.at === null ? i : at ? at.data.indexOf(i) : -1, q = array(check.q), kinks = array(check.kinks);
  if (n < 0 || !q) return "";
  return `<br><small>${kinks?.data[n] ? '<span class="kink">At a kink:</span> left and right slope differ here' : `<span class="${check.ok ? "tick" : "kink"}">${check.ok ? "✓" : "≈"}</span> nudged up and down: ${fmt(q.data[n], 5)}`}</small>`;
};
/** The terms of a sum, the largest first, the rest in one number. */
function terms(list, write) {
  const rest = list.slice(SHOWN);
  return list.slice(0, SHOWN).map((t) => `<span class="t">${write(t)}</span>`).join(" + ") + (rest.length ? ` + <span class="t">${count(rest.length)} more: ${fmt(rest.reduce((s, t) => s + t.value, 0))}</span>` : "");
}
/** The planes of a map on which cells lie: where a window is drawn. */
const planes = (m, cells) => [...new Set(cells.map((i) => m.spot(i)?.[0]).filter((p) => p !== undefined))];

/** How one contribution is made: g, the local derivative, what goes out, and the sum at the element under the pointer. */
export function explorer(o, k, s) {
  const x = input(o, k), y = output(o), g = array(s.g), d = array(s.d), raw = s.raw !== null && s.raw !== s.g ? s.raw : null, pic = picture(o, k), maps = {}, pool = pic.kind === "winners" && Boolean(frame(o, 0));
  if (s.g === null && s.d === null) return [part('<p class="eyebrow">The numbers of this step are not on the page: there are too many of them.</p>')];
  if (!g || !d) return [mapsRow(gap(`g = ${by(y)}`, s.g), gap(`to ${esc(x.label)}`, s.d))];
  const local3 = ["slope", "via", "winners", "matrix"].includes(pic.kind), wide = widths((local3 ? 3 : 2) + (raw === null ? 0 : 1)), part3 = (v) => chosen(v);
  maps.g = new HeatMap(g, { title: `g = ${by(y)}`, g: true, note: "comes in", width: wide(g, part3(y).shape), part: part3(y) });
  if (pic.kind === "via") { const w = input(o, pic.other); maps.via = map(w.array, esc(w.label), { image: isImage(w), note: "local", width: wide(null, part3(w).shape, o.geometry ? product(part3(w).shape.slice(0, -2)) > 36 ? 220 : Math.round(156 * record.size) : 260), part: part3(w), pad: margin(o, o.geometry && pic.other === 0) }); }
  if (pic.kind === "slope") { const same = pic.values.size === size(x) ? x : y; maps.via = new HeatMap(pic.values, { title: pic.name ? esc(pic.name) : "slope", note: "local", width: wide(pic.values, part3(same).shape), part: pic.values.size === size(same) && part3(same).count < pic.values.size ? part3(same) : undefined }); }
  if (pic.kind === "matrix") maps.via = new HeatMap(pic.values, { title: "slopes", note: "output down, input across", width: wide(pic.values, pic.values.shape) });
  if (pic.kind === "winners") maps.via = map(x.array, esc(x.label), { note: "● won", width: wide(null, part3(x).shape), winners: pic.winners.slice(0, 20000), part: part3(x), pad: margin(o, pool) });
  if (raw !== null) maps.raw = map(raw, "before the sum", { note: "g · local", width: wide(null, array(raw)?.shape ?? y.shape), answer: true, part: array(raw)?.size === size(y) ? part3(y) : undefined });
  maps.d = new HeatMap(d, { title: `to ${esc(x.label)}`, g: true, note: "goes out", width: wide(d, part3(x).shape), answer: true, part: part3(x), pad: margin(o, o.geometry && k === 0) });
  const reading = part(""), m = local(o, k), calm = pic.kind === "winners" ? "Point at a value: see who won." : "Point at a value: see how it is made. Click to keep it.", predicted = () => document.body.classList.contains("predict");
  reading.className = "reading";
  let pinned = null;
  const windows = (map, js) => js.slice(0, 40).map((j) => frame(o, j)).filter(Boolean);
  const elsewhere = (v, list, at) => { const c = chosen(v); const n = c.count < size(v) ? list.filter((t) => t[at] < c.base || t[at] >= c.base + c.count).length : 0; return n ? `<br><small>${count(n)} of ${count(list.length)} terms come from other ${record.noun}s of the batch.</small>` : ""; };
  const show = (i) => { // an element of the contribution: every output that sends to it
    const all = reached(o, k, i).map((e) => ({ ...e, value: e.d * g.data[e.j] })), live = all.filter((t) => t.value !== 0).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
    const js = pool ? windowsWith(o, i) : all.map((t) => t.j), seen = pool ? [...new Set(js.flatMap((j) => windowOf(o, j)))] : [];
    maps.g.mark(js);
    maps.raw?.mark(js);
    if (pic.kind === "via") maps.via.mark([...new Set(all.map((t) => t.via))]);
    else if (pic.kind === "slope") maps.via.mark(pic.values.size === size(x) ? [i] : js);
    else if (pic.kind === "matrix") maps.via.mark(all.map((t) => t.j * size(x) + i));
    else if (pic.kind === "winners") maps.via.mark(pool ? seen : js.flatMap((j) => sources(o, k, j).map((t) => t.i)), null, pool ? windows(maps.via, js).map((f) => ({ ...f, panels: planes(maps.via, seen) })) : []);
    maps.d.mark(seen, i);
    const zero = all.length - live.length, dead = zero ? `<br><small>${count(zero)} of ${plural(all.length, "term")} ${zero === 1 ? "is" : "are"} 0.</small>` : "", xs = numbers(x);
    const tie = pool && xs && js.some((j) => { const w = windowOf(o, j).map((q) => xs.data[q]), top = Math.max(...w); return w.filter((v) => v === top).length > 1; }) ? "<br><small>A tie: the first of the window wins, by convention.</small>" : "";
    const told = live.reduce((a, t) => a + t.value, 0), others = m?.only ? `${live.length ? " + " : ""}<span class="t">outputs that are not listed: ${fmt(d.data[i] - told)}</span>` : "";
    const sum = (live.length ? terms(live, (t) => `${factor(t.d)} · ${cotangent(factor(g.data[t.j]))}`) : others ? "" : "0") + others;
    reading.innerHTML = m ? `<p><b>${by(x)} ${where(x.shape, i)}</b> <small>each term: local derivative · ${cotangent("g")}</small></p><p class="sum">= <span class="answer">${sum} = <span class="tot" title="${d.data[i]}">${fmt(d.data[i], 5)}</span></span>${dead}${elsewhere(y, all, "j")}${tie}${nudge(s.check, i)}</p>`
      : `<p><b>${by(x)} ${where(x.shape, i)}</b> = <span class="tot answer" title="${d.data[i]}">${fmt(d.data[i], 5)}</span></p><p class="hintline">${o.maps?.[k] ? "One moment: the local derivatives are being read." : "The local derivatives of this op are not on this page."}${nudge(s.check, i)}</p>`;
    const b = document.createElement("button");
    b.className = "ask";
    b.textContent = "Where did this gradient come from?";
    b.onclick = () => trace(x, i);
    reading.append(b);
  };
  const showOut = (j) => { // an element of g: where it goes
    const goes = sources(o, k, j), live = goes.filter((t) => t.d !== 0).sort((a, b) => Math.abs(b.d) - Math.abs(a.d)), to = goes.map((t) => t.i), f = o.geometry && k === 0 ? frame(o, j) : null;
    maps.g.mark([], j);
    maps.raw?.mark([], j);
    maps.d.mark(to, null, f ? [{ ...f, panels: planes(maps.d, to) }] : []);
    if (pic.kind === "via") { const read = [...new Set(goes.map((t) => t.via))], fv = o.geometry && pic.other === 0 ? frame(o, j) : null; maps.via.mark(read, null, fv ? [{ ...fv, panels: planes(maps.via, read) }] : []); }
    else if (pic.kind === "slope") maps.via.mark(pic.values.size === size(x) ? to : [j]);
    else if (pic.kind === "matrix") maps.via.mark(goes.map((t) => j * size(x) + t.i));
    else if (pic.kind === "winners") { const w = pool ? windowOf(o, j) : to; maps.via.mark(w, live[0]?.i ?? null, f ? [{ ...f, panels: planes(maps.via, w) }] : []); }
    const list = live.slice(0, SHOWN).map((t) => `<span class="t">${where(x.shape, t.i)} gets ${factor(t.d)} · ${cotangent(fmt(g.data[j]))}</span>`).join(", ");
    reading.innerHTML = `<p><b>g ${where(y.shape, j)} = ${fmt(g.data[j], 5)}</b> goes to ${plural(goes.length, "element")} of <code>${esc(x.label)}</code></p><p class="sum answer">${list}${live.length > SHOWN ? ` and ${count(live.length - SHOWN)} more` : ""}</p>`;
  };
  const showVia = (v) => { // an element of the other input: where it multiplies g
    if (pic.kind === "slope") return pic.values.size === size(x) ? show(v) : showOut(v);
    if (pic.kind === "matrix") return show(v % size(x));
    if (pic.kind === "winners") return show(v);
    const is = new Set(), js = new Set();
    for (let r = 0; r < m.lines; r++) { const j = m.out(r), [a, b] = m.range(j); for (let e = a; e < b; e++) if (m.via(e) === v) { is.add(m.col(e)); js.add(j); } }
    maps.via.mark([], v);
    maps.d.mark([...is]);
    maps.g.mark([...js]);
    reading.innerHTML = `<p><b>${esc(input(o, pic.other).label)} ${where(maps.via.v.shape, v)} = ${fmt(maps.via.v.data[v], 5)}</b> multiplies g on its way to ${plural(is.size, "element")} of <code>${esc(x.label)}</code>.</p>`;
  };
  const idle = () => { if (pinned !== null) return show(pinned); for (const n of Object.values(maps)) n.mark([]); reading.innerHTML = `<p class="hintline">${calm}</p>`; };
  Object.assign(maps.d, { hover: show, leave: idle, pin: (i) => { pinned = i; show(i); } });
  Object.assign(maps.g, { hover: showOut, leave: idle });
  if (maps.raw) Object.assign(maps.raw, { hover: showOut, leave: idle });
  if (maps.via) Object.assign(maps.via, { hover: showVia, leave: idle });
  const first = d.largest(maps.d.part.base, Math.min(maps.d.part.count, maps.d.panels * maps.d.lay.rows * maps.d.lay.cols));
  if (d.size > 1 && !predicted()) maps.d.at = pinned = first;
  idle();
  return [chooser(maps.g, maps.via, maps.d), mapsRow(maps.g, maps.via, maps.raw, maps.d), reading].filter(Boolean);
}

/** How an output is made: inputs, weights, output, and the sum or the window under the pointer. */
export function forwardMaps(o) {
  const y = output(o), ys = numbers(y), maps = {}, reading = part(""), mapped = o.inputs.map((_, k) => [input(o, k), k]).filter(([v, k]) => size(v) > 1 || (o.inputs.length < 4 && numbers(v) && v.label !== String(numbers(v).data[0]) && Number(v.label) !== numbers(v).data[0]));
  const shown = mapped.slice(0, o.geometry && mapped.length > 2 ? 2 : 3), wide = widths(shown.length + 1), spatial = Boolean(frame(o, 0));
  reading.className = "reading";
  for (const [v, k] of shown) maps[k] = map(v.array, esc(v.label), { image: isImage(v), width: wide(null, chosen(v).shape, chosen(v).shape.length > 2 && v.role === "parameter" ? (product(chosen(v).shape.slice(0, -2)) > 36 ? 220 : 156) : 260), part: chosen(v), pad: margin(o, spatial && k === 0) });
  maps.y = map(y.array, esc(y.label), { width: wide(null, chosen(y).shape), note: "output", answer: true, part: chosen(y) });
  if (!ys && y.array === null) return [part('<p class="eyebrow">The numbers of this step are not on the page: there are too many of them.</p>')];
  if (!ys) return [mapsRow(...Object.values(maps))];
  const idle = () => { Object.values(maps).forEach((m) => m.mark([])); reading.innerHTML = '<p class="hintline">Point at a value of the output: see how it is made.</p>'; };
  const show = (j) => {
    const made = o.inputs.map((_, k) => sources(o, k, j)), f = frame(o, j);
    maps.y.mark([], j);
    const pooling = f && o.inputs.length === 1, cells = pooling ? windowOf(o, j) : made[0]?.map((t) => t.i) ?? [];
    for (const [, k] of shown) {
      const from = made[k].length ? made[k].map((t) => t.i) : made.flatMap((list, q) => (o.maps?.[q]?.other === k ? list.map((t) => t.via) : [])), list = k === 0 && pooling ? cells : [...new Set(from.filter((i) => i !== undefined))];
      maps[k].mark(list, null, f && k === 0 && list.length ? [{ ...f, panels: planes(maps[k], list) }] : []);
    }
    reading.innerHTML = `<p><b>${esc(y.label)} ${where(y.shape, j)}</b></p><p class="sum answer">= ${spelled(o, j, made, pooling ? cells : null)}<span class="tot ink">${fmt(ys.data[j], 5)}</span></p>`;
  };
  Object.assign(maps.y, { hover: show, leave: idle, pin: (j) => { show(j); maps.y.leave = () => show(j); } });
  idle();
  if (ys.size >= 1 && !document.body.classList.contains("predict")) {
    const c = maps.y.part;
    let j = c.base;
    for (let i = c.base; i < c.base + Math.min(c.count, maps.y.panels * maps.y.lay.rows * maps.y.lay.cols); i++) if (ys.data[i] > ys.data[j]) j = i;
    maps.y.at = j;
    show(j);
    maps.y.leave = () => show(j);
  }
  return [chooser(...Object.values(maps)), mapsRow(...Object.values(maps)), reading].filter(Boolean);
}
/** The value of an output from the values that it is made of, if derivatives times values add up to it; else the op and what it read. */
function spelled(o, j, made, cells) {
  const ys = numbers(output(o)), want = ys.data[j], xs = o.inputs.map((_, k) => numbers(input(o, k)));
  if (cells && xs[0] && Math.max(...cells.map((i) => xs[0].data[i])) === want && picture(o, 0).kind === "winners") return `max(${cells.slice(0, 16).map((i) => fmt(xs[0].data[i])).join(", ")}${cells.length > 16 ? ", …" : ""}) = `;
  const whole = made.every((l, k) => !l.length || xs[k]), near = (list) => { const sum = list.reduce((s, t) => s + t.value, 0), all = list.reduce((s, t) => s + Math.abs(t.value), 0); return list.length && Math.abs(sum - want) <= 1e-5 * Math.max(all, 1e-6); };
  const list = (ks) => ks.flatMap((k) => made[k].map((t) => ({ k, x: xs[k].data[t.i], d: t.d, value: t.d * xs[k].data[t.i] })));
  if (whole) {
    const linear = o.inputs.map((_, k) => k).filter((k) => made[k].length), via = linear.filter((k) => o.maps[k].via !== undefined && o.maps[k].via !== null), ones = linear.filter((k) => !via.includes(k) && made[k].length === 1 && made[k][0].d === 1);
    for (const ks of [[linear[0]], linear, [via[0], ...ones]]) {
      if (ks[0] === undefined) continue;
      const found = list(ks).map((t) => ({ ...t, name: ones.includes(t.k) && via.length ? input(o, t.k).label : null }));
      if (!near(found)) continue;
      if (found.length === 1 && o.inputs.length === 1) break;
      const live = found.filter((t) => t.value !== 0 && t.name === null).sort((a, b) => Math.abs(b.value) - Math.abs(a.value)), named = found.filter((t) => t.name !== null);
      const pairs = live.length ? terms(live, (t) => (t.d === 1 && ks.length > 1 ? factor(t.x) : t.d === 1 ? factor(t.x) : `${factor(t.x)} · ${factor(t.d)}`)) : "";
      return `${[pairs, ...named.map((t) => `<span class="t">${esc(t.name.split(".").at(-1))} ${factor(t.x)}</span>`)].filter(Boolean).join(" + ") || "0"} = `;
    }
  }
  const read = made.map((l, k) => (l.length === 1 && xs[k] ? fmt(xs[k].data[l[0].i]) : l.length ? `${count(l.length)} of ${esc(input(o, k).label)}` : null)).filter((t) => t !== null);
  return read.length ? `${esc(o.symbol)}(${read.join(", ")}) = ` : "";
}

/** Softmax with cross-entropy, class by class: logit, p, y, p − y. `less` leaves the answer out, for the way forward. */
export function isClasses(o) {
  const t = o.inputs.length > 1 ? input(o, 1) : null, x = input(o, 0);
  return /CrossEntropy/.test(o.name) && x.shape.length <= 2 && t && /^int/.test(t.dtype) && size(t) === size(x) / (x.shape.at(-1) || 1) && x.shape.at(-1) <= 100 && Boolean(numbers(x)) && Boolean(numbers(t));
}
export function softmax(v, base, n) {
  let top = -Infinity, total = 0;
  for (let i = 0; i < n; i++) top = Math.max(top, v.data[base + i]);
  const e = Array.from({ length: n }, (_, i) => Math.exp(v.data[base + i] - top));
  for (const x of e) total += x;
  return e.map((x) => x / total);
}
export function classTable(o, s) {
  const x = input(o, 0), logits = numbers(x), n = x.shape.at(-1), rows = logits.size / n, row = Math.min(record.image, rows - 1), p = softmax(logits, row * n, n), truth = numbers(input(o, 1)).data[row], d = s && array(s.d);
  let full = 1e-30, same = true;
  if (d) for (let k = 0; k < n; k++) { full = Math.max(full, Math.abs(d.data[row * n + k])); if (Math.abs(d.data[row * n + k] - (p[k] - (k === truth))) > 1e-4) same = false; }
  const sign = (e, digits = 3) => (e < 0 ? "−" : "+") + Math.abs(e).toFixed(digits);
  const body = p.map((v, k) => {
    const e = d?.data[row * n + k];
    return `<tr data-k="${k}"${d ? ' tabindex="0"' : ""} class="${k === truth ? "truth" : ""}"><th scope="row">${k}${k === truth ? " ← true" : ""}</th><td>${fmt(logits.data[row * n + k], 3)}</td><td>${v.toFixed(3)}</td><td>${k === truth ? 1 : 0}</td>${d ? `<td><span class="answer">${sign(v - (k === truth))}</span></td>${same ? "" : `<td><span class="answer" title="${e}">${sign(e, 4)}</span></td>`}<td class="bar"><span class="answer"><u></u><i style="background:var(--${e < 0 ? "neg" : "pos"});${e < 0 ? "right" : "left"}:50%;width:${(Math.abs(e) / full) * 50}%"></i></span></td>` : ""}</tr>`;
  });
  const el = part(`<table class="classes${d ? "" : " less"}"><thead><tr><th>class</th><th>logit</th><th>p</th><th>y</th>${d ? `<th>p − y</th>${same ? "" : "<th>sent</th>"}<th class="bar"><span class="hidden">as a bar</span></th>` : ""}</tr></thead><tbody>${body.join("")}</tbody></table>`);
  if (d && !same) el.append(part(`<p class="eyebrow">sent = g · (p − y)${rows > 1 ? ` / ${rows}: the loss is the mean over ${rows} ${record.noun}s` : ""}</p>`).firstChild);
  if (d) el.querySelectorAll("tbody tr").forEach((r) => { r.onclick = () => trace(x, row * n + Number(r.dataset.k)); r.onkeydown = (e) => e.key === "Enter" && r.onclick(); });
  if (rows > 1) el.prepend(part(`<p class="chooser"><button data-image="-1" aria-label="The ${record.noun} before" title="[">‹</button><span>${record.noun} <b>${row + 1}</b> of ${rows}</span><button data-image="1" aria-label="The next ${record.noun}" title="]">›</button></p>`).firstChild);
  return el;
}
/** What is said of a batch: the parts that one value has in all images add up. */
export const overBatch = (o, k) => batched(output(o)) && !batched(input(o, k)) && size(input(o, k)) > 0 && input(o, k).role === "parameter" ? `The batch holds ${plural(record.batch, record.noun)}, and <code>${esc(input(o, k).label)}</code> was used for each of them: its gradient adds up over all ${record.batch}.` : "";
