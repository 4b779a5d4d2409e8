import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Link } from "../../../../speakerid/dashboard/live/component/link.js";

let sockets, told, answer;

class Socket {
  static OPEN = 1;
  constructor(url) { this.url = url; this.sent = []; this.readyState = 1; sockets.push(this); }
  close() { this.closed = true; }
  send(text) { this.sent.push(JSON.parse(text)); }
}

beforeEach(() => {
  sockets = [];
  told = [];
  answer = { ok: true, status: 200, json: true };
  globalThis.WebSocket = Socket;
  globalThis.location = { protocol: "https:", host: "here" };
  globalThis.fetch = async () => {
    if (!answer) throw new TypeError("away");
    return { ok: answer.ok, status: answer.status, headers: { get: () => (answer.json ? "application/json" : "text/html") } };
  };
});

function linked() {
  const note = (what) => (given) => told.push([what, given?.kind ?? given]);
  const link = new Link(Object.fromEntries(["hello", "update", "failed", "blocked", "notice"].map((one) => [one, note(one)])));
  link.open("abc");
  return link;
}
const come = (message) => sockets.at(-1).onmessage({ data: JSON.stringify(message) });
const ofKind = (kind) => told.filter(([what]) => what === kind).map(([, given]) => given);

test("it greets before it takes updates, over a socket as safe as the page", () => {
  const link = linked();
  assert.equal(sockets[0].url, "wss://here/api/live/abc");
  come({ kind: "update" });
  assert.deepEqual(ofKind("update"), []);
  come({ kind: "hello" });
  come({ kind: "update" });
  assert.deepEqual([...ofKind("hello"), ...ofKind("update")], ["hello", "update"]);
  link.send({ drawn: 1 });
  assert.deepEqual(sockets[0].sent, [{ drawn: 1 }]);
});

test("lost, it waits longer each time, says so once greeted, and what comes late from before is nothing", async () => {
  const link = linked();
  come({ kind: "hello" });
  await link.retry();
  await link.retry();
  assert.ok(link.wait > 800 && ofKind("notice").includes("lost"));
  const old = sockets[0];
  link.connect();
  old.onmessage({ data: '{"kind": "update"}' });
  assert.deepEqual(ofKind("update"), []);
  come({ kind: "hello" });
  assert.equal(link.wait, 300);
  link.end();
});

test("a session that is gone is reported once; an answer that is none blocks, and a hello ends that", async () => {
  const link = linked();
  answer = { ok: false, status: 404, json: true };
  await link.retry();
  await link.retry();
  assert.deepEqual(ofKind("failed"), ["gone abc"]);
  answer = { ok: true, status: 200, json: false };
  await link.retry();
  assert.deepEqual([ofKind("failed").at(-1), ofKind("blocked").at(-1)], ["blocked abc", true]);
  come({ kind: "hello" });
  assert.deepEqual([ofKind("failed").at(-1), ofKind("blocked").at(-1)], ["", false]);
  link.end();
});

test("four refusals in a row block, an absent server never", async () => {
  const link = linked();
  for (let k = 0; k < 4; k++) await link.retry();
  assert.equal(ofKind("blocked").at(-1), true);
  const other = linked();
  told = [];
  answer = null;
  for (let k = 0; k < 9; k++) await other.retry();
  assert.deepEqual(ofKind("blocked"), []);
  link.end(); other.end();
  assert.ok(sockets.at(-1).closed);
});
