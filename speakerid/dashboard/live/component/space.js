// The embedding space: the current voice and its trail, strangers, and names that keep out of each other's way.

import { around, clearOfEachOther } from "./labels.js";

const fade = (color, opacity) => color + Math.round(255 * opacity).toString(16).padStart(2, "0");
const NAME_PX = 15;  // as in the figure
const CLEAR_PX = 6;  // around the middle of a cluster

export class Space {
  constructor(board) {
    this.board = board;
    this.views = {};
  }

  get box() { return this.board.boxes.space; }

  get figure() { return this.board.charts.figure.space; }

  // The view that somebody chose stays when the chart is taken down for 3-D and put up again.
  keepView({ layout }) {
    const wanted = this.views[this.solid ? "solid" : "flat"];
    if (wanted && this.solid) layout.scene.camera = wanted;
    else if (wanted) ["xaxis", "yaxis"].forEach((axis, k) => { layout[axis].range = wanted[k]; });
  }

  draw() {
    const count = this.box.data.length;
    const axes = this.solid ? ["x", "y", "z"] : ["x", "y"];
    const { trail, voice } = this.board.hello.space;
    const groups = [this.board.strangers.map((step) => step.at), trail.map((step) => step.at), voice ? [voice.at] : []];
    const changes = Object.fromEntries(axes.map((axis, k) => [axis, groups.map((points) => points.map((point) => point[k]))]));
    const color = (voice ?? trail[trail.length - 1])?.color ?? "gray";
    const sizes = this.figure.data.slice(-3).map((trace) => trace.marker.size * this.board.big);
    const age = trail.map((_, k) => (k + 1) / trail.length);  // 1 is now
    // One opacity a point: Plotly's 3-D markers know none, there it is part of the color.
    const faded = this.solid ? trail.map((step, k) => fade(step.color, 0.15 + 0.85 * age[k])) : trail.map((step) => step.color);
    changes["marker.color"] = [this.figure.data[count - 3].marker.color, faded, color];
    changes["marker.size"] = [sizes[0], age.map((at) => sizes[1] * (0.5 + 0.5 * at)), sizes[2]];
    changes["line.color"] = [color, this.solid ? fade(color, 0.35) : color, color];
    changes.hovertext = [this.board.strangers.map((step) => step.text), "", voice ? [voice.text] : []];
    if (!this.solid) changes["marker.opacity"] = [0.55, age.map((at) => 0.12 + 0.7 * at), 1];
    this.board.Plotly.restyle(this.box, changes, [count - 3, count - 2, count - 1]);
    this.placeNames();
  }

  // The name of who speaks is always there, another where it covers no other name; the rest are told on hover.
  placeNames() {
    const { box } = this;
    const at = box.data.length - 4;
    const { text } = this.figure.data[at];
    const spots = this.spots(this.figure.data[at]);
    if (!text.length || !spots) return;
    const speaking = this.board.hello.people.findIndex((person) => person.name === this.board.hello.now.name);
    const placed = this.place(spots, text.map((name) => name.replace("<br> ", "")), speaking);
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
    this.board.Plotly.restyle(box, moved, [at]);
  }

  // Pixels of points, such as the middles of the clusters; null where one is out of sight, undefined before
  // the chart is drawn.
  spots(points) { return this.solid ? this.spotsInSpace(points) : this.spotsOnPlane(points); }

  spotsOnPlane({ x, y }) {
    const { xaxis, yaxis } = this.box._fullLayout;
    return x.map((value, k) => {
      const spot = { x: xaxis.l2p(value), y: yaxis.l2p(y[k]), width: xaxis._length, height: yaxis._length };
      return spot.x >= 0 && spot.x <= spot.width && spot.y >= 0 && spot.y <= spot.height ? spot : null;
    });
  }

  spotsInSpace({ x, y, z }) {
    const { glplot, dataScale } = this.box._fullLayout.scene._scene ?? {};
    if (!glplot?.cameraParams) return undefined;
    const { model, view, projection } = glplot.cameraParams;
    const times = (m, v) => [0, 1, 2, 3].map((row) => [0, 1, 2, 3].reduce((sum, k) => sum + m[4 * k + row] * v[k], 0));
    const { clientWidth: width, clientHeight: height } = this.box;
    return x.map((value, k) => {
      const [right, up, , depth] = times(projection, times(view, times(model, [value * dataScale[0], y[k] * dataScale[1], z[k] * dataScale[2], 1])));
      return { x: (1 + right / depth) / 2 * width, y: (1 - up / depth) / 2 * height, width, height };
    });
  }

  strangerBoxes() {
    const [x, y, z] = [0, 1, 2].map((axis) => this.board.strangers.map((step) => step.at[axis]));
    const reach = this.figure.data.at(-3).marker.size * this.board.big;
    return this.spots({ x, y, z }).filter(Boolean).map((spot) => around(spot, reach));
  }

  // Of each person the boxes around what was enrolled.
  clusterBoxes() {
    const reach = CLEAR_PX * this.board.big;
    return this.figure.data.slice(0, -4).map((trace) => this.spots(trace).filter(Boolean).map((spot) => around(spot, reach)));
  }

  // Places beside all of a cluster, where those at its middle are taken: above, below, right, left, as [dx, dy].
  outside(k, middle, half, high) {
    const points = this.spots(this.figure.data[k]).filter(Boolean);
    if (!points.length) return [];
    const gap = CLEAR_PX * this.board.big + 2, xs = points.map(({ x }) => x - middle.x), ys = points.map(({ y }) => y - middle.y);
    return [[0, Math.min(...ys) - gap - high], [0, Math.max(...ys) + gap + high], [Math.max(...xs) + gap + half, 0], [Math.min(...xs) - gap - half, 0]];
  }

  place(spots, names, speaking) {
    const size = NAME_PX * this.board.big;
    const pen = (this.pen ??= document.createElement("canvas").getContext("2d"));
    pen.font = `${size}px ${this.board.family}`;
    return clearOfEachOther({
      spots, size, speaking, shown: this.shownNames, few: this.solid,
      wide: (k) => pen.measureText(names[k]).width / 2 + 3,
      clusters: this.clusterBoxes(), strangers: this.strangerBoxes(),
      more: (k, half, high) => this.outside(k, spots[k], half, high),
    });
  }

  // The chart is new: what was written on it is gone.
  forgetNames() { this.namesSaid = undefined; }

  turn() {
    this.solid = !this.solid;
    this.board.find(".live-3d").setAttribute("aria-pressed", String(this.solid));
    if (!this.board.charts.built) return;
    const { scene, xaxis, yaxis } = this.box._fullLayout;
    if (this.solid) this.views.flat = [xaxis.range.slice(), yaxis.range.slice()];
    else this.views.solid = scene._scene.getCamera();
    this.board.Plotly.purge(this.box);
    this.board.charts.build();
  }
}
