// What the views of conversations compute, without a browser and without a hub.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answerTo, newDraft, sendOf } from "../../web/dashboard/conversations/draft.js";
import { draftTo, forgetAll, putAside, whose } from "../../web/dashboard/conversations/drafts.js";
import { begun, feedLimit, shown, waitingLimit, waitingText, withNewer, withOlder, withSkipped } from "../../web/dashboard/conversations/feed.js";
import { FeedReader } from "../../web/dashboard/conversations/feed_reader.js";
import { activeFilters, addressOf, filtersOf, noFilters, receiverFilter, receiverText, rowOf } from "../../web/dashboard/conversations/filters.js";
import { ExactNumber, jsonText, parseExactly } from "../../web/dashboard/conversations/exact_json.js";
import { compact, foldedLabel, membersOf, previewOf, shownOf, startsOpen } from "../../web/dashboard/conversations/payload.js";
import { publishCommand } from "../../web/dashboard/conversations/sources.js";
import { fitting, mostOffered } from "../../web/dashboard/conversations/suggestions.js";
import { levels, matrixOf } from "../../web/dashboard/conversations/talk_matrix.js";
import { aboveOf, branchesOf, unfolded } from "../../web/dashboard/conversations/thread_tree.js";
import { isPlain, plainName, present, presentName } from "../../web/dashboard/base/visible_text.js";

const message = (seq, more = {}) => ({
  id: `m${seq}`, seq, from: "alice", to: "bob", type: "chat", payload: { text: `number ${seq}` }, reply_to: null,
  timestamp: seq * 1000, ...more,
});
const row = (seq, more = {}) => rowOf(message(seq, more));
/** Rows from `first` down to `last`. */
const rows = (first, last) => Array.from({ length: first - last + 1 }, (_, i) => row(first - i));
const text = (pieces) => pieces.map((piece) => piece.text ?? `<${piece.mark}>`).join("");

test("plain text of any language stays as it is", () => {
  for (const plain of ["", "hello\nworld\ttab", "שלום עולם", "می‌خواهم", "👩‍👩‍👧 👍🏽", "नमस्ते", "e\u0301"]) {
    assert.deepEqual(present(plain), { pieces: plain === "" ? [] : [{ text: plain }], next: null });
  }
});

test("what turns the direction, hides or moves the cursor becomes a mark that says what it was", () => {
  const { pieces } = present("user\u202Egnp.exe\u2066 a\u0000b\u001b[2J \ud800 \u{e0041}");
  assert.equal(text(pieces), "user<U+202E>gnp.exe<U+2066> a<U+0000>b<U+001B>[2J <U+D800> <U+E0041>");
  assert.equal(pieces[1].title, "right-to-left override (U+202E)");
  assert.equal(text(present("a\r\nb\rc").pieces), "a\nb<U+000D>c");
});

test("many marks in a row are one, and towers of combining characters too", () => {
  assert.equal(text(present("a" + "\u202e".repeat(4000) + "b").pieces), "a<U+202E ×4000>b");
  assert.equal(text(present("z" + "\u0335".repeat(300) + "!").pieces), "z<300 combining>!");
});

test("a text is given out in portions by length, lines and marks, and nothing is lost between them", () => {
  const whole = "x".repeat(50) + "\n".repeat(30) + "\u202e\u2066".repeat(20) + "👍".repeat(30);
  let told = "";
  let portions = 0;
  for (let from = 0; from !== null; ++portions) {
    const { pieces, next } = present(whole, from, { characters: 33, lines: 10, marks: 7 });
    told += text(pieces).replace(/<U\+202E>/g, "\u202e").replace(/<U\+2066>/g, "\u2066");
    assert.ok(next === null || next > from);
    from = next;
  }
  assert.equal(told, whole);
  assert.ok(portions > 8, `${portions}`);
});

test("a megabyte of hostile text is looked at a portion at a time", () => {
  const { pieces, next } = present("\u202ea".repeat(500_000));
  assert.ok(pieces.length <= 1001);
  assert.ok(next < 2000);
});

test("a name stays on one line", () => {
  assert.equal(text(presentName("eve\n\tadmin")), "eve<U+000A><U+0009>admin");
  assert.equal(plainName("a\u202eb"), "a[U+202E]b");
  assert.deepEqual(["alice", "שלום", "ä ö", "a\u202eb", "a\nb"].map(isPlain), [true, true, true, false, false]);
});

