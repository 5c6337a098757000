"use strict";
const table = document.getElementById("ops");
if (table) {
  const body = table.tBodies[0], rows = [...body.rows], by = (id) => document.getElementById(id);
  const value = (row, k, number) => {
    const cell = row.cells[k];
    return number ? parseFloat(cell.dataset.value ?? cell.textContent) : cell.textContent.trim().toLowerCase();
  };
  const show = () => {
    const words = by("words").value.trim().toLowerCase(), family = by("family").value, verdict = by("verdict").value;
    let count = 0;
    for (const row of rows) {
      const fits = row.textContent.toLowerCase().includes(words) && (!family || row.dataset.family === family)
        && (!verdict || row.dataset.verdict === verdict);
      row.hidden = !fits;
      count += fits;
    }
    by("shown").textContent = `${count} of ${rows.length}`;
  };
  [...table.tHead.rows[0].cells].forEach((head, k) => {
    const number = head.dataset.kind === "number", button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort((a, b) => {
        const x = value(a, k, number), y = value(b, k, number);
        return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
      });
      body.append(...rows);
    });
  });
  by("filter").hidden = false;
  by("filter").addEventListener("input", show);
  by("filter").addEventListener("submit", (event) => event.preventDefault());
  show();
}
const reveal = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target && target.tagName === "DETAILS") {
    target.open = true;
    target.scrollIntoView();
  }
};
addEventListener("hashchange", reveal);
reveal();
