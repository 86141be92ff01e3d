// What the dashboard computes, without a browser: the stream's events, what they change, addresses,
// the order of rows, numbers as text.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";

import { held, filterOf, sorted } from "../../web/dashboard/agents/rows.js";
import { HubError, onSessionChange, pageHeaders, path, request, rootOf, shellWord, speakAs } from "../../web/dashboard/base/api.js";
import { ago, bytes, count, duration, latency, longDuration, rate, short } from "../../web/dashboard/base/format.js";
import { timeRange } from "../../web/dashboard/base/time_range.js";
import { href, parseRoute } from "../../web/dashboard/base/route.js";
import { rowsInWindow } from "../../web/dashboard/base/virtual_list.js";
import { hiddenMs, LiveConnection, waitBefore } from "../../web/dashboard/live/connection.js";
import { EventParser } from "../../web/dashboard/live/event_parser.js";
import { apply, changedText, initialState, withPoint } from "../../web/dashboard/live/model.js";
import { needAttention } from "../../web/dashboard/overview/attention.js";
import { peak, ratesByMinute, storeBar } from "../../web/dashboard/overview/series.js";

const minute = 60_000;
const hour = 60 * minute;
const noon = Date.UTC(2026, 0, 2, 12);

function agent(id, more = {}) {
  return {
    id, status: null, state: "idle", capabilities: [], connected_since: null, last_seen: null, sent_24h: 0, received_24h: 0,
    unread: 0, unread_more: false, oldest_unread_at: null, last_read_at: null, connections: 0, ...more,
  };
}

function snapshot(more = {}) {
  return {
    at: noon, hub: { version: "1", started_at: noon - hour, epoch: "e" }, overview: { head_seq: 1, alarms: [] },
    series: { minutes: [], hours: [] }, agents: [agent("alice")], complete: true, ...more,
  };
}

describe("the parser of events", () => {
  const stream = ": comment\r\nevent: snapshot\r\nid: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nevent: change\ndata: é\n\ndata:x\n\nevent: empty\n\n";
  const events = [["snapshot", "{\"a\":\n1}"], ["change", "é"], ["message", "x"]];

  test("finds the same events wherever the stream is cut", () => {
    for (let cut = 0; cut <= stream.length; ++cut) {
      const found = [];
      const parser = new EventParser((event, data) => found.push([event, data]));
      parser.feed(stream.slice(0, cut));
      parser.feed(stream.slice(cut));
      assert.deepEqual(found, events, `cut at ${cut}`);
    }
  });

  test("does not give out an event that has no end, nor hold one without bound", () => {
    const found = [];
    const parser = new EventParser((event) => found.push(event));
    parser.feed("data: never finished\n");
    assert.deepEqual(found, []);
    const megabyte = "x".repeat(1024 * 1024);
    assert.throws(() => {
      for (let i = 0; i < 40; ++i) parser.feed(`data: ${megabyte}\n`);
    }, RangeError);
  });
});