test("a payload's text is read first, and what else it holds is JSON", () => {
  assert.deepEqual(shownOf("plain"), { text: "plain", rest: undefined });
  assert.deepEqual(shownOf({ text: "hi" }), { text: "hi", rest: undefined });
  assert.deepEqual(shownOf([1, 2]), { text: null, rest: [1, 2] });
  assert.deepEqual(shownOf({ text: 7 }), { text: null, rest: { text: 7 } });
  const { text: read, rest } = shownOf(JSON.parse('{"text":"hi","__proto__":{"polluted":true},"n":1}'));
  assert.equal(read, "hi");
  assert.deepEqual(Object.keys(rest), ["__proto__", "n"]);
  assert.equal(rest.polluted, undefined);
});

test("a preview is one bounded line", () => {
  assert.equal(previewOf({ text: "two\n  lines" }), "two lines");
  assert.equal(previewOf({ a: 1, b: [true, null] }), '{"a": 1, "b": [true, null]}');
  assert.equal(previewOf({ text: "y".repeat(1_000_000) }).length, 241);
  assert.ok(previewOf(Array(500_000).fill({ deep: "x".repeat(10) })).length <= 241);
  assert.equal(compact("👍👍", 2), '"…', "no half of a character is left");
});

test("JSON is folded, the outermost and small parts open", () => {
  assert.equal(foldedLabel([1]), "1 item");
  assert.equal(foldedLabel({ a: 1, b: 2 }), "2 members");
  assert.equal(startsOpen({}, 0), true);
  assert.equal(startsOpen(Array(9).fill(0), 1), false);
  assert.equal(startsOpen([1], 3), false);
  assert.deepEqual(membersOf({ a: 1, b: 2 }, 1), [{ key: "a", value: 1 }]);
  assert.deepEqual(membersOf(["x"], 5), [{ key: null, value: "x" }]);
});

test("filters are what stands in the address, cut to what the hub takes", () => {
  const filters = { ...noFilters, from: "alice", channel: "build", text: " a&b=c #" };
  assert.deepEqual(filtersOf(new URLSearchParams(addressOf(filters))), filters);
  assert.deepEqual(activeFilters(filters), ["from", "channel", "text"]);
  assert.equal(filtersOf(new URLSearchParams("channel=%23%23build&from=%20x%20")).channel, "build");
  assert.equal(filtersOf(new URLSearchParams({ text: "x".repeat(999) })).text.length, 256);
  assert.equal(filtersOf(new URLSearchParams({ text: "é👍".repeat(999) })).text, "é👍".repeat(42) + "é", "bytes, and whole characters");
});

test("receivers are agents, channels or everyone", () => {
  assert.equal(receiverText(row(1)), "bob");
  assert.equal(receiverText(row(1, { to: null, channel: "build" })), "#build");
  assert.equal(receiverText(row(1, { to: null })), "everyone");
  assert.equal(receiverText(row(1, { to: "broadcast" })), "everyone");
  assert.deepEqual(receiverFilter("#build"), { channel: "build" });
  assert.deepEqual(receiverFilter("*"), { to: "broadcast" });
});

test("a command with a channel's name does what it says and nothing else", () => {
  assert.equal(publishCommand("builds"), "agentcom publish builds 'hello'");
  assert.equal(publishCommand("x;touch pwned"), "agentcom publish 'x;touch pwned' 'hello'");
});

test("a feed grows at both ends without gaps or doubles", () => {
  let feed = begun(rows(20, 11), 20, 11);
  feed = withOlder(feed, rows(12, 5), 5);
  assert.deepEqual(feed.rows.map(({ seq }) => seq), Array.from({ length: 16 }, (_, i) => 20 - i));
  assert.equal(feed.older, 5);
  feed = withNewer(feed, rows(22, 20), 25);
  assert.equal(waitingText(feed), "2 new messages");
  assert.equal(feed.newest, 25);
  assert.equal(feed.rows[0].seq, 20, "nothing moves while one reads");
  feed = withNewer(feed, rows(23, 22), 26);
  feed = shown(feed);
  assert.deepEqual(feed.rows.slice(0, 4).map(({ seq }) => seq), [23, 22, 21, 20]);
  assert.equal(waitingText(feed), "");
});

