// The pages made of tables: top, peek, source and tags. Each takes (main, body, tools) and returns what search needs.
"use strict";
window.gomem = window.gomem || {};
(() => {
  const { make, pattern, colour } = gomem;
  const isDark = () => document.documentElement.dataset.theme === "dark";
  const share = (value, most) => `--share:${most ? Math.min(100, (Math.abs(value) / most) * 100) : 0}%`;
  const largest = (numbers) => numbers.reduce((most, number) => Math.max(most, Math.abs(number)), 0);

  function weight(text, value, most, own = false) {
    return make("td", { class: `weight${own ? " own" : ""}`, style: share(value, most) }, text);
  }

  function nameButton(name, tools, label = name) {
    return make(
      "button",
      {
        type: "button",
        class: "link",
        onclick: (event) => {
          const box = event.target.getBoundingClientRect();
          tools.frameMenu({ name, fn: name, file: "" }, box.left, box.bottom);
        },
      },
      label,
    );
  }

  const CONTEXT = 4; // lines shown around those with weight

  const TOP = [
    {
      title: "Flat",
      value: (row) => row.values[0],
      cell: (row, most) => weight(row.texts[0], row.values[0], most[0], true),
    },
    { title: "Flat%", value: (row) => row.values[0], cell: (row) => make("td", {}, row.texts[1]) },
    {
      title: "Sum%",
      value: (row) => row.order,
      up: true,
      cell: (row) => make("td", { class: "faint" }, row.texts[2]),
    },
    {
      title: "Cum",
      value: (row) => row.values[2],
      cell: (row, most) => weight(row.texts[3], row.values[2], most[2]),
    },
    { title: "Cum%", value: (row) => row.values[2], cell: (row) => make("td", {}, row.texts[4]) },
  ];
  const signs = (value) => (value > 0 ? "up" : value < 0 ? "down" : "faint");
  const side = (title, at) => ({
    title,
    value: (row) => (row.sides ? row.sides[at] : 0),
    cell: (row) => make("td", { class: "faint" }, row.sideTexts ? row.sideTexts[at] : "0"),
  });
  const DIFF = [
    {
      title: "Flat change",
      value: (row) => row.values[0],
      cell: (row) => make("td", { class: signs(row.values[0]) }, row.texts[0]),
    },
    side("before", 0),
    side("after", 1),
    TOP[1],
    {
      title: "Cum change",
      value: (row) => row.values[2],
      cell: (row) => make("td", { class: signs(row.values[2]) }, row.texts[3]),
    },
    side("before", 2),
    side("after", 3),
    TOP[4],
  ];
  const NAME = { title: "Function", text: true, value: (row) => row.name.toLowerCase(), up: true };

  function top(main, body, tools) {
    const columns = [...(body.diff ? DIFF : TOP), NAME];
    body.rows.forEach((row, order) => {
      row.order = order;
    });
    let match = null,
      sorted = { column: columns[0], down: true };
    const most = [0, 1, 2].map((at) => largest(body.rows.map((row) => row.values[at])));
    const heads = columns.map((column) =>
      make(
        "th",
        { class: column.text ? "text" : "", scope: "col" },
        make(
          "button",
          {
            type: "button",
            onclick: () => {
              sorted = { column, down: sorted.column === column ? !sorted.down : !column.up };
              draw();
            },
          },
          column.title,
        ),
      ),
    );
    const rows = make("tbody");
    const note = make(
      "p",
      { class: "note" },
      body.legend.filter((line) => /^(Showing|Dropped)/.test(line)).join(" · "),
    );
    const key = (value) => (body.diff && typeof value === "number" ? Math.abs(value) : value);
    function draw() {
      heads.forEach((th, index) => {
        if (columns[index] === sorted.column)
          th.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
        else th.removeAttribute("aria-sort");
      });
      const direction = sorted.down ? -1 : 1,
        value = (row) => key(sorted.column.value(row));
      const shown = body.rows
        .filter((row) => !match || match.test(row.name))
        .sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * direction || a.order - b.order);
      rows.replaceChildren(
        ...shown.map((row) =>
          make(
            "tr",
            {},
            ...columns.slice(0, -1).map((column) => column.cell(row, most)),
            make(
              "td",
              { class: "text" },
              make("i", {
                style: `background:${colour(row.owner[0], row.owner[1], isDark(), 8)}`,
                title: row.owner.join(", "),
              }),
              nameButton(row.function, tools, row.name),
            ),
          ),
        ),
      );
      return shown.length;
    }
    main.replaceChildren(
      make(
        "div",
        { class: "page" },
        note,
        make("table", { class: body.diff ? "top diff" : "top" }, make("thead", {}, make("tr", {}, ...heads)), rows),
      ),
    );
    draw();
    return {
      search(text) {
        match = pattern(text);
        return { count: draw() };
      },
      foundText: ({ count }) => `${count} of ${body.rows.length}`,
    };
  }

  // Blocks that a search hides or shows by their text.
  function blocks(main, kind, note, elements) {
    const texts = elements.map((element) => element.dataset.search);
    main.replaceChildren(
      make("div", { class: `page ${kind}` }, note && make("p", { class: "note" }, note), ...elements),
    );
    return {
      search(text) {
        const match = pattern(text);
        let count = 0;
        elements.forEach((element, index) => {
          element.hidden = Boolean(match) && !match.test(texts[index]);
          if (!element.hidden) count++;
        });
        return { count };
      },
      foundText: ({ count }) => `${count} of ${elements.length}`,
    };
  }

  const chosen = (tools) =>
    tools.params.get("fn") || tools.params.get("f")
      ? ""
      : "The heaviest functions. Choose one: a frame's menu, or search.";

  function peek(main, body, tools) {
    const edges = (title, list, total, hidden) =>
      list.length
        ? [
            make(
              "tr",
              { class: "group" },
              make("td", { colspan: 3 }, title + (hidden ? `; ${hidden} lighter ones are left out` : "")),
            ),
            ...list.map((edge) =>
              make(
                "tr",
                {},
                weight(edge.text, edge.value, total),
                make("td", { class: "faint" }, edge.share),
                make(
                  "td",
                  { class: "text" },
                  make(
                    "button",
                    {
                      type: "button",
                      class: "link",
                      onclick: () => tools.go({ fn: `^${gomem.quote(edge.name)}$` }),
                    },
                    edge.name + (edge.inline ? " (inline)" : ""),
                  ),
                ),
              ),
            ),
          ]
        : [];
    const block = (data) =>
      make(
        "section",
        { class: "block", "data-search": data.name },
        make(
          "header",
          {},
          make("span", { class: "name" }, nameButton(data.name, tools)),
          make("span", { class: "fact" }, make("b", {}, data.texts[0]), ` own (${data.texts[1]})`),
          make("span", { class: "fact" }, make("b", {}, data.texts[2]), ` total (${data.texts[3]})`),
        ),
        make(
          "table",
          {},
          make(
            "tbody",
            {},
            ...edges("called by, share of its total", data.callers, data.values[1], data.left_out[0]),
            make(
              "tr",
              { class: "self" },
              weight(data.texts[2], data.values[1], data.values[1]),
              make("td", {}, data.texts[3]),
              make("td", { class: "text" }, data.name),
            ),
            ...edges("calls, share of its total", data.callees, data.values[1], data.left_out[1]),
          ),
        ),
      );
    return blocks(main, "peek", chosen(tools), body.blocks.map(block));
  }

  // Rows for lines; long runs without weight become one row that opens when pressed.
  function folded(lines, row) {
    const near = lines.map(() => false),
      rows = [];
    lines.forEach((line, at) => {
      if (line[3] || at === 0) near.fill(true, Math.max(0, at - CONTEXT), at + CONTEXT + 1);
    });
    for (let at = 0; at < lines.length; at++) {
      let end = at;
      while (end < lines.length && !near[end]) end++;
      if (end - at <= 2) {
        rows.push(row(lines[at]));
        continue;
      }
      const hidden = lines.slice(at, end);
      const fold = make(
        "tr",
        { class: "fold" },
        make("td", {}),
        make("td", {}),
        make("td", {}),
        make(
          "td",
          { class: "line" },
          make(
            "button",
            { type: "button", class: "link", onclick: () => fold.replaceWith(...hidden.map(row)) },
            `⋯ ${hidden.length} lines without weight`,
          ),
        ),
      );
      rows.push(fold);
      at = end - 1;
    }
    return rows;
  }

  function source(main, body, tools) {
    const block = (data) => {
      const most = largest(data.lines.map((line) => line[3]));
      const rows = folded(data.lines, ([number, text, flat, cum, flatText, cumText]) =>
        make(
          "tr",
          { class: cum ? "hot" : "" },
          weight(flatText, flat, most, true),
          weight(cumText, cum, most),
          make("td", { class: "number" }, String(number)),
          make("td", { class: "line" }, text),
        ),
      );
      return make(
        "section",
        { class: "block", "data-search": `${data.function} ${data.file}` },
        make(
          "header",
          {},
          make("span", { class: "name" }, nameButton(data.function, tools)),
          make("span", { class: "file" }, data.file),
          make("span", { class: "fact" }, make("b", {}, data.texts[0]), " own"),
          make("span", { class: "fact" }, make("b", {}, data.texts[1]), ` total (${data.texts[2]})`),
        ),
        data.error &&
          make(
            "p",
            { class: "page" },
            `No source: ${data.error}. Start gomem with -source_path=DIRECTORY to say where it is.`,
          ),
        rows.length
          ? make(
              "div",
              { class: "code-scroll" },
              make(
                "table",
                { class: "code" },
                make(
                  "thead",
                  {},
                  make(
                    "tr",
                    {},
                    ...["own", "total", "line"].map((title) => make("th", { scope: "col" }, title)),
                    make("th", { class: "text", scope: "col" }, ""),
                  ),
                ),
                make("tbody", {}, ...rows),
              ),
            )
          : null,
      );
    };
    const more = body.left_out ? ` ${body.left_out} more functions match.` : "";
    return blocks(main, "source", chosen(tools) + more, body.listings.map(block));
  }

  function tags(main, body, tools) {
    if (!body.keys.length) {
      main.replaceChildren(
        make(
          "div",
          { class: "empty" },
          make("b", {}, "No labels"),
          make(
            "p",
            {},
            "The samples of this profile carry no labels, such as the thread or the type of an object.",
          ),
        ),
      );
      return {};
    }
    const block = (data) =>
      make(
        "section",
        { class: "block", "data-search": `${data.key} ${data.values.map((value) => value.name).join(" ")}` },
        make(
          "header",
          {},
          make("span", { class: "name" }, data.key),
          make("span", { class: "fact" }, make("b", {}, data.text), ` (${data.share})`),
          make("span", { class: "spring" }),
          make(
            "span",
            { class: "actions" },
            make(
              "button",
              {
                type: "button",
                title: "flame graph with a frame for each value at the root",
                onclick: () => tools.go({ tr: data.key, z: null }, "flamegraph"),
              },
              "As roots",
            ),
            make(
              "button",
              {
                type: "button",
                title: "flame graph with a frame for each value at the leaf",
                onclick: () => tools.go({ tl: data.key, z: null }, "flamegraph"),
              },
              "As leaves",
            ),
          ),
        ),
        make(
          "table",
          {},
          make(
            "tbody",
            {},
            ...data.values.map((value) =>
              make(
                "tr",
                {},
                weight(value.text, value.value, largest([data.value])),
                make("td", { class: "faint" }, value.share),
                make(
                  "td",
                  { class: "text" },
                  make(
                    "button",
                    {
                      type: "button",
                      class: "link",
                      title: "keep only these samples",
                      onclick: () => tools.go({ tf: `${data.key}=^${gomem.quote(value.name)}$`, z: null }),
                    },
                    value.name,
                  ),
                ),
              ),
            ),
            data.left_out
              ? make(
                  "tr",
                  {},
                  make("td", {}),
                  make("td", {}),
                  make("td", { class: "text" }, `… ${data.left_out} more values`),
                )
              : "",
          ),
        ),
      );
    return blocks(main, "tags", "", body.keys.map(block));
  }

  gomem.tables = { top, peek, source, tags };
})();
