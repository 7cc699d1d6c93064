// Light, dark, or as the system says; set before the page is drawn, kept in local storage.
"use strict";
window.gomem = window.gomem || {};
gomem.theme = {
  names: ["auto", "light", "dark"],
  get() {
    try {
      return localStorage.getItem("gomem-theme") || "auto";
    } catch {
      return "auto";
    }
  },
  set(name) {
    try {
      localStorage.setItem("gomem-theme", name);
    } catch {
      /* a file without storage keeps it for this view only */
    }
    this.apply(name);
  },
  apply(name) {
    const dark = name === "dark" || (name === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    document.dispatchEvent(new Event("gomem-theme"));
  },
};
gomem.theme.apply(gomem.theme.get());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => gomem.theme.apply(gomem.theme.get()));