test("a feed holds so many messages and no more, and says when some were passed over", () => {
  let feed = begun(rows(feedLimit, 1), feedLimit, null);
  feed = withNewer(feed, rows(feedLimit + 10, feedLimit + 1), feedLimit + 10);
  feed = shown(feed);
  assert.equal(feed.rows.length, feedLimit);
  assert.equal(feed.rows.at(-1).seq, 11);
  assert.equal(feed.older, 11, "what was dropped can be asked for again");
  feed = withNewer(feed, rows(feedLimit + 1000, feedLimit + 11), feedLimit + 1000);
  assert.equal(feed.waiting.length, waitingLimit);
  assert.equal(waitingText(feed), "More than 500 new messages");
  assert.equal(waitingText(withSkipped(begun([], 1, null), 9)), "Many new messages");
});

test("a thread is a tree: answers follow what they answer, in the order of the log", () => {
  const branches = branchesOf([
    row(1), row(2, { reply_to: "m1" }), row(3, { reply_to: "m1" }), row(4, { reply_to: "m2" }),
    row(5, { reply_to: "elsewhere" }),
  ]);
  assert.deepEqual(branches.map(({ message: { id }, depth, below, missing }) => [id, depth, below, missing]), [
    ["m1", 0, 3, false], ["m2", 1, 1, false], ["m4", 2, 0, false], ["m3", 1, 0, false], ["m5", 0, 0, true],
  ]);
  assert.deepEqual(unfolded(branches, new Set(["m2"])).map(({ message: { id } }) => id), ["m1", "m2", "m3", "m5"]);
  assert.equal(aboveOf(branches, 2), "m2");
  assert.equal(aboveOf(branches, 0), null);
});

test("messages that answer one another in a circle, themselves, or twice are each shown once", () => {
  const branches = branchesOf([
    row(1, { reply_to: "m3" }), row(2, { reply_to: "m1" }), row(3, { reply_to: "m2" }), row(4, { reply_to: "m4" }),
    row(2, { reply_to: "m1" }), row(5, { reply_to: "m3" }),
  ]);
  assert.deepEqual(branches.map(({ message: { id }, depth }) => [id, depth]),
    [["m1", 0], ["m2", 1], ["m3", 2], ["m5", 3], ["m4", 0]]);
  assert.deepEqual(branches.map(({ below }) => below), [3, 2, 1, 0, 0]);
});

test("a chain of ten thousand answers is no deeper recursion", () => {
  const chain = Array.from({ length: 10_000 }, (_, i) => row(i + 1, { reply_to: i === 0 ? null : `m${i}` }));
  const branches = branchesOf(chain);
  assert.equal(branches.at(-1).depth, 9999);
  assert.equal(branches[0].below, 9999);
});

const pair = (from, to, messages) => ({ from, to, messages, bytes: messages * 10, last_at: 1 });

test("who talks to whom is a matrix: agents across the diagonal, then channels, then everyone", () => {
  const matrix = matrixOf([
    pair("a", "*", 1), pair("a", "#build", 3), pair("a", "b", 100), pair("b", "a", 10), pair("b", "c", 200),
  ]);
  assert.deepEqual(matrix.senders, ["b", "a"]);
  assert.deepEqual(matrix.receivers, ["b", "a", "c", "#build", "*"]);
  assert.equal(matrix.messages, 314);
  const busiest = matrix.cells.find(({ from, to }) => from === "b" && to === "c");
  assert.equal(busiest.level, levels);
  assert.equal(matrix.cells.find(({ to }) => to === "*").level, 1);
});

test("the matrix keeps who is shown in place, and says what it has no room for", () => {
  const before = matrixOf([pair("a", "b", 10), pair("b", "a", 5)]);
  const after = matrixOf([pair("a", "b", 10), pair("b", "a", 50), pair("c", "a", 99)], before);
  assert.deepEqual(before.senders, ["a", "b"]);
  assert.deepEqual(after.senders, ["a", "b", "c"]);
  const small = matrixOf([pair("a", "b", 10), pair("b", "a", 5), pair("c", "a", 1)], null, 2);
  assert.deepEqual(small.senders, ["a", "b"]);
  assert.equal(small.leftOut, 1);
});

test("an answer goes where it is read", () => {
  assert.equal(answerTo(row(1), "carol").to, "alice");
  assert.equal(answerTo(row(1), "alice").to, "bob", "to one's own message");
  assert.equal(answerTo(row(1, { to: null }), "alice").to, "broadcast");
  assert.equal(answerTo(row(1, { to: null, channel: "build" }), "carol").to, "#build");
});

