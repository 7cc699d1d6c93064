// Colours that tell packages, kinds and changes apart, the same in every profile, and names cut to the room there is.
"use strict";
window.gomem = window.gomem || {};
(() => {
  function hash(text) {
    let h = 2166136261;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
    return h >>> 0;
  }

  // A package's colour: its hue is stable, its strength tells the kind: own code strong, the language's library pale.
  function colour(owner, kind, dark, lift = 0) {
    if (kind === "native") return dark ? `hsl(220 4% ${34 + lift}%)` : `hsl(220 6% ${83 - lift}%)`;
    const hue = (hash(owner) % 3600) / 10;
    const saturation = (dark ? { own: 46, "third-party": 30, standard: 11 } : { own: 62, "third-party": 42, standard: 16 })[kind] || 26;
    const lightness = dark
      ? { own: 38, "third-party": 32, standard: 28 }[kind] || 30
      : { own: 76, "third-party": 81, standard: 87 }[kind] || 82;
    return `hsl(${hue} ${saturation}% ${lightness + (dark ? lift : -lift)}%)`;
  }

  // Orange for growth, blue for what shrank, grey for what stayed: told apart by the colour-blind too.
  function changeColour(node, dark, lift = 0) {
    const most = Math.max(node.cum, node.cumBefore, 1),
      share = (node.cum - node.cumBefore) / most;
    const strength = Math.min(1, Math.abs(share)) ** 0.6;
    const hue = share > 0 ? 22 : 214;
    const lightness = dark ? 28 + 14 * strength + lift : 88 - 22 * strength - lift;
    return `hsl(${hue} ${Math.round(8 + 76 * strength)}% ${lightness}%)`;
  }

  // The part of a name that fits: its last component rather than its first.
  function fit(context, name, room) {
    const last = name.replace(/^.*\//, "").replace(/^.*?([^.:]+(?:\.<[^>]*>)?)$/, "$1");
    let text = last.length < name.length && context.measureText("…" + last).width <= room ? "…" + last : name;
    if (context.measureText(text).width <= room) return text;
    text = last;
    let low = 0,
      high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (context.measureText(text.slice(0, middle) + "…").width <= room) low = middle;
      else high = middle - 1;
    }
    return low > 1 ? text.slice(0, low) + "…" : "";
  }

  Object.assign(gomem, { hash, colour, changeColour, fit });
})();
