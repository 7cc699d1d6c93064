// The flame graph: one canvas as large as the window shows, drawn from a tree of nodes with positions in [0, 1].
//
// - The server leaves out what is narrower than a pixel; zooming into a node asks `more(id)` for its finer subtree.
// - Zooming changes the visible window [from, from + span) of positions only, so that nothing is laid out again.
// - A comparison has three sizes for a box: what changed, what there is after, what there was before.
// - The keyboard moves a selection through the tree and every move is spoken through a live region.
"use strict";
window.gomem = window.gomem || {};
(() => {
  const { format, percent, signed, make, pattern, colour, changeColour, fit } = gomem;
  const ROW = 19,
    MIN_PIXELS = 0.7,
    ZOOM_MS = 160;

  class Flame extends gomem.Tree {
    // answer: {head, body} as the server gives it. options: more(id) -> promise of a body, onzoom(id), onmenu(frame, x, y),
    // size: "change", "after" or "before", zoom: a node's number.
    constructor(place, answer, options = {}) {
      super(answer, options.size);
      const body = answer.body;
      this.options = options;
      this.refined = new Set([body.root]);
      this.zoom = this.selected = this.root;
      this.hovered = null;
      this.match = null;
      this.build(place);
      this.watch();
      this.resize();
      this.tell(this.root);
      this.resume(Number(options.zoom) || 0);
    }

    build(place) {
      this.canvas = make("canvas", {
        tabindex: 0,
        role: "application",
        "aria-label":
          "Flame graph. Arrow keys move through callers and callees, Enter zooms, Escape zooms out, M opens the menu.",
      });
      this.spacer = make("div", { class: "flame-rows" }, this.canvas);
      this.scroller = make("div", { class: "flame-scroll" }, this.spacer);
      this.tip = make("div", { class: "tip", hidden: true, role: "tooltip" });
      this.details = make("section", { class: "details", "aria-label": "Selected frame" });
      this.legend = make("div", { class: "legend", "aria-label": "Packages by their own weight" });
      this.element = make("div", { class: "flame" }, this.legend, this.scroller, this.details, this.tip);
      place.replaceChildren(this.element);
      this.drawLegend();
    }

    drawLegend() {
      const dark = document.documentElement.dataset.theme === "dark";
      const chips = [];
      if (this.diff) {
        chips.push(
          make("span", { class: "key" }, make("i", { style: "background:hsl(22 84% 62%)" }), "grew"),
          make("span", { class: "key" }, make("i", { style: "background:hsl(214 84% 62%)" }), "shrank"),
          make(
            "span",
            { class: "sizes", role: "group", "aria-label": "Size boxes by" },
            "size by ",
            ...Object.keys(gomem.SIZES).map((size) =>
              make(
                "button",
                { type: "button", "aria-pressed": String(this.size === size), onclick: () => this.setSize(size) },
                size,
              ),
            ),
          ),
        );
      }
      const whole = this.sums.cum;
      for (const [owner, kind, weight] of this.owners) {
        if (this.diff && !weight) continue;
        chips.push(
          make(
            "button",
            {
              type: "button",
              class: "chip",
              title: `${kind} code: ${owner}; press to mark its frames`,
              "aria-pressed": String(this.marked === owner),
              onclick: () => this.mark(owner),
            },
            make("i", { style: `background:${colour(owner, kind, dark, 8)}` }),
            `${owner} `,
            make("b", {}, percent(weight, whole)),
          ),
        );
      }
      this.legend.replaceChildren(...chips);
    }

    mark(owner) {
      this.marked = this.marked === owner ? null : owner;
      this.drawLegend();
      this.draw();
    }

    setSize(size) {
      this.size = size;
      this.layout();
      this.drawLegend();
      this.show(this.zoom);
      this.options.onsize?.(size);
    }

    watch() {
      const canvas = this.canvas;
      this.observer = new ResizeObserver(() => this.resize());
      this.observer.observe(this.scroller);
      this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
      canvas.addEventListener("mousemove", (event) => this.hover(event));
      canvas.addEventListener("mouseleave", () => this.hover(null));
      canvas.addEventListener("click", (event) => {
        const node = this.at(event);
        if (node) {
          this.select(node);
          this.zoomTo(node);
        }
      });
      canvas.addEventListener("contextmenu", (event) => {
        const node = this.at(event);
        if (!node || node === this.root || !this.options.onmenu) return;
        event.preventDefault();
        this.select(node);
        this.options.onmenu(this.frames[node.frame], event.clientX, event.clientY);
      });
      canvas.addEventListener("keydown", (event) => this.key(event));
      canvas.addEventListener("focus", () => this.draw());
      canvas.addEventListener("blur", () => this.draw());
      document.addEventListener("gomem-theme", () => {
        this.drawLegend();
        this.draw();
      });
    }

    // ---- Where things are

    resize() {
      const width = this.scroller.clientWidth,
        height = this.scroller.clientHeight,
        dpr = devicePixelRatio || 1;
      if (!width || !height) return;
      this.canvas.width = Math.round(width * dpr);
      this.canvas.height = Math.round(height * dpr);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      this.pixels = width;
      this.from ??= 0;
      this.span ??= 1;
      this.setHeight();
      this.draw();
    }

    setHeight() {
      let deepest = 0;
      const least = (MIN_PIXELS / (this.pixels || 1000)) * this.zoom.width;
      for (let depth = this.levels.length - 1; depth > 0 && !deepest; depth--) {
        if (this.levels[depth]?.some((node) => node.width >= least && this.inside(node))) deepest = depth;
      }
      this.spacer.style.height = `${Math.max((deepest + 1) * ROW + 4, this.scroller.clientHeight)}px`;
    }

    inside(node) {
      return node.x + node.width > this.zoom.x && node.x < this.zoom.x + this.zoom.width;
    }

    at(event) {
      const box = this.canvas.getBoundingClientRect();
      const depth = Math.floor((event.clientY - box.top + this.scroller.scrollTop) / ROW);
      const x = this.from + ((event.clientX - box.left) / this.pixels) * this.span;
      return (this.levels[depth] || []).find((node) => node.x <= x && x < node.x + node.width) || null;
    }

    // ---- Drawing

    draw() {
      if (this.pending) return;
      this.pending = requestAnimationFrame(() => {
        this.pending = 0;
        this.paint();
      });
    }

    paint() {
      const context = this.canvas.getContext("2d"),
        dpr = devicePixelRatio || 1,
        style = getComputedStyle(this.element);
      const dark = document.documentElement.dataset.theme === "dark";
      const width = this.pixels,
        height = this.canvas.height / dpr,
        top = this.scroller.scrollTop;
      context.setTransform(dpr, 0, 0, dpr, 0, 0);
      context.clearRect(0, 0, width, height);
      context.font = `12px ${style.fontFamily}`;
      context.textBaseline = "middle";
      const paint = {
        context,
        dark,
        width,
        text: style.getPropertyValue("--text"),
        faint: style.getPropertyValue("--faint"),
        accent: style.getPropertyValue("--accent"),
        found: style.getPropertyValue("--found"),
      };
      this.drawn = 0;
      const last = Math.min(this.levels.length - 1, Math.floor((top + height) / ROW));
      for (let depth = Math.floor(top / ROW); depth <= last; depth++) {
        for (const node of this.levels[depth] || []) {
          const x = ((node.x - this.from) / this.span) * width,
            w = (node.width / this.span) * width;
          if (w >= MIN_PIXELS && x + w > 0 && x < width) this.paintNode(paint, node, x, depth * ROW - top, w);
        }
      }
    }

    paintNode(paint, node, x, y, w) {
      const { context, dark, width } = paint;
      const left = Math.max(0, x),
        right = Math.min(width, x + w),
        shown = right - left;
      const frame = this.frames[node.frame],
        above = node !== this.zoom && this.isAbove(node);
      const active = node === this.hovered;
      const found = this.isFound(frame),
        dimmed = (this.match || this.marked) && !found;
      this.drawn++;
      context.globalAlpha = dimmed ? 0.28 : above ? 0.5 : 1;
      if (node === this.root) context.fillStyle = dark ? "#3a3d44" : "#dcdedf";
      else if (this.match && found) context.fillStyle = paint.found;
      else
        context.fillStyle = this.diff
          ? changeColour(node, dark, active ? 7 : 0)
          : colour(frame.owner, frame.kind, dark, frame.shade + (active ? 7 : 0));
      context.fillRect(left, y, Math.max(shown - (w > 3 ? 1 : 0), 0.6), ROW - 1);
      context.globalAlpha = dimmed ? 0.6 : 1;
      if (node === this.selected && document.activeElement === this.canvas) {
        context.strokeStyle = paint.accent;
        context.lineWidth = 2;
        context.strokeRect(left + 1, y + 1, shown - 3, ROW - 3);
      }
      if (shown > 26) this.paintText(paint, node, frame, left + 4, y + ROW / 2, shown - 8);
      context.globalAlpha = 1;
    }

    paintText(paint, node, frame, x, y, room) {
      const { context } = paint;
      const name = node === this.root ? this.rootText() : frame.name;
      const share = this.mean
        ? this.meanText(node.cum, node.cumCount)
        : this.diff
          ? signed(node.cum - node.cumBefore, this.head.unit)
          : percent(node.cum, this.total);
      const shareWidth = context.measureText(share).width;
      const full = context.measureText(name).width;
      const withShare = node !== this.root && full + shareWidth + 14 < room;
      context.fillStyle = this.match && this.isFound(frame) ? "#1c1d1f" : paint.text;
      context.fillText(full <= room ? name : fit(context, name, room), x, y);
      if (withShare) {
        context.globalAlpha *= 0.62;
        context.fillText(share, x + room - shareWidth, y);
      }
    }

    meanText(value, count) {
      return `${format(count ? Math.trunc(value / count) : value, this.head.unit)} mean`;
    }

    rootText() {
      if (this.mean) return `all: ${this.meanText(this.root.cum, this.root.cumCount)}`;
      const shown = this.diff
        ? `${format(this.sums.cumBefore, this.head.unit)} → ${format(this.sums.cum, this.head.unit)}`
        : format(this.sums.cum, this.head.unit);
      return `all: ${shown}`;
    }

    isAbove(node) {
      for (let n = this.zoom.parent; n; n = n.parent) if (n === node) return true;
      return false;
    }

    isFound(frame) {
      if (!frame) return !this.match && !this.marked;
      if (this.match) return this.matches(frame);
      return this.marked ? frame.owner === this.marked : false;
    }

    // ---- What the user does

    // Marks matching frames; returns their weight, each stack counted once, as far as the page knows the tree.
    search(source) {
      this.match = pattern(source);
      let weight = 0,
        count = 0;
      for (const level of this.levels) {
        for (const node of level) {
          const hit = node.frame >= 0 && this.match !== null && this.matches(this.frames[node.frame]);
          if (hit) count++;
          if (hit && !node.parent.within) weight += node.cum - (this.diff ? node.cumBefore : 0);
          node.within = hit || Boolean(node.parent?.within);
        }
      }
      this.draw();
      return { weight, count };
    }

    zoomTo(node, { quietly = false } = {}) {
      this.show(node, quietly);
      if (!quietly) this.options.onzoom?.(node.id);
      const hidden =
        this.weight(node) -
        node.children.reduce((sum, child) => sum + this.weight(child), 0) -
        (this.diff ? 0 : node.flat);
      const mayHide = hidden > 0 || node.children.length > 0;
      if (this.options.more && mayHide && !this.refined.has(node.id)) this.refine(node);
    }

    // Zooms to a node by its number, which may be too narrow to be here yet.
    async resume(id) {
      if (!id) return;
      if (!this.byId.has(id) && this.options.more) {
        this.refined.add(id);
        this.add(await this.options.more(id));
        this.layout();
      }
      const node = this.byId.get(id);
      if (node) this.zoomTo(node, { quietly: true });
    }

    async refine(node) {
      this.refined.add(node.id);
      const body = await this.options.more(node.id);
      const before = this.byId.size;
      this.add(body);
      if (this.byId.size > before) {
        this.layout();
        if (this.zoom === node) this.show(node, true);
        else this.draw();
      }
    }

    show(node, atOnce = false) {
      this.zoom = node;
      this.setHeight();
      const target = { from: node.x, span: node.width || 1 };
      const still = atOnce || matchMedia("(prefers-reduced-motion: reduce)").matches;
      cancelAnimationFrame(this.moving);
      if (still) {
        Object.assign(this, target);
        this.resize();
        this.select(node);
        return;
      }
      const start = performance.now(),
        from = this.from,
        span = this.span;
      const step = (now) => {
        const t = Math.min(1, (now - start) / ZOOM_MS),
          eased = 1 - (1 - t) ** 3;
        this.from = from + (target.from - from) * eased;
        this.span = span + (target.span - span) * eased;
        this.draw();
        if (t < 1) this.moving = requestAnimationFrame(step);
      };
      this.moving = requestAnimationFrame(step);
      this.select(node);
    }

    select(node) {
      this.selected = node;
      this.tell(node);
      const y = node.depth * ROW,
        top = this.scroller.scrollTop;
      if (y < top) this.scroller.scrollTop = y;
      else if (y + ROW > top + this.scroller.clientHeight)
        this.scroller.scrollTop = y + ROW - this.scroller.clientHeight;
      this.draw();
    }

    key(event) {
      const node = this.selected,
        siblings = node.parent ? node.parent.children : [node];
      const at = siblings.indexOf(node);
      const go = {
        ArrowUp: node.parent,
        ArrowDown: node.children[0],
        ArrowLeft: siblings[at - 1],
        ArrowRight: siblings[at + 1],
        Home: this.root,
      }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (go) this.select(go);
      else if (event.key === "Enter") this.zoomTo(node);
      else if (event.key === "Escape") this.zoomTo(this.root);
      else if (event.key === "Backspace" && this.zoom.parent) this.zoomTo(this.zoom.parent);
      else if ((event.key === "m" || event.key === "ContextMenu") && node !== this.root && this.options.onmenu) {
        const box = this.canvas.getBoundingClientRect();
        const x = ((node.x - this.from) / this.span) * this.pixels;
        this.options.onmenu(
          this.frames[node.frame],
          box.left + Math.max(0, x),
          box.top + (node.depth + 1) * ROW - this.scroller.scrollTop,
        );
      } else if (!["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"].includes(event.key)) return;
      event.preventDefault();
    }

    hover(event) {
      const node = event && this.at(event);
      if (node !== this.hovered) {
        this.hovered = node;
        this.draw();
      }
      this.canvas.style.cursor = node ? "pointer" : "default";
      this.tip.hidden = !node;
      if (!node) return;
      this.tip.replaceChildren(...this.facts(node));
      const box = this.element.getBoundingClientRect(),
        tip = this.tip.getBoundingClientRect();
      const left = Math.min(event.clientX - box.left + 12, box.width - tip.width - 4);
      const below = event.clientY - box.top + 18;
      const top = below + tip.height > box.height ? event.clientY - box.top - tip.height - 8 : below;
      this.tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.max(0, top)}px)`;
    }

    // The lines about a node: name, place, weights with their shares of the total and of the caller.
    facts(node) {
      const unit = this.head.unit,
        frame = this.frames[node.frame],
        parent = node.parent;
      const lines = [make("strong", {}, frame ? frame.name : `all of ${this.head.type}`)];
      if (frame && frame.file) lines.push(make("div", { class: "file" }, frame.file));
      const line = (...parts) => lines.push(make("div", {}, ...parts));
      const figure = (text) => make("b", {}, text);
      line(
        figure(format(node.cum, unit)),
        this.diff ? " after" : ` total, ${percent(node.cum, this.total)} of everything`,
      );
      if (this.diff)
        line(
          figure(format(node.cumBefore, unit)),
          " before, ",
          figure(signed(node.cum - node.cumBefore, unit)),
          " net",
        );
      if (this.mean) line(figure(this.meanText(node.cum, node.cumCount)), ` over ${node.cumCount.toLocaleString("en")}`);
      if (parent && parent.frame >= 0 && !this.diff)
        line(`${percent(node.cum, parent.cum)} of its ${this.inverted ? "callee" : "caller"}`);
      if (frame && !this.inverted)
        line(
          figure(format(node.flat, unit)),
          this.diff ? ` own, ${format(node.flatBefore, unit)} before` : ` own, ${percent(node.flat, this.total)}`,
        );
      if (frame) lines.push(make("div", { class: "owner" }, `${frame.owner} · ${frame.kind}`));
      return lines;
    }

    tell(node) {
      const frame = this.frames[node.frame];
      const actions = frame && this.options.actions ? this.options.actions(frame) : [];
      this.details.replaceChildren(
        make("div", { class: "facts-of" }, ...this.facts(node)),
        make("div", { class: "actions" }, ...actions),
      );
      const live = document.getElementById("live");
      if (live && document.activeElement === this.canvas) {
        live.textContent = `${frame ? frame.name : "all"}, ${format(node.cum, this.head.unit)}, ${percent(node.cum, this.total)}`;
      }
    }

    // The boxes wide enough to be drawn, outermost first: what a test, or an assistive script, sees of the canvas.
    boxes() {
      const found = [];
      for (const level of this.levels) {
        for (const node of level || []) {
          const pixels = (node.width / this.zoom.width) * this.pixels;
          if (pixels < MIN_PIXELS || !this.inside(node)) continue;
          const frame = this.frames[node.frame];
          found.push({
            id: node.id,
            name: frame ? frame.name : "all",
            depth: node.depth,
            cum: node.cum,
            flat: node.flat,
            x: Math.max(0, ((node.x - this.zoom.x) / this.zoom.width) * this.pixels),
            width: Math.min(pixels, this.pixels),
            found: this.isFound(frame),
          });
        }
      }
      return found;
    }

    close() {
      this.observer.disconnect();
    }
  }

  gomem.Flame = Flame;
})();
