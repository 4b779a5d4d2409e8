import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, around, clearOfEachOther, fitting, rollingNames } from "../../../../speakerid/dashboard/live/component/labels.js";

const seconds = (count) => Array.from({ length: count }, (_, at) => (at - count + 1) / 5);
const people = [{ name: "Ana <b>" }, { name: "Maximiliane Wolkenstein" }];

test("names stand above the line that is on top, the latest surely, and are cut where room is short", () => {
  const ago = seconds(300), half = ago.map((at) => (at < -30 ? 0.9 : 0.1));
  const scores = [half, half.map((p) => 1 - p)];
  const roomy = rollingNames(ago, scores, people, 0.3);
  assert.deepEqual(roomy.text, ["Maximiliane Wolke…", "Ana &lt;b&gt;"]);
  assert.ok(roomy.x[1] < roomy.x[0]);
  const tight = rollingNames(ago, scores, people, 8);
  assert.ok(tight.text[0].length < 18 && tight.text[0].startsWith("Maxi"), tight.text[0]);
});

test("a glimpse of somebody, and nobody, get no name", () => {
  const ago = seconds(20);
  assert.deepEqual(rollingNames(ago, [ago.map((_, k) => (k === 10 ? 1 : 0)), ago.map(() => 0)], people, 0.1).text, []);
});

const spot = (x, y) => ({ x, y, width: 400, height: 300 });
const placing = { wide: () => 40, size: 15, speaking: -1, clusters: [[], []], strangers: [], more: () => [], few: false };

test("names keep clear of each other and of other people's clusters", () => {
  const placed = clearOfEachOther({ ...placing, spots: [spot(200, 150), spot(205, 152)] });
  assert.ok(apart(placed[0], placed[1]));
  const beside = around({ x: 200, y: 130 }, 8);  // of the other person, where the name would go first
  const [kept] = clearOfEachOther({ ...placing, spots: [spot(200, 150), null], clusters: [[], [beside]] });
  assert.ok(apart(kept, beside));
});

test("who speaks has a name even where there is no room, others have none there", () => {
  const crowd = Array.from({ length: 9 }, () => spot(30, 30));
  const placed = clearOfEachOther({ ...placing, spots: crowd, clusters: crowd.map(() => []), speaking: 8 });
  assert.ok(placed[8]);
  assert.ok(placed.filter(Boolean).length < 9);
});

test("a long name is written in two lines, a short one in one", () => {
  const wide = (text) => text.length * 0.6;
  assert.ok(Math.abs(fitting("Al", 600, 115, wide) - 100) < 1e-9);
  assert.ok(fitting("Maximiliane Wolkenstein", 600, 115, wide) >= 115 / 2.3);
});
