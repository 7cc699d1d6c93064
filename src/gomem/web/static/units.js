// Values as text, exactly as the reports print them, and small DOM makers that all scripts share.
"use strict";
window.gomem = window.gomem || {};
(() => {
  const KINDS = [
    {
      names: /^(b|bytes?)$/i,
      steps: [
        ["B", 1],
        ["kB", 2 ** 10],
        ["MB", 2 ** 20],
        ["GB", 2 ** 30],
        ["TB", 2 ** 40],
        ["PB", 2 ** 50],
      ],
    },
    {
      names: /^(ns|nanoseconds?)$/i,
      steps: [
        ["ns", 1],
        ["us", 1e3],
        ["ms", 1e6],
        ["s", 1e9],
        ["hrs", 3600e9],
      ],
    },
    {
      names: /^(us|microseconds?)$/i,
      scale: 1e3,
      steps: [
        ["ns", 1],
        ["us", 1e3],
        ["ms", 1e6],
        ["s", 1e9],
        ["hrs", 3600e9],
      ],
    },
    {
      names: /^(ms|milliseconds?)$/i,
      scale: 1e6,
      steps: [
        ["ns", 1],
        ["us", 1e3],
        ["ms", 1e6],
        ["s", 1e9],
        ["hrs", 3600e9],
      ],
    },
    {
      names: /^(s|secs?|seconds?)$/i,
      scale: 1e9,
      steps: [
        ["ns", 1],
        ["us", 1e3],
        ["ms", 1e6],
        ["s", 1e9],
        ["hrs", 3600e9],
      ],
    },
  ];

  // Halves to even, as printf does for the binary fractions that sizes and shares often are.
  function round(value) {
    const below = Math.floor(value),
      rest = value - below;
    return below + (rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? 1 : 0);
  }

  function twoDecimals(value) {
    return (round(value * 100) / 100).toFixed(2);
  }

  function twoDigits(value) {
    const scale = 10 ** (1 - Math.floor(Math.log10(value)));
    return Number((round(value * scale) / scale).toPrecision(2));
  }

  function format(value, unit) {
    if (value < 0) return "-" + format(-value, unit);
    const kind = KINDS.find((k) => k.names.test(unit));
    let suffix = "";
    if (kind) {
      value *= kind.scale || 1;
      const fitting = kind.steps.filter(([, size]) => value / size >= 1);
      const [name, size] = fitting[fitting.length - 1] || kind.steps[0];
      suffix = name;
      value /= size;
    }
    const text = twoDecimals(value).replace(/\.00$/, "");
    return text === "0" ? "0" : text + suffix;
  }

  function percent(value, total) {
    const share = total ? Math.abs(value / total) * 100 : 0;
    if (share >= 99.95 && share <= 100.05) return "100%";
    if (share >= 1) return twoDecimals(share) + "%";
    return share === 0 ? "0%" : twoDigits(share) + "%";
  }

  function signed(value, unit) {
    return (value > 0 ? "+" : "") + format(value, unit);
  }

  // make("td", {class: "x", onclick: f}, "text", child...): an element; texts are never read as HTML.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  // A regular expression as typed; one that JavaScript cannot read is taken as plain text.
  function pattern(source) {
    if (!source) return null;
    try {
      return new RegExp(source.replace(/^\(\?i\)/, ""), source.startsWith("(?i)") ? "i" : "");
    } catch {
      return new RegExp(quote(source));
    }
  }

  function quote(text) {
    return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  }

  Object.assign(gomem, { format, percent, signed, make, pattern, quote });
})();