describe("the state", () => {
  test("is the snapshot, then what changes", () => {
    let state = apply(initialState(0), "snapshot", snapshot({ complete: false }), noon - 500);
    assert.equal(state.connection.state, "live");
    assert.equal(state.skew, 500);
    assert.equal(state.complete, false);
    state = apply(state, "agents", { agents: [agent("bob")], complete: true }, noon);
    assert.equal(state.complete, true);
    const version = state.agentsVersion;
    state = apply(state, "change", { at: noon + 1000, agents: [agent("bob", { unread: 3 }), agent("carol")], gone: ["alice"] }, noon);
    assert.deepEqual([...state.agents.keys()], ["bob", "carol"]);
    assert.equal(state.agents.get("bob").unread, 3);
    assert.ok(state.agentsVersion > version);
    assert.equal(state.overview.head_seq, 1);
    assert.equal(apply(state, "change", { at: noon + 2000, overview: { head_seq: 9 } }, noon).overview.head_seq, 9);
    assert.equal(apply(state, "an event of a later version", {}, noon), state);
  });

  test("knows a hub that was restarted from one that was away", () => {
    const before = apply(initialState(0), "snapshot", snapshot(), noon);
    assert.equal(apply(before, "snapshot", snapshot(), noon).connection.restarted, undefined);
    const other = snapshot({ hub: { version: "1", started_at: noon, epoch: "e" }, agents: [] });
    const after = apply(before, "snapshot", other, noon);
    assert.equal(after.connection.restarted, true);
    assert.equal(after.agents.size, 0);
  });

  test("counts how often the stream has begun, which is when views ask again for what failed", () => {
    let state = apply(initialState(0), "snapshot", snapshot(), noon);
    assert.equal(state.returns, 1);
    state = apply(state, "snapshot", snapshot(), noon);
    assert.equal(state.returns, 1, "the same stream");
    state = apply({ ...state, connection: { state: "away", since: noon, reason: "gone" } }, "snapshot", snapshot(), noon);
    assert.equal(state.returns, 2);
  });

  test("adds a point to its minute and hour, and begins new ones", () => {
    let series = { minutes: [[noon, 5, 1, 2, 3, 4]], hours: [[noon, 100]] };
    series = withPoint(series, [noon + 10_000, 7, null, 9, null, null]);
    assert.deepEqual(series.minutes, [[noon, 12, 1, 9, 3, 4]]);
    assert.deepEqual(series.hours, [[noon, 107]]);
    series = withPoint(series, [noon + hour, 1, 1, 1, 1, 1]);
    assert.deepEqual(series.minutes.map(([at]) => at), [noon, noon + hour]);
    assert.deepEqual(series.hours, [[noon, 107], [noon + hour, 1]]);
    for (let i = 0; i < 100; ++i) series = withPoint(series, [noon + 2 * hour + i * minute, 1, 1, 1, 1, 1]);
    assert.equal(series.minutes.length, 60);
  });
});

test("the running minute counts for the part that is over, and is left out while it says little", () => {
  const minutes = [[noon, 600], [noon + minute, 100]];
  assert.deepEqual(ratesByMinute({ minutes, hours: [], upTo: noon + minute + 25_000 }), [[noon / 1000, noon / 1000 + 60], [10, 4]]);
  assert.deepEqual(ratesByMinute({ minutes, hours: [], upTo: noon + minute + 5000 }), [[noon / 1000], [10]]);
  assert.deepEqual(peak([1, 2, 3], [null, 5, 4]), { value: 5, at: 2000 });
  assert.equal(peak([1], [0]), null);
});

test("a chart of hours shows the hour that runs, to its end", () => {
  assert.deepEqual(timeRange(0, 23 * 3600, 3600), [0, 24 * 3600]);
  assert.deepEqual(timeRange(3600, 3600, 3600), [3600, 7200], "the only one");
  assert.deepEqual(timeRange(null, null, 3600), [null, null]);
});

test("the store's bar is the file, and red when there is little room, be it for the disk", () => {
  const bar = (file_bytes, room_bytes) => storeBar({ file_bytes, room_bytes, max_bytes: 1000 });
  assert.deepEqual(bar(100, 900), { share: 0.1, bad: false });
  assert.deepEqual(bar(100, 50), { share: 0.1, bad: true }, "others have filled the disk");
  assert.deepEqual(bar(950, 300), { share: 0.95, bad: false }, "much of the file is free");
  assert.deepEqual(bar(1001, 0), { share: 1, bad: true });
  assert.deepEqual(storeBar({ file_bytes: 5, room_bytes: 5, max_bytes: 0 }), { share: 0, bad: false });
});

test("tries again soon at first, then less often, and never all pages at once", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 50].map((n) => waitBefore(n, 0.5)), [1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(waitBefore(1, 0), 750);
  assert.equal(waitBefore(1, 1), 1250);
});

