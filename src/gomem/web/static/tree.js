// The flame graph's nodes: taken in from the server's answers, weighed, and given positions in [0, 1].
"use strict";
window.gomem = window.gomem || {};
(() => {
  const SIZES = { change: "change", after: "cum", before: "cumBefore" };

  class Tree {
    constructor(answer, size) {
      this.head = answer.head;
      this.frames = [];
      this.frameNumbers = new Map();
      this.byId = new Map();
      const body = answer.body;
      this.diff = body.diff;
      this.mean = body.mean;
      this.inverted = body.inverted;
      this.total = body.total;
      this.sums = body.sums;
      this.owners = body.owners;
      this.size = !this.diff ? "after" : Object.hasOwn(SIZES, size || "") ? size : "change";
      this.root = {
        id: 0,
        parent: null,
        frame: -1,
        depth: 0,
        children: [],
        flat: 0,
        cum: body.sums.cum,
        flatBefore: 0,
        cumBefore: body.sums.cumBefore || 0,
        change: body.sums.change || 0,
        flatCount: 0,
        cumCount: body.count,
      };
      this.byId.set(0, this.root);
      this.add(body);
      this.layout();
    }

    // Takes an answer's nodes in; known ones keep their identity.
    add(body) {
      const numbers = body.frames.map((parts) => {
        const key = parts.join("\0");
        if (!this.frameNumbers.has(key)) {
          this.frameNumbers.set(key, this.frames.length);
          const [name, file, owner, kind, fn] = parts;
          // Files of one package differ a little in lightness.
          this.frames.push({ name, file, owner, kind, fn: fn || name, shade: (gomem.hash(file) % 9) - 4 });
        }
        return this.frameNumbers.get(key);
      });
      const n = body.nodes;
      for (let i = 0; i < n.id.length; i++) {
        if (this.byId.has(n.id[i])) continue;
        const parent = n.parent[i] < 0 ? this.root : this.byId.get(n.id[n.parent[i]]);
        const node = {
          id: n.id[i],
          parent,
          frame: numbers[n.frame[i]],
          depth: parent.depth + 1,
          children: [],
          flat: n.flat[i],
          cum: n.cum[i],
          flatBefore: body.diff ? n.flatBefore[i] : 0,
          cumBefore: body.diff ? n.cumBefore[i] : 0,
          change: body.diff ? n.change[i] : 0,
          flatCount: body.mean ? n.flatCount[i] : 0,
          cumCount: body.mean ? n.cumCount[i] : 0,
        };
        parent.children.push(node);
        this.byId.set(node.id, node);
      }
    }

    weight(node) {
      return node[SIZES[this.size]];
    }

    // Positions and levels, from the root down: stacks may be thousands of frames deep, so there is no recursion.
    layout() {
      this.root.x = 0;
      this.root.width = 1;
      this.levels = [[this.root]];
      for (let level = this.levels[0]; level.length; level = this.levels[this.levels.length - 1]) {
        const below = [];
        for (const node of level) {
          const whole = this.weight(node);
          let x = node.x;
          node.children.sort((a, b) => this.weight(b) - this.weight(a) || a.frame - b.frame);
          for (const child of node.children) {
            child.x = x;
            child.width = whole ? (this.weight(child) / whole) * node.width : 0;
            x += child.width;
            below.push(child);
          }
        }
        this.levels.push(below);
      }
      this.levels.pop();
    }

    matches(frame) {
      if (frame.matchedBy !== this.match) {
        frame.matchedBy = this.match;
        frame.matched = this.match.test(frame.fn) || this.match.test(frame.name) || this.match.test(frame.file);
      }
      return frame.matched;
    }
  }

  Object.assign(gomem, { Tree, SIZES });
})();
