// A link to folded checks opens them, and so does printing.
const unfold = (folded) => { if (folded?.tagName === "DETAILS") folded.open = true; };
const arrive = () => unfold(document.getElementById(decodeURIComponent(location.hash.slice(1))));
addEventListener("hashchange", arrive);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(unfold));
arrive();

// Tables of the class `sorted`: a button in each head sorts by its column, a field filters the rows.
const MANY = 12; // rows, from which on they can be filtered
for (const table of document.querySelectorAll("table.sorted")) {
  const heads = [...table.tHead.rows[0].cells];
  const rows = (body) => [...body.rows].filter((row) => row.className !== "setting");
  const key = (row, column) => {
    const cell = row.cells[column], number = parseFloat(cell?.dataset.value);
    return Number.isNaN(number) ? (cell?.textContent.trim() ?? "") : number;
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b
    : (typeof b === "number") - (typeof a === "number") || String(a).localeCompare(String(b), undefined, {numeric: true});
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      for (const body of table.tBodies) {
        body.append(...rows(body).sort((a, b) => (down ? -1 : 1) * compare(key(a, column), key(b, column))));
      }
    };
  });
  if ([...table.tBodies].flatMap(rows).length < MANY) continue;
  const field = document.createElement("input");
  field.type = "search";
  field.placeholder = "filter rows";
  field.setAttribute("aria-label", "Filter the rows of this table");
  field.oninput = () => {
    for (const row of [...table.tBodies].flatMap(rows)) {
      row.hidden = !row.textContent.toLowerCase().includes(field.value.toLowerCase());
    }
  };
  table.before(field);
}
