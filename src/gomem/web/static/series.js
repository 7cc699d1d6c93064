// The strip of a series: one bar a profile, which one is shown, and which one it is compared with.
"use strict";
window.gomem = window.gomem || {};
gomem.drawSeries = (place, head, params, go) => {
  const { make } = gomem;
  const series = head.series;
  place.hidden = series.length === 0;
  if (place.hidden) return;
  const most = Math.max(...series.map((point) => point.value || 0), 1);
  const base = params.get("vs") ?? "";
  const when = (point) => (point.time ? new Date(point.time * 1000).toLocaleTimeString() : "");
  const bars = series.map((point, index) =>
    make(
      "button",
      {
        type: "button",
        "aria-pressed": String(index === head.at && params.get("at") !== "all"),
        class: String(index) === base ? "base" : "",
        title: `${point.name}\n${point.text} ${head.type}\n${when(point)}\nShift: compare with it`,
        "aria-label": `${point.name}: ${point.text}`,
        onclick: (event) =>
          go(event.shiftKey ? { vs: String(index) === base ? null : index, z: null } : { at: index, z: null }),
      },
      make("i", { style: `height:${((point.value || 0) / most) * 100}%` }),
    ),
  );
  const option = (value, text) => make("option", { value, selected: base === value }, text);
  const select = make(
    "select",
    { id: "versus", onchange: (event) => go({ vs: event.target.value || null, z: null }) },
    option("", "nothing"),
    ...series.map((point, index) => option(String(index), point.name)),
  );
  place.replaceChildren(
    make(
      "div",
      { class: "label" },
      make("span", {}, `${head.type} over time`),
      make("span", {}, `up to ${series.find((p) => (p.value || 0) === most)?.text || "0"}`),
    ),
    make("div", { class: "points", role: "group", "aria-label": "Profiles in order of time" }, ...bars),
    make(
      "div",
      { class: "compare" },
      make("label", { class: "field" }, make("span", {}, "compare with "), select),
      make("span", { class: "fact" }, `${series[0].name} … ${series[series.length - 1].name}`),
    ),
  );
};
