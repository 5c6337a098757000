// Where did this gradient come from? The paths from the loss to one element, largest first, and their sum.
import { $, count, esc, factor, fmt, par, plural, signed, still, where } from "./numbers.js";
import { array, final, output, record, size } from "./record.js";
import { paths } from "./maps.js";
import { drawnEdge } from "./graph.js";

/** How formulas call the loss: by its own name if that is one letter. */
export const lossName = () => (record.loss.label.length === 1 ? esc(record.loss.label) : "L");
export const by = (v, i) => `∂${lossName()}/∂${par(v.label)}${i === undefined || size(v) === 1 ? "" : ` ${where(v.shape, i)}`}`;

export async function trace(v, i) {
  const started = performance.now(), at = record.at, road = await paths(v, i);
  if (record.at !== at) return;
  const el = document.createElement("div"), { found, rest, ways, total, engine, whole } = road;
  document.querySelector(".trace")?.remove();
  el.className = "trace";
  const name = (u, j) => `<b>${esc(u.label)}${size(u) > 1 ? where(u.shape, j) : ""}</b>`;
  const way = (p) => `${[...p.chain].reverse().map((c) => `${name(output(record.ops[c.op]), c.j)} <i>×${factor(c.d)}</i> →`).join(" ")} ${name(v, i)}`;
  const most = Math.abs(found[0]?.value ?? 1), same = engine !== null && Math.abs(total - engine) <= 1e-5 * Math.max(1e-3, array(final(v)).most);
  const lead = ways === null ? "Many paths lead" : ways === 0 ? "No path with a derivative other than 0 leads" : ways === 1 ? "One path leads" : `${ways < 1e6 ? count(ways) : fmt(ways, 3)} paths lead`;
  const others = ways === null ? "all other paths together" : `${ways - found.length < 1e6 ? plural(ways - found.length, "smaller path") : `${fmt(ways - found.length, 3)} smaller paths`} together`;
  const more = ways === null ? Math.abs(rest) > 0 : ways > found.length;
  el.innerHTML = `<button class="close" aria-label="Close">✕</button><h3>Where does ${by(v, i)} come from?</h3>
    <p class="say">${lead} from ${esc(record.loss.label)} back to it. Along a path the local derivatives multiply; the paths add up.</p>
    <ol class="paths">${found.map((p, n) => `<li tabindex="0" data-path="${n}"><span class="v">${signed(p.value)}<i style="width:${(100 * Math.abs(p.value)) / most}%" class="${p.value < 0 ? "n" : ""}"></i></span><span class="way">${p.chain.length ? way(p) : name(v, i)}</span></li>`).join("")}
    ${more ? `<li><span class="v">${signed(rest)}</span><span class="way">${others}</span></li>` : ""}
    <li class="total"><span class="v">${fmt(total, 6)}</span><span class="way">the sum${engine === null ? "" : ` · the engine's ${by(v, i)} is <b>${fmt(engine, 6)}</b> ${whole ? (same ? '<span class="tick">✓</span>' : '<span class="cross">✗</span>') : ""}`}${whole ? "" : " · not every local derivative is on this page, so the rest is the engine's number less the paths shown"}</span></li></ol>`;
  $("detail").append(el);
  const light = (n) => { document.querySelectorAll(".edge.path").forEach((e) => e.classList.remove("path")); if (n !== null && found[n]) for (const c of found[n].chain) drawnEdge(c.op, c.k)?.classList.add("path"); };
  el.querySelectorAll("[data-path]").forEach((li) => { li.onmouseenter = li.onfocus = () => light(Number(li.dataset.path)); li.onmouseleave = li.onblur = () => light(null); });
  el.querySelector(".close").onclick = () => { el.remove(); light(null); };
  el.dataset.time = performance.now() - started;
  el.scrollIntoView({ block: "start", behavior: still() ? "auto" : "smooth" });
  light(0);
}
/** A button that asks for the paths to an element; without one, to the largest of the gradient. */
export function ask(v, text, i) {
  const b = document.createElement("button");
  b.className = "ask";
  b.textContent = text;
  b.onclick = () => trace(v, i ?? array(final(v))?.largest() ?? 0);
  return b;
}
