// The call graph: the server's SVG, moved and zoomed by its view box; a chosen node's neighbours stay bright.
"use strict";
window.gomem = window.gomem || {};
gomem.drawGraph = (main, body, tools) => {
  const { make, pattern } = gomem;
  const canvas = make("div", { class: "canvas" });
  canvas.innerHTML = body.svg; // drawn by the server, which escapes every name
  const svg = canvas.querySelector("svg");
  const note = make("span", {}, body.legend.filter((line) => /^(Showing|Dropped)/.test(line)).join(" · "));
  const frame = make("div", { class: "graph" });
  if (!svg) {
    main.replaceChildren(make("div", { class: "empty" }, make("b", {}, "No samples to draw")));
    return {};
  }
  const whole = svg.viewBox.baseVal,
    box = { x: whole.x, y: whole.y, w: whole.width, h: whole.height };
  const full = { ...box };
  const apply = () => svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.w} ${box.h}`);
  const zoom = (factor, cx = box.x + box.w / 2, cy = box.y + box.h / 2) => {
    const w = Math.min(Math.max(box.w * factor, 60), full.w * 4),
      scale = w / box.w;
    Object.assign(box, { x: cx - (cx - box.x) * scale, y: cy - (cy - box.y) * scale, w, h: box.h * scale });
    apply();
  };
  const start = () => {
    Object.assign(box, full);
    // A large graph starts at a legible size, at its heaviest root, rather than as a whole that nobody can read.
    const shown = canvas.clientWidth || 1000,
      height = canvas.clientHeight || 600;
    const scale = Math.min(1, Math.max(0.75, shown / full.w));
    if (Math.min(shown / full.w, height / full.h) < scale) {
      box.w = shown / scale;
      box.h = height / scale;
      box.x =
        full.w < box.w
          ? full.x + (full.w - box.w) / 2
          : Number(svg.dataset.start || full.x + full.w / 2) - box.w / 2;
      box.y = full.y;
    }
    apply();
  };
  const fit = () => {
    Object.assign(box, full);
    apply();
  };
  const button = (text, title, onclick) =>
    make("button", { type: "button", title, "aria-label": title, onclick }, text);
  frame.append(
    make(
      "div",
      { class: "tools" },
      button("+", "Zoom in", () => zoom(0.8)),
      button("−", "Zoom out", () => zoom(1.25)),
      button("Fit", "Show the whole graph", fit),
      button("100%", "Legible size", start),
      note,
    ),
    canvas,
  );
  main.replaceChildren(frame);
  start();

  const point = (event) => {
    const where = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return [where.x, where.y];
  };
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoom(event.deltaY > 0 ? 1.12 : 0.89, ...point(event));
    },
    { passive: false },
  );
  let held = null,
    moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    held = point(event);
    moved = false;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) return;
    const at = point(event);
    if (!moved && Math.hypot(at[0] - held[0], at[1] - held[1]) < 3) return;
    moved = true;
    canvas.classList.add("moving");
    box.x -= at[0] - held[0];
    box.y -= at[1] - held[1];
    apply();
  });
  addEventListener("pointerup", () => {
    held = null;
    canvas.classList.remove("moving");
  });

  const nodes = [...svg.querySelectorAll(".node")],
    edges = [...svg.querySelectorAll(".edge")];
  const choose = (node) => {
    const near = new Set(node ? [node.id] : []);
    for (const edge of edges) {
      const touches = node && (edge.dataset.from === node.id || edge.dataset.to === node.id);
      if (touches) near.add(edge.dataset.from).add(edge.dataset.to);
      edge.classList.toggle("faded", Boolean(node) && !touches);
    }
    for (const other of nodes) other.classList.toggle("faded", Boolean(node) && !near.has(other.id));
  };
  const frameOf = (node) => ({ name: node.dataset.name, fn: node.dataset.fn || node.dataset.name, file: "" });
  canvas.addEventListener("click", (event) => {
    if (!moved) choose(event.target.closest(".node"));
  });
  canvas.addEventListener("contextmenu", (event) => {
    const node = event.target.closest(".node");
    if (!node) return;
    event.preventDefault();
    tools.frameMenu(frameOf(node), event.clientX, event.clientY);
  });
  canvas.addEventListener("keydown", (event) => {
    const node = event.target.closest(".node");
    if (event.key === "Escape") choose(null);
    else if (node && event.key === "Enter") choose(node);
    else if (node && event.key === "m") {
      const place = node.getBoundingClientRect();
      tools.frameMenu(frameOf(node), place.left, place.bottom);
    }
  });
  return {
    search(text) {
      const match = pattern(text);
      let count = 0;
      for (const node of nodes) {
        const hit = match && match.test(node.dataset.name);
        if (hit) count++;
        node.classList.toggle("faded", Boolean(match) && !hit);
      }
      for (const edge of edges) edge.classList.toggle("faded", Boolean(match));
      return { count };
    },
    foundText: ({ count }) => `${count} of ${nodes.length}`,
  };
};
