// This step: its sentence, why, the rule, the numbers, the sum so far, the check, and the question where it came from.
import { $, bytes, count, esc, fmt, listed, mathml, par, plural, prose, tuple } from "./numbers.js";
import { array, final, input, numbers, output, record, size } from "./record.js";
import { picture, local } from "./maps.js";
import { HeatMap, lay } from "./heatmap.js";
import { ask, by, lossName } from "./trace.js";
import { classTable, explorer, forwardMaps, isClasses, mapsRow, overBatch, part, softmax } from "./pictures.js";

const code = (v) => `<code>${esc(v.label)}</code>`;
const G = '<math><mi mathvariant="normal" class="v g">g</mi></math>';
const math = (text) => (/<math/.test(text) ? mathml(text) : `<math displaystyle="true">${mathml(text)}</math>`);
function eyebrow(phase, o) {
  const w = o?.where[0], more = record.data.files.length > 1 && w ? `${esc(record.data.files[w.file].name)} ` : "";
  return `<p class="eyebrow">${phase} · step ${count(record.at + 1)} of ${count(record.track.length)}${w ? ` · ${more}line ${w.line}` : ""}${o?.module ? ` · <code>${esc(o.module)}</code>` : ""}</p>`;
}
const tile = (label, value, c = "", answer = true) => `<div class="tile ${c}"><span>${label}</span><b${answer ? ' class="answer"' : ""}>${value}</b></div>`;
const sign = (s) => `<div class="sign">${s}</div>`;
/** "x = digit, w = conv.weight": the letters of a formula that are not the learner's own names. */
function letters(o, text) {
  const said = o.names.map((n, k) => [n, o.inputs[k] === undefined ? null : input(o, k)]).filter(([n, v]) => v && n !== v.label && new RegExp(`(^|[^A-Za-z_])${n}([^A-Za-z_]|$)`).test(text));
  if (/(^|[^A-Za-z_])y([^A-Za-z_]|$)/.test(text) && output(o).label !== "y" && !o.names.includes("y")) said.push(["y", output(o)]);
  return said.map(([n, v]) => `${esc(n)} = ${esc(v.label)}`).join(", ");
}
const words = (m) => m.replace(/<[^>]*>/g, " ");
function options(o) {
  const g = o.geometry, same = (list, n) => list.every((v) => v === n), size2 = (list) => (same(list, list[0]) ? list[0] : list.join(" × "));
  const list = g ? [same(g.stride, 1) ? "" : `stride ${size2(g.stride)}`, same(g.padding, 0) ? "" : `padding ${size2(g.padding)}`, same(g.dilation, 1) ? "" : `dilation ${size2(g.dilation)}`, g.groups > 1 ? `${g.groups} groups` : ""].filter(Boolean) : [];
  const told = (k, v) => (g && /^(geometry|windows)$/.test(k)) || /^(False|None|\(\))$/.test(v);
  for (const [k, v] of Object.entries(o.options ?? {})) if (!told(k, v)) list.push(`${esc(k)} ${esc(v)}`);
  return list.length ? `<p class="eyebrow options">${list.join(" · ")}</p>` : "";
}

