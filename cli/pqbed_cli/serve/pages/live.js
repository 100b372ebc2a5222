"use strict";
// Follows the events of a page: shows how far a run is, and takes in what of the page has changed since.
(() => {
  const LEAST_MS = 1500; // between two readings of the page, or twice what the last one took
  const source = document.querySelector("[data-events]");
  if (!source) return;
  const of = (name) => document.querySelector(`[data-live=${name}]`);
  let shown = "";
  show(source.dataset.stamp || "");
  let wanted = shown;
  let ready = 0;
  let timer = null;

  function show(stamp) {
    shown = stamp;
    document.body.dataset.shown = stamp;
  }

  function sameFigures(old, next) {
    const names = (section) => [...section.querySelectorAll("figure, .chart")].map((one) => one.id || one.dataset.spec);
    return JSON.stringify(names(old)) === JSON.stringify(names(next));
  }

  function takeIn(next) {
    const focus = document.activeElement?.id;
    const chosen = [...document.querySelectorAll("main input:checked")].map((input) => [input.name, input.value]);
    const sections = (page) => [...page.querySelectorAll("main > section")].filter((section) => section.id !== "new");
    const ids = (page) => sections(page).map((section) => section.id).join();
    if (ids(document) === ids(next)) {
      for (const section of sections(next)) {
        const old = document.getElementById(section.id);
        if (section.id === "figures" && sameFigures(old, section)) {
          const captions = [...section.querySelectorAll("figcaption")];
          old.querySelectorAll("figcaption").forEach((caption, place) => caption.replaceWith(captions[place]));
        } else if (old.innerHTML !== section.innerHTML) old.replaceWith(section);
      }
    } else document.querySelector("main").replaceWith(next.querySelector("main"));
    for (const one of ["nav", "#actions", "#data"]) {
      const [old, fresh] = [document.querySelector(one), next.querySelector(one)];
      if (old && fresh) old.replaceWith(fresh);
    }
    for (const [name, value] of chosen) {
      const input = document.querySelector(`main input[name="${name}"][value="${CSS.escape(value)}"]`);
      if (input) input.checked = true;
    }
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    if (document.getElementById("data")) document.dispatchEvent(new Event("pqbed:data"));
  }

  async function read() {
    timer = null;
    const begun = performance.now();
    const stamp = wanted;
    const answer = await fetch(location.href, { cache: "no-store" });
    if (answer.ok) {
      takeIn(new DOMParser().parseFromString(await answer.text(), "text/html"));
      show(stamp);
    }
    ready = performance.now() + Math.max(LEAST_MS, 2 * (performance.now() - begun));
    plan();
  }

  function plan() {
    if (timer === null && wanted !== shown) timer = setTimeout(read, Math.max(0, ready - performance.now()));
  }

  const events = new EventSource(source.dataset.events);
  events.addEventListener("message", (event) => {
    const now = JSON.parse(event.data);
    of("lost")?.setAttribute("hidden", "");
    if (now.run) { location.replace(now.address); return; }
    if (of("state")) {
      of("state").textContent = now.state;
      of("state").className = `state ${now.state}`;
      of("progress").textContent = now.progress;
      Object.assign(of("bar"), { max: now.planned, value: now.taken });
    }
    if (!shown) show(now.stamp);
    wanted = now.stamp;
    plan();
  });
  events.addEventListener("error", () => of("lost")?.removeAttribute("hidden"));
  document.body.dataset.live = "yes";
})();