test("a draft is there again for who wrote it, and for nobody who logs in after them", () => {
  const owner = whose();
  putAside(newDraft({ to: "bob", body: "secret" }), owner);
  assert.equal(draftTo("").body, "secret");
  forgetAll();
  assert.equal(draftTo("").body, "");
  putAside(newDraft({ to: "bob", body: "secret" }), owner);
  assert.equal(draftTo("").body, "", "a form that closes with the session");
  putAside(newDraft({ to: "bob", body: "mine" }), whose());
  assert.equal(draftTo("").body, "mine");
  forgetAll();
});

test("a draft becomes a request, or a sentence that says what is missing", () => {
  const send = (some) => sendOf(newDraft({ to: "bob", body: "hi", key: "k", ...some }));
  const sent = (some) => {
    const { path, json } = send(some).send;
    return { path, body: JSON.parse(json) };
  };
  assert.deepEqual(sent({}), { path: "/api/message", body: { to: "bob", payload: { text: "hi" }, idempotency_key: "k" } });
  assert.deepEqual(sent({ to: "#a/b", answers: row(3), type: " task " }), {
    path: "/api/channels/a%2Fb/publish",
    body: { payload: { text: "hi" }, type: "task", reply_to: "m3", idempotency_key: "k" },
  });
  assert.equal(send({ to: " " }).field, "to");
  assert.equal(send({ to: "#" }).field, "to");
  assert.equal(send({ body: " \n" }).field, "body");
  assert.match(send({ form: "json", body: "{" }).problem, /^This is not JSON/);
  assert.equal(send({ to: "#build", form: "json", body: "[1]" }).field, "body");
  assert.deepEqual(sent({ form: "json", body: ' {"a":1}\n' }).body.payload, { a: 1 });
  assert.equal(send({ form: "json", body: '{"id":12345678901234567890,"n":1.50}' }).send.json,
    '{"payload":{"id":12345678901234567890,"n":1.50},"idempotency_key":"k","to":"bob"}', "digits stay as they were typed");
  assert.match(send({ form: "json", body: '{"a":1},"to":"eve","b":{}' }).problem, /^This is not JSON/, "a payload is one value");
  assert.notEqual(newDraft().key, newDraft().key);
});

test("numbers of a payload are shown as they were sent, where the engine tells how", () => {
  const long = '{"id":12345678901234567890,"n":1.50,"e":1e400,"t":"\\u0000exact","list":[0.1,-7,100]}';
  const value = parseExactly(long);
  assert.equal(value.n, 1.5);
  assert.deepEqual(value.list, [0.1, -7, 100]);
  const exact = { id: new ExactNumber("12345678901234567890"), t: "\u0000exact", list: [new ExactNumber("1e400")] };
  assert.equal(jsonText(exact).replace(/\s+/g, ""), '{"id":12345678901234567890,"t":"\\u0000exact","list":[1e400]}');
  assert.equal(jsonText({ a: [1] }), '{\n  "a": [\n    1\n  ]\n}');
});