describe("a page that nobody sees", () => {
  /** A page with a clock, and a hub whose stream says something when it is told to. */
  function hiddenPage(t) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
    const told = { streams: 0, open: 0, rests: 0, away: 0 };
    const before = globalThis.fetch;
    t.after(() => {
      globalThis.fetch = before;
      delete globalThis.location;
      delete globalThis.addEventListener;
    });
    globalThis.location = { pathname: "/dashboard" };
    globalThis.addEventListener = () => {};
    globalThis.fetch = async (_, { signal }) => {
      ++told.streams;
      ++told.open;
      signal.addEventListener("abort", () => --told.open);
      return new Response(new ReadableStream({
        start(stream) {
          told.say = () => stream.enqueue(new TextEncoder().encode(": \n"));
          signal.addEventListener("abort", () => stream.error(signal.reason));
        },
      }));
    };
    const connection = new LiveConnection(
      { onEvent: () => {}, onAway: () => ++told.away, onRefused: () => {}, onRest: () => ++told.rests }, page);
    const show = (visibilityState) => {
      page.visibilityState = visibilityState;
      page.dispatchEvent(new Event("visibilitychange"));
    };
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const passTime = async () => {
      await settle();
      t.mock.timers.tick(hiddenMs / 2);
      told.say();
      await settle();
      t.mock.timers.tick(hiddenMs / 2);
      await settle();
    };
    return { connection, told, show, settle, passTime };
  }

  test("ends its stream after a while, without being away, and begins again when it is shown", async (t) => {
    const { connection, told, show, settle, passTime } = hiddenPage(t);
    const numbers = () => [told.streams, told.open, told.rests, told.away];
    connection.start();
    await settle();
    show("hidden");
    t.mock.timers.tick(1000);
    show("visible");
    await passTime();
    assert.deepEqual(numbers(), [1, 1, 0, 0], "a short look elsewhere");
    show("hidden");
    told.say();
    await passTime();
    assert.deepEqual(numbers(), [1, 0, 1, 0]);
    connection.tryNow();
    t.mock.timers.tick(10 * hiddenMs);
    await settle();
    assert.deepEqual(numbers(), [1, 0, 1, 0], "it rests");
    show("visible");
    await settle();
    assert.deepEqual(numbers(), [2, 1, 1, 0]);
    connection.stop();
  });

  test("rests as well when it was opened in the background, and not when nobody is logged in", async (t) => {
    const { connection, told, show, passTime } = hiddenPage(t);
    show("hidden");
    t.mock.timers.tick(2 * hiddenMs);
    assert.equal(told.rests, 0);
    connection.start();
    await passTime();
    assert.deepEqual([told.open, told.rests], [0, 1]);
    connection.stop();
    show("visible");
    assert.equal(told.open, 0);
  });
});

describe("rows of agents", () => {
  const agents = new Map([
    agent("bob", { state: "working", unread: 3, sent_24h: 1, last_seen: 10, status: "Reviews the store" }),
    agent("alice", { state: "offline", unread: null, sent_24h: 9, last_seen: 20, capabilities: ["C++"] }),
    agent("carol", { state: "polling", unread: 7, oldest_unread_at: 5 }),
    agent("dvae", { state: "offline", known: false, unread: 1, oldest_unread_at: 3 }),
  ].map((one) => [one.id, one]));
  const ids = (search) => sorted(agents, filterOf(new URLSearchParams(search)));

  test("are sorted by what the address says, and by name where that is equal", () => {
    assert.deepEqual(ids(""), ["bob", "carol", "alice", "dvae"]);
    assert.deepEqual(ids("sort=id&reverse=true"), ["dvae", "carol", "bob", "alice"]);
    assert.deepEqual(ids("sort=sent"), ["alice", "bob", "carol", "dvae"]);
    assert.deepEqual(ids("sort=no-such-column"), ids(""));
  });

  test("have what is not known last in both directions", () => {
    assert.deepEqual(ids("sort=unread"), ["carol", "bob", "dvae", "alice"]);
    assert.deepEqual(ids("sort=unread&reverse=true"), ["dvae", "bob", "carol", "alice"]);
    assert.deepEqual(ids("sort=oldest"), ["dvae", "carol", "alice", "bob"]);
  });

  test("are found by name, status and capability, and by state", () => {
    assert.deepEqual(ids("q=STORE"), ["bob"]);
    assert.deepEqual(ids("q=c%2B%2B"), ["alice"]);
    assert.deepEqual(ids("q=.*"), []);
    assert.deepEqual(ids("state=online"), ["bob", "carol"]);
    assert.deepEqual(ids("state=idle"), ["carol"]);
    assert.deepEqual(ids("state=unread"), ["bob", "carol", "dvae"]);
    assert.deepEqual(ids("state=unknown"), ["dvae"]);
  });

  test("that are held keep their places: those that are gone leave, new ones come behind", () => {
    assert.deepEqual(held(["c", "a", "b"], ["a", "c", "d"]), ["c", "a", "d"]);
  });

  test("need attention when their mail waits for long, or when it grows", () => {
    const overview = { unread: { growing: [{ id: "fast", unread: 9, grew: 5 }, { id: "filling", unread: 12, grew: 1 }] } };
    const list = [
      agent("read"), agent("fresh", { unread: 2, oldest_unread_at: noon - minute, state: "working" }),
      agent("fast", { unread: 9, oldest_unread_at: noon - minute, state: "working" }),
      agent("gone", { unread: 1, oldest_unread_at: noon - hour, state: "offline" }),
      agent("mispelt", { unread: 1, oldest_unread_at: noon - 2 * hour, state: "offline", known: false }),
      agent("deaf", { unread: 1, oldest_unread_at: noon - 10 * minute, state: "idle" }),
      agent("deafer", { unread: 7, oldest_unread_at: noon - 6 * minute, state: "idle" }),
      agent("filling", { unread: 12, oldest_unread_at: noon - minute, state: "offline" }),
      agent("long gone", { unread: 3, oldest_unread_at: noon - 9 * hour, state: "offline" }),
    ];
    const { worst, others } = needAttention(list, overview, noon);
    assert.deepEqual(worst.map((one) => [one.agent.id, one.why, one.grew]), [
      ["filling", "offline", 1], ["fast", "falls behind", 5], ["deafer", "connected, does not read", 0],
      ["deaf", "connected, does not read", 0], ["long gone", "offline", 0],
    ]);
    assert.equal(others, 2);
    assert.deepEqual(needAttention(list.slice(3, 5), overview, noon).worst.map(({ why }) => why),
      ["offline", "nobody has this name: misspelled?"]);
    const many = Array.from({ length: 9 }, (_, i) => agent(`a${i}`, { unread: 1, oldest_unread_at: noon - hour }));
    assert.equal(needAttention(many, overview, noon).others, 4);
  });
});