/** What an op computes, and what it keeps for the way back. */
function forwardPanel(o) {
  const y = output(o), t = numbers(y), scalar = size(y) === 1 && o.inputs.every((_, k) => size(input(o, k)) === 1) && o.inputs.length > 0 && o.inputs.length < 5, nodes = [];
  const says = o.says ? `This op ${prose(o.says)}${/[.!?]$/.test(o.says) ? "" : "."}` : `This op makes ${code(y)} ${tuple(y.shape)} from ${listed(o.inputs.map((_, k) => code(input(o, k)))) || "nothing"}.`;
  const formula = o.formula ? `<div class="rule">${math(o.formula)}<small>${letters(o, words(o.formula))}</small></div>` : "";
  nodes.push(part(`${eyebrow("Forward", o)}<h2>${esc(o.symbol)} computes ${code(y)}</h2><p class="say">${says}</p>${formula}${options(o)}`));
  if (isClasses(o)) {
    const x = input(o, 0), n = x.shape.at(-1), rows = size(x) / n, row = Math.min(record.image, rows - 1), k = numbers(input(o, 1)).data[row], p = softmax(numbers(x), row * n, n)[k];
    nodes.push(part(`<div class="product">${tile("true class", k, "", false)}${tile("its probability p", p?.toFixed(4) ?? "?", "", false)}${sign("→")}${rows > 1 ? tile("its −ln p", fmt(-Math.log(p)), "", false) + sign("→") : ""}${tile(rows > 1 ? `loss = mean of ${rows}` : "loss = −ln p", t ? fmt(t.data[0]) : "…")}</div>`), classTable(o, null));
  } else if (scalar) {
    const between = o.inputs.length === 2 && /^[^A-Za-z0-9 ] /.test(o.symbol) ? o.symbol[0] : ",";
    nodes.push(part(`<div class="product">${o.inputs.map((_, k) => tile(esc(input(o, k).label), numbers(input(o, k)) ? fmt(numbers(input(o, k)).data[0]) : "…", "", false)).join(sign(between))}${sign(between === "," ? "→" : "=")}${tile(esc(y.label), t ? fmt(t.data[0]) : "…")}</div>`));
  } else nodes.push(...forwardMaps(o));
  const keep = o.keeps.map((n) => (n === "y" ? `its output ${code(y)}` : o.names.includes(n) && o.inputs[o.names.indexOf(n)] !== undefined ? code(input(o, o.names.indexOf(n))) : esc(n))).filter((n, k, all) => all.indexOf(n) === k);
  nodes.push(part(`<p class="check"><span>${keep.length ? `Keeps ${listed(keep)} for the way back${o.bytes ? ` (${bytes(o.bytes)})` : ""}.` : "Keeps nothing for the way back."}</span></p>`));
  return nodes;
}
function seedPanel() {
  const l = esc(record.loss.label), seed = array(record.data.seed), one = !seed || (seed.size === 1 && seed.data[0] === 1), t = numbers(record.loss);
  return [part(`${eyebrow("Backward")}<h2>The way back starts at <code>${l}</code> with ${one ? "1" : seed.size === 1 ? fmt(seed.data[0]) : "the gradient that was given"}</h2>
    <p class="say">${one ? `How much does ${l} change if ${l} changes by a little? By just as much. So ∂${l}/∂${l} = 1, and from` : "The program gave this number to backward(). From"} here each op asks one question: how much did each of my inputs matter?</p>
    <p class="say">Ops answer in reverse order. An op is asked only when everything that used its output has answered.</p>
    <div class="rule"><math displaystyle="true"><mfrac><mrow><mo>∂</mo><mi>${lossName()}</mi></mrow><mrow><mo>∂</mo><mi>${lossName()}</mi></mrow></mfrac><mo>=</mo><mn>${seed?.size === 1 ? fmt(seed.data[0]) : 1}</mn></math><small>${t && t.size === 1 ? `${l.length > 1 ? `L = ${l} = ` : `${l} = `}${fmt(t.data[0])}` : ""}</small></div>`)];
}
function endPanel() {
  const leaves = record.values.filter((v) => v.uses.length && v.role !== "result" && v.sends.length), most = 60;
  const el = part(`${eyebrow("Done")}<h2>Every leaf has its gradient</h2><p class="say">These are the values in <code>.grad</code>. A step of gradient descent moves each leaf against its gradient.</p>
    <div class="across"><table class="sumtable"><thead><tr><th>leaf</th><th>shape</th><th>gradient</th><th></th></tr></thead><tbody>${leaves.slice(0, most).map((v) => { const g = array(final(v)); return `<tr><th scope="row">${code(v)}</th><td>${tuple(v.shape)}</td><td>${!g ? "…" : g.size === 1 ? `<b>${fmt(g.data[0], 6)}</b>` : `largest ${fmt(g.most)}`}</td><td data-leaf="${v.id}"></td></tr>`; }).join("")}</tbody></table></div>${leaves.length > most ? `<p class="eyebrow">and ${count(leaves.length - most)} more leaves</p>` : ""}`);
  el.querySelectorAll("[data-leaf]").forEach((cell) => cell.append(ask(record.values[cell.dataset.leaf], "Where from?")));
  return [el];
}
/** One contribution: what an op sends to one of its inputs. */
function backwardPanel(o, s) {
  const k = s.input, v = record.values[s.to], y = output(o), g = array(s.g), d = array(s.d), rule = o.rules?.[k], m = local(o, k), scalar = size(v) === 1 && size(y) === 1 && s.raw === null, nodes = [];
  const why = rule?.says ? prose(rule.says) : `The op multiplies g by its local derivative, ∂${par(y.label)}/∂${par(v.label)}, and sends the result to ${code(v)}.`;
  const text = `${words(rule?.math ?? "")} ${rule?.code ?? ""}`, letter = letters(o, text), formula = rule?.math ? math(rule.math) : rule?.code ? `<code>${esc(rule.code)}</code>` : `<math displaystyle="true"><mi class="v g" mathvariant="normal">g</mi><mo>·</mo><mfrac><mrow><mo>∂</mo><mi>y</mi></mrow><mrow><mo>∂</mo><mi>x</mi></mrow></mfrac></math>`;
  nodes.push(part(`${eyebrow("Backward", o)}<h2>${esc(o.symbol)} sends to ${code(v)}</h2><p class="say">${why}</p><div class="rule">${formula}<small>${G} = ${by(y)}, from above${letter ? `; ${letter}` : ""}</small></div>`));
  if (s.raw !== null || s.axes?.length) {
    const from = array(s.raw)?.shape ?? y.shape, times = from.reduce((a, b) => a * b, 1) / size(v);
    nodes.push(part(`<p class="say"><b>Summed over ${s.axes.length > 1 ? "axes" : "axis"} ${listed(s.axes.map(String))}.</b> ${code(v)} ${tuple(v.shape)} was repeated to ${tuple(from)}, so each element was used ${plural(times, "time")} and collects from all of its copies.</p>`));
  }
  const batch = overBatch(o, k);
  if (batch) nodes.push(part(`<p class="say">${batch}</p>`));
  if (scalar && g && d) {
    const slope = m ? m.entries ? fmt(m.d(0)) : "0" : "?";
    nodes.push(part(`<div class="product">${tile(`comes in: ${by(y)}`, fmt(g.data[0]), "in", false)}${sign("×")}${tile(`local: ∂${par(y.label)}/∂${par(v.label)}`, slope)}${sign("=")}${tile(`goes out to ${esc(v.label)}`, fmt(d.data[0]), "out")}</div>`));
  } else if (isClasses(o) && k === 0 && d) nodes.push(classTable(o, s));
  else nodes.push(...explorer(o, k, s));
  const note = o.maps?.[k]?.note, pic = picture(o, k);
  if (note) nodes.push(part(`<p class="eyebrow">${prose(note)}</p>`));
  else if (pic.kind === "constant" && !scalar && !(isClasses(o) && k === 0)) nodes.push(part(`<p class="eyebrow">The local derivative is ${fmt(pic.c)} ${pic.c === 1 ? "wherever an element reaches the output" : "for each pair"}.</p>`));
  const led = ledger(v, s.n);
  if (led) nodes.push(led);
  if (s.check) nodes.push(check(o, v, s));
  if (scalar || (isClasses(o) && k === 0)) nodes.push(ask(v, `Where did ${by(v).replace(/&[a-z#0-9]+;/g, (e) => part(e).textContent)} come from?`));
  return nodes;
}
/** What has come back to a value that is used several times: one line a use, and the sum so far. */
function ledger(v, upto) {
  if (v.sends.length < 2) return null;
  const scalar = size(v) === 1, sum = (k) => { const t = array(k); return !t ? (k === null ? "came" : "…") : scalar ? fmt(t.data[0]) : `largest ${fmt(t.most)}`; }, came = v.sends.filter((n) => n <= upto).length;
  const near = v.sends.length > 12 ? v.sends.filter((n, k) => Math.abs(k - came) < 5 || k === 0) : v.sends;
  const rows = near.map((n) => {
    const s = record.steps[n], o = record.ops[s.op], twin = v.sends.filter((q) => record.steps[q].op === s.op).length > 1, here = n <= upto;
    return `<tr class="${n === upto ? "now" : here ? "" : "wait"}"><th scope="row">from ${esc(o.symbol)} ${code(output(o))}${twin ? ` (${["left", "right"][s.input] ?? s.input + 1})` : ""}</th><td class="n">${here ? `<span class="${n === upto ? "answer" : ""}">${sum(s.d)}</span>` : "waits"}</td></tr>`;
  }).join("");
  const after = record.steps[v.sends[came - 1]].after, t = array(after);
  const el = part(`<h3>${code(v)} is used ${count(v.sends.length)} times: what comes back is added up</h3><table class="ledger"><tbody>${rows}${near.length < v.sends.length ? `<tr class="wait"><th scope="row">… ${count(v.sends.length - near.length)} more uses</th><td></td></tr>` : ""}</tbody><tfoot><tr><th scope="row">${came < v.sends.length ? `so far, ${came} of ${v.sends.length}` : `complete: ${by(v)}`}</th><td class="n"><span class="answer">${sum(after)}</span></td></tr></tfoot></table>`);
  if (!scalar && t) el.append(mapsRow(new HeatMap(t, { title: by(v), g: true, note: came < v.sends.length ? "so far" : "complete", width: lay(t.shape).cols > 24 ? 480 : 190, answer: true })));
  return el;
}
/** The tick, cross or kink of a numeric check of this very contribution. */
function check(o, v, s) {
  const c = s.check, d = array(s.d), q = array(c.q), el = part(""), one = size(v) === 1, smooth = c.checked - c.kinked, only = smooth === 0 && c.kinked > 0;
  el.className = "check";
  let text = "";
  if (c.kind === "direction" && c.direction) text = `All elements were nudged together, along one random direction: g times the slope is <b>${fmt(c.direction.q, 7)}</b>. The rule says <b>${fmt(c.direction.d, 7)}</b>.`;
  else if (one && q && d) text = `Nudge ${code(v)} in ${code(output(o))} a little up and down: g times the slope is <b class="answer">${fmt(q.data[0], 7)}</b>. The rule says <b class="answer">${fmt(d.data[0], 7)}</b>.`;
  else text = `${c.kind === "some" ? `${plural(c.checked, "element")} of ${count(size(v))} ${c.checked === 1 ? "was" : "were"}` : "Each element was"} nudged up and down: ${c.agree === smooth ? plural(c.agree, "slope") : `${count(c.agree)} of ${plural(smooth, "slope")}`} agree${c.agree === 1 ? "s" : ""} with the rule; the largest difference is <b>${fmt(c.worst, 2)}</b>.${c.direction ? ` All elements together, along one random direction: <b>${fmt(c.direction.q, 5)}</b>, and the rule says <b>${fmt(c.direction.d, 5)}</b>.` : ""}`;
  const kinks = c.kinked ? ` <span class="kink">${plural(c.kinked, "element")} at a kink</span>: left and right slope differ there, so the rule's value is a convention.` : "";
  const [mark, sort, head] = !c.ok ? ["✗", "cross", "The numbers disagree."] : only ? ["∧", "kink", "At a kink."] : ["✓", "tick", "Checked by numbers."];
  el.innerHTML = `<span class="${sort}" aria-hidden="true">${mark}</span><span><b>${head}</b> ${only && !one ? "" : text}${kinks}</span>`;
  return el;
}

