// Boots the exported page: the flame graph over the data in the document, with search and nothing that needs a server.
"use strict";
(() => {
  const { make, format, percent } = gomem;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => {
    document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
    document.dispatchEvent(new Event("gomem-theme"));
  };
  follow();
  dark.addEventListener("change", follow);
  const data = JSON.parse(document.getElementById("data").textContent);
  const head = data.head;
  document
    .getElementById("facts")
    .append(
      make("span", { class: "fact" }, make("b", {}, head.title)),
      make("span", { class: "fact" }, `${head.type}: `, make("b", {}, head.totalText), " in total"),
      ...head.filters.map((text) => make("span", { class: "chip" }, text)),
      make("details", { class: "labels" }, make("summary", {}, "about"), make("pre", {}, head.labels.join("\n"))),
    );
  const flame = new gomem.Flame(document.getElementById("main"), data, { size: data.view.w });
  const search = document.getElementById("search"),
    found = document.getElementById("found");
  const look = () => {
    const { weight, count } = flame.search(search.value);
    found.textContent = search.value
      ? `${format(weight, head.unit)} (${percent(weight, data.body.total)}) in ${count} frames`
      : "";
  };
  search.addEventListener("input", look);
  search.value = data.view.q || "";
  look();
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== search) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      look();
      search.blur();
    }
  });
  window.gomemPage = { flame };
})();