describe("addresses", () => {
  test("hold any name, there and back", () => {
    for (const id of ["alice", "a/b?c#d&e=f", "100%", "ä ö", "__proto__", "<b>"]) {
      const route = parseRoute(href("agents", id, { q: id, state: "", sort: null, reverse: false }));
      assert.equal(route.view, "agents");
      assert.deepEqual(route.rest, [id]);
      assert.deepEqual([...route.params], [["q", id]]);
    }
  });

  test("that nobody made lead somewhere all the same", () => {
    assert.equal(parseRoute("").view, "overview");
    assert.equal(parseRoute("#/").view, "overview");
    assert.deepEqual(parseRoute("#/agents/%E0%A4%A").rest, ["%E0%A4%A"]);
  });

  test("of the hub begin where the page's does", () => {
    assert.equal(rootOf("/dashboard"), "");
    assert.equal(rootOf("/far/hub/dashboard"), "/far/hub");
    assert.equal(rootOf("/far/hub/dashboard//"), "/far/hub");
    assert.equal(rootOf("//evil.example/dashboard"), "/evil.example");
    assert.equal(path`/api/directory/${"a/../b"}/x`, "/api/directory/a%2F..%2Fb/x");
  });
});

describe("requests", () => {
  test("say whom the page shows, in a form that a header can hold", () => {
    assert.deepEqual([pageHeaders("GET"), pageHeaders("POST")], [{}, { "X-AgentCom-Page": "1" }]);
    speakAs("ä ann/1\n");
    assert.deepEqual(pageHeaders("GET"), { "X-AgentCom-Page": "%C3%A4%20ann%2F1%0A" });
    assert.deepEqual(pageHeaders("POST"), pageHeaders("GET"));
    speakAs(null);
    assert.deepEqual(pageHeaders("DELETE"), { "X-AgentCom-Page": "1" });
  });

  test("that the hub refuses because somebody else is logged in make the page ask who", async (t) => {
    const answers = ["session_changed", "channel_exists", "session_changed"];
    const sent = [];
    let changes = 0;
    const fetchBefore = globalThis.fetch;
    t.after(() => {
      globalThis.fetch = fetchBefore;
      delete globalThis.location;
      onSessionChange(() => {});
      speakAs(null);
    });
    globalThis.location = { pathname: "/dashboard" };
    globalThis.fetch = async (where, { headers }) => {
      sent.push([where, headers["X-AgentCom-Page"]]);
      return Response.json({ error: answers.shift(), message: "Refused." }, { status: 409 });
    };
    onSessionChange(() => ++changes);
    speakAs("ann");
    await assert.rejects(request("POST", "/api/message", { body: {} }), HubError);
    assert.equal(changes, 1);
    await assert.rejects(request("POST", "/api/channels", { body: {} }), HubError);
    assert.equal(changes, 1, "another conflict is none of this kind");
    const late = request("GET", "/api/channels");
    speakAs("admin");
    await assert.rejects(late, HubError);
    assert.equal(changes, 1, "the page has learnt it meanwhile");
    assert.deepEqual(sent.slice(0, 2), [["/api/message", "ann"], ["/api/channels", "ann"]]);
  });

  test("of somebody who is not logged in any more are told of, with both names", () => {
    assert.match(changedText("ann", "admin"), /logged in as admin .* showed ann; .* has not been sent/);
    assert.match(changedText("a\u202eb", "admin"), /a\[U\+202E\]b/);
    assert.equal(changedText("ann", "ann"), "");
    assert.equal(changedText("", "ann"), "");
  });
});