/** A source whose answers are made by hand: each request waits in `asked` until it is answered. */
function handSource() {
  const asked = [];
  const request = (kind) => (position, signal) => new Promise((resolve, reject) => {
    const entry = { kind, position, answer: (value) => { take(); resolve(value); }, fail: (text) => { take(); reject(new Error(text)); } };
    const take = () => asked.splice(asked.indexOf(entry), 1);
    asked.push(entry);
    signal.addEventListener("abort", () => reject(signal.reason));
  });
  return { inLog: true, all: false, asked, page: request("page"), news: request("news") };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A reader whose newest page is 10 down to 8. */
async function startedReader() {
  const source = handSource();
  const reader = new FeedReader(source, () => {});
  void reader.start(10);
  source.asked[0].answer({ rows: rows(10, 8), older: 8 });
  await settled();
  return { source, reader };
}

test("what comes is asked for once at a time, and again when more came meanwhile", async () => {
  const { source, reader } = await startedReader();
  reader.headIs(11);
  reader.headIs(12);
  reader.headIs(11);
  assert.deepEqual(source.asked.map(({ kind, position }) => [kind, position]), [["news", 10]]);
  source.asked[0].answer({ rows: rows(11, 11), newest: 11, more: false });
  await settled();
  assert.deepEqual(source.asked.map(({ position }) => position), [11]);
  source.asked[0].answer({ rows: rows(12, 12), newest: 12, more: false });
  await settled();
  assert.equal(source.asked.length, 0);
  assert.equal(waitingText(reader.feed), "2 new messages");
  reader.showWaiting();
  assert.deepEqual(reader.feed.rows.map(({ seq }) => seq), [12, 11, 10, 9, 8]);
});

test("a log that runs away is not run after: the newest page is read anew", async () => {
  const { source, reader } = await startedReader();
  reader.headIs(5000);
  for (let i = 1; i <= 3; ++i) {
    source.asked[0].answer({ rows: rows(10 + i * 200, 11 + (i - 1) * 200), newest: 10 + i * 200, more: true });
    await settled();
  }
  assert.equal(source.asked.length, 0);
  assert.equal(reader.feed.skipped, true);
  reader.headIs(6000);
  assert.equal(source.asked.length, 0, "until it is shown nothing more is asked");
  reader.showWaiting();
  assert.deepEqual(source.asked.map(({ kind, position }) => [kind, position]), [["page", null]]);
  source.asked[0].answer({ rows: rows(6000, 5998), older: 5998 });
  await settled();
  assert.deepEqual(reader.feed.rows.map(({ seq }) => seq), [6000, 5999, 5998]);
});

test("a log of which all is shown is not even asked for when it runs away", async () => {
  const { source, reader } = await startedReader();
  source.all = true;
  reader.headIs(611);
  assert.equal(source.asked.length, 0);
  assert.equal(reader.feed.skipped, true);
  const { source: other, reader: keepsUp } = await startedReader();
  other.all = true;
  keepsUp.headIs(610);
  assert.deepEqual(other.asked.map(({ kind }) => kind), ["news"]);
});

test("pages in which nothing fits are passed over, five at a time", async () => {
  const { source, reader } = await startedReader();
  void reader.older();
  void reader.older();
  for (let i = 0; i < 5; ++i) {
    assert.equal(source.asked.length, 1);
    source.asked[0].answer({ rows: [], older: 7 - i });
    await settled();
  }
  assert.equal(reader.paused, true);
  void reader.older();
  source.asked[0].answer({ rows: rows(2, 1), older: null });
  await settled();
  assert.equal(reader.paused, false);
  assert.deepEqual(reader.feed.rows.map(({ seq }) => seq), [10, 9, 8, 2, 1]);
  void reader.older();
  assert.equal(source.asked.length, 0, "the history has begun");
});

test("a failure is said, and the next change goes on from where it was", async () => {
  const { source, reader } = await startedReader();
  reader.headIs(11);
  source.asked[0].fail("away");
  await settled();
  assert.equal(reader.error, "away");
  reader.headIs(12);
  assert.equal(source.asked[0].position, 10);
  source.asked[0].answer({ rows: rows(12, 11), newest: 12, more: false });
  await settled();
  assert.equal(reader.error, "");

  const other = handSource();
  const next = new FeedReader(other, () => {}, reader.feed);
  void next.start(12);
  assert.equal(next.feed.rows.length, 3, "the rows before stay until there are others");
  other.asked[0].fail("refused");
  await settled();
  assert.deepEqual([next.error, next.feed.rows.length], ["refused", 0]);
});

test("what failed while the hub was away is asked for again when it is back, and nothing else", async () => {
  const { source, reader } = await startedReader();
  reader.hubIsBack();
  assert.equal(source.asked.length, 0);
  reader.headIs(11);
  source.asked[0].fail("away");
  await settled();
  reader.hubIsBack();
  assert.deepEqual([reader.error, source.asked.map(({ kind, position }) => [kind, position])], ["", [["news", 10]]]);
  source.asked[0].answer({ rows: rows(11, 11), newest: 11, more: false });
  await settled();
  assert.equal(waitingText(reader.feed), "1 new message");

  const first = handSource();
  const other = new FeedReader(first, () => {});
  void other.start(10);
  first.asked[0].fail("away");
  await settled();
  other.hubIsBack();
  assert.deepEqual(first.asked.map(({ kind }) => kind), ["page"], "the first page");
  first.asked[0].answer({ rows: rows(10, 8), older: 8 });
  await settled();
  assert.deepEqual([other.error, other.feed.rows.length], ["", 3]);
});

test("names are offered in which what is typed occurs, however many others there are", () => {
  const names = Array.from({ length: 5000 }, (_, i) => `agent-${i}`).concat("Zoe", "#zoo");
  assert.deepEqual(fitting(names, ["zo"]), ["Zoe", "#zoo"]);
  assert.deepEqual(fitting(names, ["", "ZOE"]), ["Zoe"]);
  assert.equal(fitting(names, ["agent"]).length, mostOffered);
  assert.equal(fitting(names, ["", ""]).at(-1), `agent-${mostOffered - 1}`);
  assert.deepEqual(fitting(names, ["nobody"]), []);
});
