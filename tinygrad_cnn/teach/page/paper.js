// The program on paper: all steps as a table, as a worksheet with blanks or with the solution.
import { $, count, esc, fmt, mathml, tuple } from "./numbers.js";
import { array, input, numbers, output, record, size } from "./record.js";
import { local } from "./maps.js";
import { by } from "./trace.js";

const ROWS = 400; // more steps than this make no worksheet

const cell = (k) => { const v = array(k); return !v ? "" : v.size === 1 ? fmt(v.data[0], 6) : v.size <= 6 ? `[${Array.from(v.data, (x) => fmt(x)).join(", ")}]` : `${tuple(v.shape)}, largest ${fmt(v.most)}`; };
const blank = (text, hide) => (hide ? '<span class="blank"></span>' : text);
const rule = (r) => (r?.math ? (/<math/.test(r.math) ? mathml(r.math) : `<math>${mathml(r.math)}</math>`) : esc(r?.code ?? ""));
function slope(o, k, scalar) {
  const m = local(o, k);
  return m && scalar && m.entries === 1 ? fmt(m.d(0), 6) : null;
}
/** Fill the sheet; with `hide`, what the reader should work out is a blank. */
export function fillPaper(hide) {
  const steps = record.steps.slice(0, ROWS), forward = record.ops.slice(0, ROWS), scalars = record.steps.some((s) => slope(record.ops[s.op], s.input, size(record.values[s.to]) === 1) !== null);
  $("paper").innerHTML = `<h2>${esc(record.data.title)}: ${hide ? "worksheet" : "solution"}</h2>
    <p class="name">${hide ? "Name: <span class='blank long'></span>" : ""}</p>
    <h3>Forward</h3><table><thead><tr><th>step</th><th>line</th><th>op</th><th>reads</th><th>makes</th><th>value</th></tr></thead><tbody>${forward.map((o, n) => `<tr><td>${n + 1}</td><td>${o.where[0]?.line ?? ""}</td><td>${esc(o.symbol)}</td><td>${o.inputs.map((_, k) => `${esc(input(o, k).label)}${size(input(o, k)) === 1 && numbers(input(o, k)) && input(o, k).role !== "result" ? ` = ${fmt(numbers(input(o, k)).data[0])}` : ""}`).join(", ")}</td><td>${esc(output(o).label)}</td><td>${blank(cell(output(o).array), hide)}</td></tr>`).join("")}</tbody></table>
    <h3>Backward</h3><table><thead><tr><th>step</th><th>op</th><th>to</th><th>rule</th><th>comes in: g</th>${scalars ? "<th>local</th>" : ""}<th>goes out</th><th>added up so far</th></tr></thead><tbody>${steps.map((s, n) => { const o = record.ops[s.op], v = record.values[s.to], local1 = slope(o, s.input, size(v) === 1); return `<tr><td>${record.start + n + 2}</td><td>${esc(o.symbol)} ${esc(output(o).label)}</td><td>${esc(v.label)}</td><td>${rule(o.rules?.[s.input])}</td><td>${blank(cell(s.g), hide && output(o) !== record.loss)}</td>${scalars ? `<td>${local1 === null ? "" : blank(local1, hide)}</td>` : ""}<td>${blank(cell(s.d), hide)}</td><td>${v.sends.length > 1 ? blank(cell(s.after), hide) : ""}</td></tr>`; }).join("")}</tbody></table>
    ${record.steps.length > ROWS ? `<p>The first ${ROWS} of ${count(record.steps.length)} steps.</p>` : ""}
    <h3>Gradients</h3><table><tbody>${record.values.filter((v) => v.role !== "result" && v.sends.length).slice(0, 60).map((v) => `<tr><th>${by(v)}</th><td>${blank(cell(record.steps[v.sends.at(-1)].after), hide)}</td></tr>`).join("")}</tbody></table>`;
}
