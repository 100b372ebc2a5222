"use strict";
// Lets a person sort and filter the table of cells. Without script it is the plain table.
(() => {
  const UNITS = { B: 1, KiB: 1024, MiB: 1048576, GiB: 1073741824 };
  const order = new Intl.Collator("en", { numeric: true });
  const state = { column: null, down: false, words: "" };

  function key(text) {
    const found = text.replace(/,/g, "").match(/^([+-]?[\d.]+)\s*(B|KiB|MiB|GiB)?/);
    return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) : null;
  }

  function compare(a, b) {
    const [left, right] = [key(a), key(b)];
    if (left !== null && right !== null) return left - right;
    if ((left === null) !== (right === null)) return left === null ? 1 : -1; // what has no number comes last
    return order.compare(a, b);
  }

  function apply(table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    rows.forEach((row, place) => { row.dataset.place ??= place; });
    const column = state.column;
    rows.sort((a, b) => {
      if (column === null) return a.dataset.place - b.dataset.place;
      const sign = state.down ? -1 : 1;
      return sign * compare(a.cells[column].textContent, b.cells[column].textContent) || a.dataset.place - b.dataset.place;
    });
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    body.append(...rows);
    for (const head of table.querySelectorAll("th[data-column]")) {
      const mine = Number(head.dataset.column) === column;
      if (mine) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    document.getElementById("cells-count").textContent = `${shown} of ${rows.length} rows`;
  }

  function prepare() {
    const table = document.querySelector("#cells table");
    const form = document.querySelector("#cells .filter");
    if (!table || !form || table.dataset.ready) return;
    table.dataset.ready = "yes";
    form.hidden = false;
    for (const head of table.querySelectorAll("th[data-column]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const column = Number(head.dataset.column);
        if (state.column === column && state.down) state.column = null; // the third time: as it was
        else Object.assign(state, { column, down: state.column === column });
        apply(table);
      });
    }
    const input = form.querySelector("input");
    input.value = state.words;
    input.addEventListener("input", () => { state.words = input.value; apply(table); });
    form.addEventListener("submit", (event) => event.preventDefault());
    apply(table);
  }

  document.addEventListener("pqbed:data", prepare);
  prepare();
})();