test("a word is taken literally by the shell", () => {
  assert.equal(shellWord("alice@host"), "alice@host");
  assert.equal(shellWord("it's $(rm)"), `'it'\\''s $(rm)'`);
  assert.equal(shellWord("--help"), "'--help'");
  assert.equal(shellWord(""), "''");
});

test("only rows near the window are drawn", () => {
  assert.deepEqual(rowsInWindow(1000, 50, 100, 800), { first: 0, end: 22 });
  assert.deepEqual(rowsInWindow(1000, 50, -5000, 800), { first: 92, end: 124 });
  assert.deepEqual(rowsInWindow(1000, 50, -60_000, 800), { first: 1000, end: 1000 });
  assert.deepEqual(rowsInWindow(0, 50, 0, 800), { first: 0, end: 0 });
});

test("numbers, sizes and times are short, and right at their edges", () => {
  assert.deepEqual([null, 0, 9999].map(count), ["–", "0", "9,999"]);
  assert.deepEqual([9999, 10_000, 1_234_567].map(short), ["9,999", "10K", "1.2M"]);
  assert.deepEqual([0, 0.04, 0.5, 12.4, 12_345].map(rate), ["0", "<0.1", "0.5", "12", "12.3K"]);
  assert.deepEqual([0, 0.04, 1.25, 12.6, 1500, 12_000].map(latency), ["0 ms", "<0.1 ms", "1.3 ms", "13 ms", "1.5 s", "12 s"]);
  assert.deepEqual([0, 1023, 1024, 1.5 * 1024 ** 2, 56.8 * 1024 ** 3].map(bytes), ["0 B", "1023 B", "1 KiB", "1.5 MiB", "57 GiB"]);
  assert.deepEqual([-5, 59_999, minute, hour - 1, hour, 47 * hour, 48 * hour].map(duration),
    ["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days"]);
  assert.deepEqual([5000, 59 * minute, 3 * hour + 12 * minute, 24 * hour, 50 * hour].map(longDuration),
    ["5 s", "59 min", "3 h 12 min", "1 day 0 h", "2 days 2 h"]);
  assert.equal(ago(noon - 1000, noon), "now");
  assert.equal(ago(noon + 60_000, noon), "now");
  assert.equal(ago(noon - hour, noon), "1 h ago");
});

test("imports go from views to the live state and what all are made of, and never back", () => {
  const folder = fileURLToPath(new URL("../../web/dashboard/", import.meta.url));
  const rooms = {
    base: [], live: ["base"], overview: ["base", "live"], conversations: ["base", "live"],
    agents: ["base", "live", "conversations"], shell: ["base", "live", "overview", "agents", "conversations"],
  };
  let count = 0;
  for (const [room, others] of Object.entries(rooms)) {
    for (const file of readdirSync(folder + room)) {
      const code = readFileSync(`${folder}${room}/${file}`, "utf8");
      for (const [, other] of code.matchAll(/^(?:import|export) [^;]*"\.\.\/(\w+)\//gm)) {
        assert.ok(others.includes(other), `${room}/${file} imports from ${other}`);
        ++count;
      }
    }
  }
  assert.ok(count > 100, `${count} imports`);
});
