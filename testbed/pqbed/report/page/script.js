"use strict";
// Draws every chart, sets their percentile and size from the controls, and draws them anew where the colours change.
(() => {
  const { specs, configs } = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const form = document.querySelector(".controls");
  let views = [];
  let turn = 0;

  const chosen = () => (form ? Object.fromEntries(new FormData(form)) : {});

  function apply(view, values) {
    const known = new Set(Object.keys(view.getState({ signals: () => true }).signals));
    for (const [name, value] of Object.entries(values)) if (known.has(name)) view.signal(name, value);
    return view.runAsync();
  }

  async function draw() {
    const mine = ++turn;
    const config = configs[dark.matches ? "dark" : "light"];
    const old = views;
    views = [];
    for (const view of old) view.finalize();
    document.body.classList.toggle("drawn-dark", dark.matches);
    document.body.dataset.drawn = "no";
    for (const place of document.querySelectorAll(".chart")) {
      const spec = specs[Number(place.dataset.spec)];
      const { view } = await vegaEmbed(place, spec, {
        config, renderer: "svg", actions: false, tooltip: { theme: "pqbed" },
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

  form?.addEventListener("change", change);
  form?.addEventListener("submit", (event) => event.preventDefault());
  dark.addEventListener("change", draw);
  draw();
})();