/** Fill the panel for the step the reader is at. */
export function showPanel() {
  const step = record.track[record.at], o = step.op === null || step.op === undefined ? null : record.ops[step.op];
  const nodes = step.kind === "forward" ? forwardPanel(o) : step.kind === "seed" ? seedPanel() : step.kind === "end" ? endPanel() : backwardPanel(o, record.steps[step.n]);
  $("detail").replaceChildren(...nodes);
  $("detail").scrollTop = 0;
}
/** The step as one sentence: under the timeline, and for a screen reader. */
export function caption(n) {
  const step = record.track[n], o = step.op === null || step.op === undefined ? null : record.ops[step.op], line = o?.where[0] ? `, line ${o.where[0].line}` : "";
  if (step.kind === "forward") return `<b>Forward</b>${line}: ${esc(o.symbol)} computes ${esc(output(o).label)}`;
  if (step.kind === "seed") return `<b>Backward</b> starts: ∂${lossName()}/∂${lossName()} = ${array(record.data.seed)?.size === 1 ? fmt(array(record.data.seed).data[0]) : "g"}`;
  if (step.kind === "end") return "<b>Done</b>: every leaf has its gradient";
  const s = record.steps[step.n], d = array(s.d);
  return `<b>Backward</b>${line}: ${esc(o.symbol)} sends ${d?.size === 1 && !document.body.classList.contains("predict") ? fmt(d.data[0]) : "g"} to ${esc(record.values[s.to].label)}`;
}
