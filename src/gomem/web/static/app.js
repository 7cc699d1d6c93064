// The page's frame: state in the URL, menus, filters, keys; each page's own script draws what the server answers.
"use strict";
(() => {
  const { make, quote, format, percent } = gomem;
  const $ = (id) => document.getElementById(id);
  const PAGES = [
    ["flamegraph", "Flame graph"],
    ["top", "Top"],
    ["graph", "Graph"],
    ["peek", "Peek"],
    ["source", "Source"],
    ["tags", "Tags"],
  ];
  // URL parameters of the filters: the real tool's names, and tr and tl for the label frames that it has no names for.
  const FILTERS = [
    ["f", "Focus", "keep stacks through a match", "regexp"],
    ["i", "Ignore", "drop stacks through a match", "regexp"],
    ["h", "Hide", "leave matching frames out", "regexp"],
    ["s", "Show", "only matching frames", "regexp"],
    ["sf", "Show from", "drop frames above the first match", "regexp"],
    ["prunefrom", "Prune from", "drop frames below a match", "regexp"],
    ["tf", "Tag focus", "keep stacks with a label", "regexp, key=regexp, 1kb:64kb"],
    ["ti", "Tag ignore", "drop stacks with a label", "regexp, key=regexp, 1kb:64kb"],
    ["tr", "Tag roots", "label values as frames at the root", "key,key"],
    ["tl", "Tag leaves", "label values as frames at the leaf", "key,key"],
  ];
  const GRANULARITIES = ["functions", "filefunctions", "files", "lines", "addresses"];
  const state = { page: "", params: new URLSearchParams(), answer: null, view: null, turn: 0 };

  // ---- State

  function readURL() {
    state.page = location.pathname.replace(/^\/ui\/?/, "") || "flamegraph";
    state.params = new URLSearchParams(location.search);
  }

  function urlOf(page, params) {
    const query = params.toString();
    return `/ui/${page === "flamegraph" ? "" : page}${query ? "?" + query : ""}`;
  }

  function changed(changes) {
    const params = new URLSearchParams(state.params);
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === undefined || value === "") params.delete(name);
      else params.set(name, value);
    }
    return params;
  }

  // Goes to a page with some parameters changed; null removes one.
  function go(changes, page = state.page) {
    history.pushState(null, "", urlOf(page, changed(changes)));
    return load();
  }

  // Notes a change in the URL that needs no new data.
  function note(changes) {
    state.params = changed(changes);
    history.replaceState(null, "", urlOf(state.page, state.params));
    drawPages();
  }

  async function ask(page, params) {
    const response = await fetch(`/data/${page}?${params}`);
    const answer = await response.json();
    if (answer.error) throw new Error(answer.error);
    return answer;
  }

  async function load() {
    readURL();
    const turn = ++state.turn;
    delete document.body.dataset.ready;
    drawPages();
    const spinner = setTimeout(() => {
      $("loading").hidden = false;
    }, 150);
    try {
      const params = new URLSearchParams(state.params);
      for (const name of ["q", "w"]) params.delete(name);
      if (state.page === "flamegraph") params.delete("z");
      const answer = await ask(state.page, params);
      if (turn !== state.turn) return;
      state.answer = answer;
      drawHead(answer.head);
      draw(answer);
    } catch (error) {
      if (turn !== state.turn) return;
      drawFilters(state.answer?.head);
      empty("This cannot be shown", error.message);
    } finally {
      clearTimeout(spinner);
      if (turn === state.turn) {
        $("loading").hidden = true;
        document.body.dataset.ready = state.page;
      }
    }
  }

  function empty(title, text) {
    state.view?.close?.();
    state.view = null;
    $("main").replaceChildren(
      make(
        "div",
        { class: "empty" },
        make("b", {}, title),
        make("p", {}, text),
        make("button", { type: "button", class: "primary", onclick: reset }, "Remove all filters"),
      ),
    );
  }

  function reset() {
    return go({ ...Object.fromEntries(FILTERS.map(([name]) => [name, null])), fn: null, z: null, q: null });
  }

  // ---- The frame around the pages

  function drawPages() {
    $("pages").replaceChildren(
      ...PAGES.map(([page, title]) =>
        make(
          "a",
          {
            href: urlOf(page, changed({ z: null })),
            "aria-current": state.page === page ? "page" : undefined,
            onclick: (event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              go({ z: null }, page);
            },
          },
          title,
        ),
      ),
    );
  }

  function drawHead(head) {
    document.title = `${head.title} ${head.type} – gomem`;
    $("type").replaceChildren(
      ...head.types.map((type) =>
        make("option", { value: type, selected: head.type.replace(/^mean_/, "") === type }, type),
      ),
    );
    const facts = [];
    if (head.change) {
      facts.push(
        make(
          "span",
          { class: "fact" },
          make("b", { class: "big" }, head.change.net),
          ` ${head.type}: from `,
          make("b", {}, head.change.before),
          " to ",
          make("b", {}, head.change.after),
        ),
      );
    } else {
      facts.push(
        make(
          "span",
          { class: "fact" },
          make("b", { class: "big" }, head.shownText),
          head.shownShare === "100%"
            ? ` of ${head.type}`
            : ` of ${head.totalText} ${head.type} shown (${head.shownShare})`,
        ),
      );
    }
    facts.push(
      make(
        "span",
        { class: "fact" },
        "in ",
        make("b", {}, state.params.get("at") === "all" ? "all profiles" : head.name),
        ...(head.base ? [", compared with ", make("b", {}, head.base)] : []),
      ),
    );
    if (head.time) facts.push(make("span", { class: "fact" }, new Date(head.time * 1000).toLocaleString()));
    facts.push(...chips(), ...head.notices.map((text) => make("span", { class: "notice" }, text)));
    facts.push(
      make("span", { class: "spring" }),
      make("details", { class: "labels" }, make("summary", {}, "about"), make("pre", {}, head.labels.join("\n"))),
    );
    $("facts").replaceChildren(...facts);
    drawFilters(head);
    gomem.drawSeries($("series"), head, state.params, go);
  }

  function chips() {
    return FILTERS.filter(([name]) => state.params.get(name)).map(([name, title]) =>
      make(
        "button",
        {
          type: "button",
          class: "chip filter",
          title: `${title}: remove`,
          onclick: () => go({ [name]: null, z: null }),
        },
        `${title.toLowerCase()}: ${state.params.get(name)} ✕`,
      ),
    );
  }

  function drawFilters(head) {
    const count = FILTERS.filter(([name]) => state.params.get(name)).length;
    if (count) $("refine-open").dataset.count = count;
    else delete $("refine-open").dataset.count;
    const keys = head?.tagKeys || [];
    const field = ([name, title, what, hint]) =>
      make(
        "label",
        {},
        make("span", {}, title, " ", make("small", {}, what)),
        make("input", {
          name,
          value: state.params.get(name) || "",
          placeholder: hint,
          list: /^t[rl]$/.test(name) ? "tag-keys" : undefined,
          spellcheck: "false",
          autocomplete: "off",
        }),
      );
    const granularity = make(
      "select",
      { name: "g" },
      ...GRANULARITIES.map((text) =>
        make("option", { value: text === "functions" ? "" : text, selected: state.params.get("g") === text }, text),
      ),
    );
    $("refine").replaceChildren(
      ...FILTERS.map(field),
      make("label", {}, make("span", {}, "Granularity"), granularity),
      make("datalist", { id: "tag-keys" }, ...keys.map((key) => make("option", { value: key }))),
      make(
        "div",
        { class: "buttons" },
        make("button", { type: "submit", class: "primary" }, "Apply"),
        make("button", { type: "button", onclick: reset }, "Reset"),
        make("span", {}, keys.length ? `labels in this profile: ${keys.join(", ")}` : "this profile has no labels"),
      ),
    );
  }

  // What one can do with a frame: [title, explanation, changes, page].
  function deeds(frame) {
    const exact = `^${quote(frame.fn)}$`;
    return [
      ["Focus", "stacks through it", { f: exact, z: null }],
      ["Ignore", "stacks without it", { i: exact, z: null }],
      ["Hide", "leave the frame out", { h: exact, z: null }],
      ["Show from", "as if it were the root", { sf: exact, z: null }],
      ["Peek", "callers and callees", { fn: exact, z: null }, "peek"],
      ["Source", "its lines", { fn: exact, z: null }, "source"],
    ];
  }

  function actions(frame) {
    return deeds(frame).map(([title, what, changes, page]) =>
      make("button", { type: "button", title: what, onclick: () => go(changes, page) }, title),
    );
  }

  // ---- Menus

  let opener = null;

  function closeMenu() {
    document.querySelector(".menu")?.remove();
    opener?.focus?.();
    opener = null;
  }

  function openMenu(x, y, head, items) {
    document.querySelector(".menu")?.remove();
    opener = document.activeElement;
    const menu = make(
      "div",
      { class: "menu", role: "menu" },
      head && make("div", { class: "head" }, head),
      ...items,
    );
    document.body.append(menu);
    const box = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(4, Math.min(x, innerWidth - box.width - 8))}px`;
    menu.style.top = `${Math.max(4, Math.min(y, innerHeight - box.height - 8))}px`;
    menu.querySelector("button, a")?.focus();
    menu.addEventListener("keydown", (event) => {
      const all = [...menu.querySelectorAll("button, a")],
        at = all.indexOf(document.activeElement);
      if (event.key === "ArrowDown") all[(at + 1) % all.length].focus();
      else if (event.key === "ArrowUp") all[(at + all.length - 1) % all.length].focus();
      else if (event.key === "Escape" || event.key === "Tab") closeMenu();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  const item = (title, what, onclick) =>
    make(
      "button",
      {
        type: "button",
        role: "menuitem",
        onclick: () => {
          closeMenu();
          onclick();
        },
      },
      title,
      make("small", {}, what || ""),
    );

  function frameMenu(frame, x, y) {
    openMenu(x, y, frame.name, [
      ...deeds(frame).map(([title, what, changes, page]) => item(title, what, () => go(changes, page))),
      make("hr"),
      item("Search", "mark it everywhere", () => look(`^${quote(frame.fn)}$`)),
      item("Copy name", "", () => navigator.clipboard?.writeText(frame.fn)),
    ]);
  }

  function savedViews() {
    try {
      return JSON.parse(localStorage.getItem("gomem-views") || "{}");
    } catch {
      return {};
    }
  }

  function moreMenu() {
    const box = $("more").getBoundingClientRect(),
      query = state.params.toString(),
      views = savedViews();
    const link = (title, what, href) =>
      make(
        "a",
        { role: "menuitem", href, download: "", onclick: () => setTimeout(closeMenu) },
        title,
        make("small", {}, what),
      );
    const theme = gomem.theme.get(),
      next = gomem.theme.names[(gomem.theme.names.indexOf(theme) + 1) % 3];
    openMenu(box.left, box.bottom + 4, null, [
      link("Download profile", "pprof, filtered", `/download?${query}`),
      link("Export flame graph", "one HTML file", `/export?${query}`),
      item(
        state.params.get("inv") ? "Flame graph from the root" : "Flame graph from the leaves",
        "inverted, v",
        invert,
      ),
      item(
        state.params.get("mean") ? "Sums, not means" : "Means, not sums",
        `${state.answer?.head.types[0] || "first value"} divides`,
        () => go({ mean: state.params.get("mean") ? null : "t" }),
      ),
      make("hr"),
      ...Object.keys(views).map((name) =>
        item(name, "saved view", () =>
          go(
            Object.fromEntries([
              ...[...state.params.keys()].map((key) => [key, null]),
              ...new URLSearchParams(views[name]),
            ]),
          ),
        ),
      ),
      item("Save this view…", "filters by a name", saveView),
      make("hr"),
      item(`Theme: ${theme}`, `press for ${next}`, () => gomem.theme.set(next)),
      item("Keys and mouse", "?", help),
    ]);
  }

  function saveView() {
    const name = prompt("Name of the view:");
    if (!name) return;
    const params = changed({ at: null, vs: null, z: null });
    try {
      localStorage.setItem("gomem-views", JSON.stringify({ ...savedViews(), [name]: params.toString() }));
    } catch {
      /* no storage */
    }
  }

  function help() {
    const rows = [
      ["/", "search"],
      ["r", "refine: the filters"],
      ["v", "flame graph from the root or from the leaves"],
      ["1 … 6", "the pages"],
      ["t", "next sample type"],
      ["↑ ↓ ← →", "callers, callees and neighbours in the flame graph"],
      ["Enter", "zoom into the selected frame"],
      ["Esc", "zoom out"],
      ["m", "menu of the selected frame; with the mouse: right click"],
      ["?", "this"],
    ];
    const dialog = make(
      "dialog",
      { "aria-label": "Keys and mouse" },
      make("h2", {}, "Keys and mouse"),
      make(
        "dl",
        {},
        ...rows.flatMap(([key, what]) => [make("dt", {}, make("kbd", {}, key)), make("dd", {}, what)]),
      ),
      make("form", { method: "dialog" }, make("button", { class: "primary" }, "Close")),
    );
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  // ---- Search

  function look(text) {
    $("search").value = text;
    find();
  }

  let asked = 0;

  async function find() {
    const text = $("search").value;
    note({ q: text || null });
    const found = state.view?.search?.(text);
    const turn = ++asked;
    $("found").textContent = text && found ? state.view.foundText(found) : "";
    if (!text || state.page !== "flamegraph") return;
    try {
      const params = changed({ q: text, z: null });
      const answer = await ask("search", params);
      if (turn === asked) $("found").textContent = `${answer.body.text} (${answer.body.share})`;
    } catch (error) {
      if (turn === asked) $("found").textContent = error.message.replace(/^.*error parsing regexp: /, "");
    }
  }

  let waiting;
  $("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });

  // ---- Drawing the pages

  function draw(answer) {
    state.view?.close?.();
    const main = $("main"),
      { head, body } = answer;
    main.scrollTop = 0;
    const tools = { go, note, frameMenu, actions, params: state.params, head };
    if (state.page === "flamegraph") {
      if (!body.nodes.id.length)
        return empty("No samples to show", head.notices.join("; ") || `This profile has no ${head.type}: choose another sample type above.`);
      state.view = new gomem.Flame(main, answer, {
        size: state.params.get("w"),
        zoom: state.params.get("z"),
        actions,
        onmenu: frameMenu,
        more: async (id) => (await ask("flamegraph", changed({ z: id, q: null, w: null }))).body,
        onzoom: (id) => note({ z: id || null }),
        onsize: (size) => note({ w: size === "change" ? null : size }),
      });
      state.view.foundText = ({ weight }) => `${format(weight, head.unit)} (${percent(weight, body.total)})`;
    } else if (state.page === "graph") {
      state.view = gomem.drawGraph(main, body, tools);
    } else {
      state.view = gomem.tables[state.page](main, body, tools);
    }
    const wanted = state.params.get("q") || "";
    $("search").value = wanted;
    if (wanted) find();
    else $("found").textContent = "";
  }

  function invert() {
    return go({ inv: state.params.get("inv") ? null : "1", z: null }, "flamegraph");
  }

  // ---- Events

  $("type").addEventListener("change", () => go({ si: $("type").value, z: null }));
  $("refine-open").addEventListener("click", () => {
    $("refine").hidden = !$("refine").hidden;
    $("refine-open").setAttribute("aria-expanded", String(!$("refine").hidden));
    if (!$("refine").hidden) $("refine").querySelector("input").focus();
  });
  $("refine").addEventListener("submit", (event) => {
    event.preventDefault();
    go({ ...Object.fromEntries(new FormData($("refine"))), z: null });
  });
  $("more").addEventListener("click", moreMenu);
  addEventListener("popstate", load);
  // The flame graph paints itself again; a table's colours are in its cells.
  document.addEventListener("gomem-theme", () => {
    if (state.page === "top" && state.view) draw(state.answer);
  });
  document.addEventListener("mousedown", (event) => {
    if (!event.target.closest(".menu")) document.querySelector(".menu")?.remove();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, dialog, .menu");
    if (event.key === "Escape" && event.target === $("search")) {
      look("");
      $("search").blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const deed =
      {
        "/": () => $("search").focus(),
        r: () => $("refine-open").click(),
        v: invert,
        "?": help,
        t: () => {
          const type = $("type");
          type.selectedIndex = (type.selectedIndex + 1) % type.length;
          type.dispatchEvent(new Event("change"));
        },
      }[event.key] ||
      (PAGES[Number(event.key) - 1] && (() => go({ z: null }, PAGES[Number(event.key) - 1][0])));
    if (!deed) return;
    event.preventDefault();
    deed();
  });

  window.gomemPage = state;
  load();
})();
