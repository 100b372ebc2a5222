"use strict";
// Draws every chart, sets their percentile and size from the controls, and draws them anew where the colours change.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let views = [];
  let turn = 0;

  function chosen() {
    const form = document.querySelector(".controls");
    return form ? Object.fromEntries(new FormData(form)) : {};
  }

  function apply(view, values) {
    const known = new Set(Object.keys(view.getState({ signals: () => true }).signals));
    for (const [name, value] of Object.entries(values)) if (known.has(name)) view.signal(name, value);
    return view.runAsync();
  }

  async function draw() {
    const mine = ++turn;
    const { specs, configs } = JSON.parse(document.getElementById("data").textContent);
    const config = configs[dark.matches ? "dark" : "light"];
    const old = views;
    views = [];
    for (const view of old) view.finalize();
    document.body.classList.toggle("drawn-dark", dark.matches);
    document.body.dataset.drawn = "no";
    for (const place of document.querySelectorAll(".chart")) {
      const spec = specs[Number(place.dataset.spec)];
      const { view } = await vegaEmbed(place, spec, {
        config, renderer: "svg", actions: false, ast: true, tooltip: { theme: "pqbed" },
      });
      if (mine !== turn) { view.finalize(); return; }
      views.push(view);
      await apply(view, chosen());
    }
    document.body.dataset.drawn = "yes";
  }

  async function change() {
    document.body.dataset.drawn = "no";
    await Promise.all(views.map((view) => apply(view, chosen())));
    document.body.dataset.drawn = "yes";
  }

  // A figure by itself has a title, a background, and room for both: of the light mode, for paper.
  async function save({ save: kind, of, name, title }) {
    const { specs, saved } = JSON.parse(document.getElementById("data").textContent);
    const room = document.createElement("div");
    const { view } = await vegaEmbed(room, { ...specs[Number(of)], title, width: 640 }, {
      config: saved, renderer: "svg", actions: false, ast: true,
    });
    await apply(view, chosen());
    const link = document.createElement("a");
    link.href = await view.toImageURL(kind, kind === "png" ? 3 : 1);
    link.download = `${name}.${kind}`;
    document.body.append(link);
    link.click();
    link.remove();
    view.finalize();
    document.body.dataset.saved = link.download;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-save]");
    if (button) save(button.dataset);
  });
  document.addEventListener("change", (event) => { if (event.target.closest(".controls")) change(); });
  document.addEventListener("submit", (event) => { if (event.target.closest(".controls")) event.preventDefault(); });
  document.addEventListener("pqbed:data", draw); // new data took the place of the old
  dark.addEventListener("change", draw);
  draw();
})();
