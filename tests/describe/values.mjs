// Values that a schema allows, and values that it forbids, from a seed.

import { schemaCompiler } from "./schemas.mjs";

/// Numbers below `end`, the same for the same seed (mulberry32).
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end) => Math.floor(next() * end);
  return { below, one: (list) => list[below(list.length)], chance: (share) => next() < share };
}

const alphabets = [
  "abcdefghijklmnopqrstuvwxyz", "ABCxyz019._-:@", "0123456789abcdef", "0123456789", "#! /?%&=+~\"'\\<>{}[]",
  "äßéñ漢字🙂", "\u0000\u001f\u007f\u0085\n\t",
];
const lengths = [0, 1, 2, 3, 8, 11, 63, 64, 65, 127, 128, 129, 255, 256, 512, 513, 1024];

function text(rng) {
  const length = rng.one(lengths);
  const letters = rng.one([rng.one(alphabets), rng.one(alphabets) + rng.one(alphabets)]);
  const alphabet = [...letters];
  let made = "";
  for (let i = 0; i < length; i += 1) made += rng.one(alphabet);
  return rng.chance(0.1) ? `${[...made].slice(0, 8).join("")}...` : made;
}

function anything(rng, depth = 2) {
  const simple = [null, true, false, 0, -1, 7.5, 2 ** 40, "", "text", "äß"];
  if (depth === 0 || rng.chance(0.5)) return rng.one(simple);
  if (rng.chance(0.5)) return Array.from({ length: rng.below(4) }, () => anything(rng, depth - 1));
  return Object.fromEntries(
    Array.from({ length: rng.below(4) }, (_, index) => [`k${index}`, anything(rng, depth - 1)]));
}

const compiler = schemaCompiler();
const compiled = new Map();
/// Whether the schema allows the value, its own words included.
export function allows(schema, value) {
  if (!compiled.has(schema)) compiled.set(schema, compiler.compile(schema));
  if (!compiled.get(schema)(value)) return false;
  if (typeof value === "string" && Buffer.byteLength(value) > (schema["x-max-bytes"] ?? Infinity)) return false;
  return Buffer.byteLength(JSON.stringify(value)) <= (schema["x-max-json-bytes"] ?? Infinity);
}

/// A value that the schema allows. `words` are tried besides.
export function allowed(schema, rng, words = []) {
  for (let attempt = 0; attempt < 2000; attempt += 1) {
    const value = candidate(schema, rng, words);
    if (allows(schema, value)) return value;
  }
  throw new Error(`found nothing that fits ${JSON.stringify(schema)}`);
}

function candidate(schema, rng, words) {
  if ("const" in schema) return schema.const;
  if (schema.enum) return rng.one(schema.enum);
  if (schema.anyOf && !schema.type) return allowed(rng.one(schema.anyOf), rng, words);
  switch (rng.one([schema.type ?? "anything"].flat())) {
    case "null":
      return null;
    case "boolean":
      return rng.chance(0.5);
    case "number":
      return rng.one([0, 1, -3, 12.25]);
    case "integer": {
      if (schema["x-in-future"]) return Date.now() + 60_000 + rng.below(1e9);
      const least = schema.minimum ?? -1000;
      const most = Math.min(schema.maximum ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      return rng.one([least, least + 1, most, Math.min(most, least + rng.below(100_000))]);
    }
    case "string":
      if (schema["x-from-answer"]) return "";
      return words.length > 0 && rng.chance(0.5) ? rng.one(words) : text(rng);
    case "array":
      return Array.from({ length: rng.below(4) }, () => allowed(schema.items ?? {}, rng, words));
    case "object": {
      if (!schema.properties) return { text: anything(rng) };
      const made = {};
      for (const [name, property] of Object.entries(schema.properties)) {
        if (schema.required?.includes(name) || rng.chance(0.4)) made[name] = allowed(property, rng, words);
      }
      return made;
    }
    default:
      return anything(rng);
  }
}

/// Values of all kinds and at all bounds that the schema forbids.
export function forbidden(schema) {
  const values = [
    null, true, false, 1.5, "1", "no-such", "", "!", "\u0001", "a b", {}, [], [7], ["no-such"], [{}], { a: 1 },
    [{ agent_id: 7 }], [{ agent_id: "x", rights: ["no-such"] }],
  ];
  for (const [bound, step] of [["minimum", -1], ["maximum", 1]]) {
    if (bound in schema) values.push(schema[bound] + step);
  }
  if ("maxLength" in schema) values.push("a".repeat(schema.maxLength + 1));
  if (schema["x-max-json-bytes"]) values.push("a".repeat(schema["x-max-json-bytes"]));
  if (schema["x-max-bytes"]) values.push("ä".repeat(schema["x-max-bytes"] / 2 + 1));
  return values.filter((value) => !allows(schema, value));
}
