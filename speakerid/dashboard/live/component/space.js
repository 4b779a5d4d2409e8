// The embedding space: the current voice and its trail, strangers, and names that keep out of each other's way.

const fade = (color, opacity) => color + Math.round(255 * opacity).toString(16).padStart(2, "0");
const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
const NAME_PX = 15;  // as in the figure
const CLEAR_PX = 6;  // around the middle of a cluster
const around = ({ x, y }, reach) => ({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach });

class Space extends Log {
  get staged() { return this.root.classList.contains("live-stage"); }

  get big() { return this.staged ? Math.max(1, innerHeight / 570) : 1; }

  // The view that somebody chose stays when the chart is taken down for 3-D and put up again.
  keepView() {
    this.views ??= {};
    const wanted = this.views[this.solid ? "solid" : "flat"];
    const { layout } = this.figure.space;
    if (wanted && this.solid) layout.scene.camera = wanted;
    else if (wanted) ["xaxis", "yaxis"].forEach((axis, k) => { layout[axis].range = wanted[k]; });
  }

  drawSpace() {
    const count = this.charts.space.data.length;
    const axes = this.solid ? ["x", "y", "z"] : ["x", "y"];
    const { trail, voice } = this.hello.space;
    const groups = [this.strangers.map((step) => step.at), trail.map((step) => step.at), voice ? [voice.at] : []];
    const changes = Object.fromEntries(axes.map((axis, k) => [axis, groups.map((points) => points.map((point) => point[k]))]));
    const color = (voice ?? trail[trail.length - 1])?.color ?? "gray";
    const sizes = this.figure.space.data.slice(-3).map((trace) => trace.marker.size * this.big);
    const age = trail.map((_, k) => (k + 1) / trail.length);  // 1 is now
    // One opacity a point: Plotly's 3-D markers know none, there it is part of the color.
    const faded = this.solid ? trail.map((step, k) => fade(step.color, 0.15 + 0.85 * age[k])) : trail.map((step) => step.color);
    changes["marker.color"] = [this.figure.space.data[count - 3].marker.color, faded, color];
    changes["marker.size"] = [sizes[0], age.map((at) => sizes[1] * (0.5 + 0.5 * at)), sizes[2]];
    changes["line.color"] = [color, this.solid ? fade(color, 0.35) : color, color];
    changes.hovertext = [this.strangers.map((step) => step.text), "", voice ? [voice.text] : []];
    if (!this.solid) changes["marker.opacity"] = [0.55, age.map((at) => 0.12 + 0.7 * at), 1];
    this.Plotly.restyle(this.charts.space, changes, [count - 3, count - 2, count - 1]);
    this.placeNames();
  }

  // The name of who speaks is always there, another where it covers no other name; the rest are told on hover.
  placeNames() {
    const box = this.charts.space;
    const at = box.data.length - 4;
    const { text } = this.figure.space.data[at];
    const spots = this.spots(this.figure.space.data[at]);
    if (!text.length || !spots) return;
    const speaking = this.hello.people.findIndex((person) => person.name === this.hello.now.name);
    const placed = this.clearOfEachOther(spots, text.map((name) => name.replace("<br> ", "")), speaking);
    const { xaxis, yaxis } = box._fullLayout;
    // No place rather than no text in 2-D: Plotly takes an empty text's element away for good.
    const moved = this.solid
      ? { text: [text.map((name, k) => (placed[k] ? name : ""))],
          textposition: [placed.map((place) => (place?.below ? "bottom center" : "top center"))] }
      : { x: [placed.map((place) => (place ? xaxis.p2l(place.x) : null))], y: [placed.map((place) => (place ? yaxis.p2l(place.y) : null))] };
    this.shownNames = placed.map(Boolean);
    const said = JSON.stringify(moved);
    if (said === this.namesSaid) return;
    this.namesSaid = said;
    this.Plotly.restyle(box, moved, [at]);
  }

  // Pixels of points, such as the middles of the clusters; null where one is out of sight, undefined before
  // the chart is drawn.
  spots(points) { return this.solid ? this.spotsInSpace(points) : this.spotsOnPlane(points); }

  spotsOnPlane({ x, y }) {
    const { xaxis, yaxis } = this.charts.space._fullLayout;
    return x.map((value, k) => {
      const spot = { x: xaxis.l2p(value), y: yaxis.l2p(y[k]), width: xaxis._length, height: yaxis._length };
      return spot.x >= 0 && spot.x <= spot.width && spot.y >= 0 && spot.y <= spot.height ? spot : null;
    });
  }

