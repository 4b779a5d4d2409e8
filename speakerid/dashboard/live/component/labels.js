// Where names are written so that they stay out of each other's way. No page is needed to work that out.

export const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
export const around = ({ x, y }, reach) => ({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach });

const GLIMPSE_S = 1.5;  // a line that is on top for less gets no name
const LENGTHS = [18, 9, 6, 4, 2];  // letters to which a name is cut until it fits

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

// Whose line is on top, above it: color alone tells nothing. The latest come first where room is short, and a
// name is cut where all of it does not fit. `ago` are the seconds of the points, at most 0; `scores[k]` the
// probabilities of person k; `letter` the seconds that a letter is wide.
export function rollingNames(ago, scores, people, letter) {
  const found = { x: [], y: [], text: [] };
  let free = 0;  // names lie before this
  const lead = ago.map((_, at) => scores.findIndex((row) => row[at] >= 0.5));
  for (let to = lead.length, from; to > 0; to = from) {
    from = to - 1;
    while (from > 0 && lead[from - 1] === lead[to - 1]) from--;
    if (lead[from] < 0) continue;
    const last = Math.min(to, ago.length - 1);
    if (ago[last] - ago[from] < GLIMPSE_S) continue;
    const name = [...people[lead[from]].name];
    for (const most of LENGTHS) {
      const text = name.length > most ? `${name.slice(0, most - 1).join("")}${most > 2 ? "…" : ""}` : name.join("");
      const half = letter * ([...text].length + 1) / 2;
      const at = Math.min((ago[from] + ago[last]) / 2, free - half);
      if (at < ago[from] - 0.3 * half || at - half < ago[0] - 60) continue;
      free = at - half;
      found.x.push(at); found.y.push(1.1); found.text.push(escaped(text));
      break;
    }
  }
  return found;
}

// For each name the place of its middle in pixels, or undefined where there is none. Who had a place keeps it
// before others get one, so that names do not come and go; who speaks always has one.
//
//   spots: of each name {x, y, width, height}, or null where it is out of sight    wide(k): pixels of its half
//   size: of the letters    clusters: of each person boxes to keep off    strangers: boxes, kept off if possible
//   more(k, half, high): further places as [dx, dy]    few: only above and below
export function clearOfEachOther({ spots, wide, size, speaking, shown, clusters, strangers, more, few }) {
  const rank = (k) => (k === speaking ? 0 : shown?.[k] ? 1 : 2);
  const order = spots.map((_, k) => k).sort((a, b) => rank(a) - rank(b) || a - b);
  const taken = [], placed = spots.map(() => undefined);
  const high = size * 0.7, off = size * 0.9;
  for (const k of order) {
    const spot = spots[k];
    if (!spot) continue;
    const half = wide(k);
    const places = [[0, -off - high], [0, off + high], [off + half, 0], [-off - half, 0]].slice(0, few ? 2 : 4)
      .concat(few ? [] : more(k, half, high))
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

// Pixels of letters with which a text fills a box in one line or two. `wide(text)` is its width in letters' heights.
export function fitting(text, width, height, wide) {
  const middle = text.length / 2;
  const gaps = [...text.matchAll(/\s+/g)].map((gap) => gap.index).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  const cut = gaps[0] ?? (text.length > 14 ? Math.ceil(middle) : text.length);  // short words stay whole
  const one = Math.min(height / 1.15, width / wide(text));
  const two = Math.min(height / 2.3, width / Math.max(wide(text.slice(0, cut)), wide(text.slice(cut).trim())));
  return Math.max(one, two);
}
