import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { mock, test } from "node:test";

const HOME = new URL("../../../../speakerid/dashboard/live/component/", import.meta.url);
const part = (name) => import(new URL(name, HOME));

test("every module loads without a page, and finds what it imports", async () => {
  for (const name of readdirSync(HOME).filter((one) => one.endsWith(".js"))) await part(name);
});

test("one text for each topic, a late one may be taken back, a short one goes by itself", async () => {
  const { Notices } = await part("notices.js");
  mock.timers.enable({ apis: ["setTimeout"] });
  const box = {}, notices = new Notices(box);
  notices.say("link", "lost");
  notices.say("microphone", "denied");
  assert.equal(box.textContent, "lost denied");
  notices.say("link", "", 0);
  notices.say("late", "connecting", 1500);
  notices.say("late", "");
  mock.timers.tick(2000);
  assert.equal(box.textContent, "denied");
  notices.say("kept", "not kept", 0, 6000);
  mock.timers.tick(6000);
  notices.say("microphone", "");
  assert.deepEqual([box.textContent, box.hidden], ["", true]);
  mock.timers.reset();
});

const device = (deviceId, groupId, kind = "audioinput") => ({ deviceId, groupId, kind });

test("the device behind the default one is known by its group, and only its going is told", async () => {
  const { Microphone, ownDevices } = await part("microphone.js");
  let there = [device("default", "g1"), device("a", "g1"), device("b", "g2"), device("x", "g1", "audiooutput")];
  const devices = { enumerateDevices: async () => there };
  const track = { readyState: "live", getSettings: () => ({ deviceId: "default", groupId: "g1" }), addEventListener() {} };
  assert.deepEqual(await ownDevices(devices, track), ["a"]);
  const said = [], microphone = new Microphone({ say: (topic, text) => said.push(text) });
  microphone.words = { unplugged: "gone" };
  await microphone.opened(devices, track);
  there = there.filter(({ deviceId }) => deviceId !== "b");
  await microphone.look(devices);
  assert.equal(said.at(-1), "");
  there = there.filter(({ deviceId }) => deviceId !== "a");
  await microphone.look(devices);
  assert.equal(said.at(-1), "gone");
});

test("the state takes what is new: points once, turns from where they changed", async () => {
  const { State } = await part("state.js");
  const state = new State();
  state.greet({ people: [{}, {}], rolling: { t: [1, 2], p: [[1, 0], [0, 1]] } });
  assert.deepEqual(state.scores, [[1, 0], [0, 1]]);
  state.take({ point: { t: 2, p: [9, 9] } });
  state.take({ point: { t: 60002, p: [0.5, 0.5] } });
  assert.deepEqual([state.times, state.scores[0]], [[2, 60002], [0, 0.5]]);
  state.take({ turns: { from: 0, rows: ["a", "b"], totals: 2 } });
  state.take({ turns: { from: 1, rows: ["c"], totals: 2 } });
  assert.deepEqual([state.rows, state.takeFirstChanged(), state.takeFirstChanged()], [["a", "c"], 0, 0]);
  assert.ok(state.dirty.log && state.dirty.rolling);
});