  spotsInSpace({ x, y, z }) {
    const { glplot, dataScale } = this.charts.space._fullLayout.scene._scene ?? {};
    if (!glplot?.cameraParams) return undefined;
    const { model, view, projection } = glplot.cameraParams;
    const times = (m, v) => [0, 1, 2, 3].map((row) => [0, 1, 2, 3].reduce((sum, k) => sum + m[4 * k + row] * v[k], 0));
    const { clientWidth: width, clientHeight: height } = this.charts.space;
    return x.map((value, k) => {
      const [right, up, , depth] = times(projection, times(view, times(model, [value * dataScale[0], y[k] * dataScale[1], z[k] * dataScale[2], 1])));
      return { x: (1 + right / depth) / 2 * width, y: (1 - up / depth) / 2 * height, width, height };
    });
  }

  strangerBoxes() {
    const [x, y, z] = [0, 1, 2].map((axis) => this.strangers.map((step) => step.at[axis]));
    const reach = this.figure.space.data.at(-3).marker.size * this.big;
    return this.spots({ x, y, z }).filter(Boolean).map((spot) => around(spot, reach));
  }

  // Of each person the boxes around what was enrolled.
  clusterBoxes() {
    const reach = CLEAR_PX * this.big;
    return this.figure.space.data.slice(0, -4).map((trace) => this.spots(trace).filter(Boolean).map((spot) => around(spot, reach)));
  }

  // Places beside all of a cluster, where those at its middle are taken: above, below, right, left, as [dx, dy].
  outside(k, middle, half, high) {
    const points = this.spots(this.figure.space.data[k]).filter(Boolean);
    if (!points.length) return [];
    const gap = CLEAR_PX * this.big + 2, xs = points.map(({ x }) => x - middle.x), ys = points.map(({ y }) => y - middle.y);
    return [[0, Math.min(...ys) - gap - high], [0, Math.max(...ys) + gap + high], [Math.max(...xs) + gap + half, 0], [Math.min(...xs) - gap - half, 0]];
  }

  // For each name the middle of its place in pixels, or undefined where there is none. Who had a place keeps it
  // before others get one, so that names do not come and go.
  clearOfEachOther(spots, names, speaking) {
    const size = NAME_PX * this.big;
    const pen = (this.pen ??= document.createElement("canvas").getContext("2d"));
    pen.font = `${size}px ${this.family}`;
    const rank = (k) => (k === speaking ? 0 : this.shownNames?.[k] ? 1 : 2);
    const order = names.map((_, k) => k).sort((a, b) => rank(a) - rank(b) || a - b);
    const taken = [], placed = names.map(() => undefined);
    const clusters = this.clusterBoxes(), strangers = this.strangerBoxes();
    for (const k of order) {
      const spot = spots[k];
      if (!spot) continue;
      const half = pen.measureText(names[k]).width / 2 + 3, high = size * 0.7, off = size * 0.9;
      const places = [[0, -off - high], [0, off + high], [off + half, 0], [-off - half, 0]].slice(0, this.solid ? 2 : 4)
        .concat(this.solid ? [] : this.outside(k, spot, half, high))
        .map(([dx, dy]) => ({ below: dy > 0, x: spot.x + dx, y: spot.y + dy, left: spot.x + dx - half, right: spot.x + dx + half, top: spot.y + dy - high, bottom: spot.y + dy + high }));
      const inside = places.filter((box) => box.left >= 0 && box.right <= spot.width && box.top >= 0 && box.bottom <= spot.height);
      const free = inside.filter((box) => taken.every((other) => apart(box, other)));
      // Never on another person's cluster: it would be taken for that one's name.
      const covers = (box) => clusters.reduce((sum, points, j) => sum + (j === k ? 0 : points.filter((point) => !apart(box, point)).length), 0);
      const clear = free.filter((box) => !covers(box));
      const best = clear.find((box) => strangers.every((point) => apart(box, point))) ?? clear[0]
        ?? (k === speaking ? (inside.length ? inside : places).sort((a, b) => covers(a) - covers(b))[0] : undefined);
      if (!best) continue;
      taken.push(best);
      placed[k] = best;
    }
    return placed;
  }

  turn() {
    this.solid = !this.solid;
    this.find(".live-3d").setAttribute("aria-pressed", String(this.solid));
    if (!this.built) return;
    const { scene, xaxis, yaxis } = this.charts.space._fullLayout;
    if (this.solid) (this.views ??= {}).flat = [xaxis.range.slice(), yaxis.range.slice()];
    else (this.views ??= {}).solid = scene._scene.getCamera();
    this.Plotly.purge(this.charts.space);
    this.build();
  }}
