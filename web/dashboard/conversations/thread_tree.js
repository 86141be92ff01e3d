// A thread as a tree. The hub gives its messages flat, oldest first, each with the id that it answers;
// that id is text of the sender's: it may name a message that is not shown, and nothing stops it from
// naming one that answers back.

/** @typedef {import("./types.js").Row} Row */

/**
 * @typedef {object} Branch
 * @property {Row} message
 * @property {number} depth         0 for what answers nothing that is shown
 * @property {number} answers       direct ones
 * @property {number} below         all answers below it
 * @property {boolean} missing      it answers a message that is not shown
 */

/**
 * The tree in the order in which it is read: every message right before the answers to it, and answers
 * in the order in which they were sent. Every message is in it once.
 * @param {Row[]} messages
 * @returns {Branch[]}
 */
export function branchesOf(messages) {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const parents = parentsOf(messages, byId);
  /** @type {Map<Row | null, Row[]>} */
  const answers = new Map();
  for (const message of [...byId.values()].sort((a, b) => a.seq - b.seq)) {
    const parent = parents.get(message) ?? null;
    const list = answers.get(parent);
    if (list) list.push(message);
    else answers.set(parent, [message]);
  }
  /** @type {Branch[]} */
  const branches = [];
  // Not by recursion: a chain of answers may be as long as the history.
  const waiting = (answers.get(null) ?? []).map((message) => ({ message, depth: 0 })).reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { message, depth } = next;
    const direct = answers.get(message) ?? [];
    branches.push({
      message, depth, answers: direct.length, below: 0,
      missing: message.reply_to !== null && !parents.has(message),
    });
    for (let i = direct.length - 1; i >= 0; --i) {
      const answer = direct[i];
      if (answer) waiting.push({ message: answer, depth: depth + 1 });
    }
  }
  countBelow(branches);
  return branches;
}

/**
 * Who is answered, where that is shown; circles are cut where they were closed: at their oldest message.
 * @param {Row[]} messages
 * @param {Map<string, Row>} byId
 */
function parentsOf(messages, byId) {
  /** @type {Map<Row, Row>} */
  const parents = new Map();
  for (const message of byId.values()) {
    const parent = message.reply_to === null ? undefined : byId.get(message.reply_to);
    if (parent && parent !== message) parents.set(message, parent);
  }
  /** @type {Map<Row, number>} */
  const walked = new Map();  // on which walk a message was met
  let walk = 0;
  for (const start of messages) {
    ++walk;
    let at = byId.get(start.id);
    while (at && !walked.has(at)) {
      walked.set(at, walk);
      at = parents.get(at);
    }
    if (!at || walked.get(at) !== walk) continue;
    let oldest = at;
    for (let other = parents.get(at); other && other !== at; other = parents.get(other)) {
      if (other.seq < oldest.seq) oldest = other;
    }
    parents.delete(oldest);
  }
  return parents;
}

/** @param {Branch[]} branches */
function countBelow(branches) {
  /** @type {{ branch: Branch, at: number }[]} */
  const open = [];  // on the way from the top to where we are
  /** @param {number} depth @param {number} here */
  const close = (depth, here) => {
    for (let last = open.at(-1); last && last.branch.depth >= depth; last = open.at(-1)) {
      last.branch.below = here - last.at - 1;
      open.pop();
    }
  };
  branches.forEach((branch, at) => {
    close(branch.depth, at);
    open.push({ branch, at });
  });
  close(0, branches.length);
}

/**
 * What is left of the tree when the answers to some messages are folded away.
 * @param {Branch[]} branches
 * @param {ReadonlySet<string>} folded  ids
 */
export function unfolded(branches, folded) {
  /** @type {Branch[]} */
  const shown = [];
  let hiddenBelow = Infinity;
  for (const branch of branches) {
    if (branch.depth > hiddenBelow) continue;
    hiddenBelow = folded.has(branch.message.id) ? branch.depth : Infinity;
    shown.push(branch);
  }
  return shown;
}

/**
 * The id of the message that a branch stands below, or null.
 * @param {Branch[]} branches
 * @param {number} index
 */
export function aboveOf(branches, index) {
  const depth = branches[index]?.depth ?? 0;
  for (let i = index - 1; i >= 0; --i) {
    const branch = branches[i];
    if (branch && branch.depth < depth) return branch.message.id;
  }
  return null;
}
