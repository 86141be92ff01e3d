// The shapes of what the hub's stream for observers says. Times are milliseconds since 1970.

/**
 * In milliseconds; null when nothing was measured.
 * @typedef {object} Percentiles
 * @property {number | null} p50
 * @property {number | null} p99
 */

/**
 * @typedef {object} Alarm
 * @property {string} code stable, such as `store_full`
 * @property {"warning" | "critical"} severity
 * @property {string} text sentences that say what to do
 * @property {number} since
 * @property {string[]} [agents] whom it concerns
 */

/**
 * @typedef {object} Overview
 * @property {{ total: number, online: number, working: number, idle: number, polling?: number, offline: number }} agents
 * @property {{ per_second: number, total_24h: number }} messages
 * @property {{ commit: Percentiles | null, delivery: Percentiles | null }} latency_ms over the last minute
 * @property {{ messages: number | null, agents: number | null, oldest_at: number | null,
 *   growing: { id: string, unread: number, grew: number }[] }} unread null: not counted yet
 * @property {{ websocket: number, http: number, streams: number, long_polls: number, observers: number }} connections
 * @property {{ state: "ok" | "full" | "failed", file_bytes: number, room_bytes: number, max_bytes: number,
 *   log_bytes: number, log_max_bytes: number, messages: number, messages_max: number, reader_lag: number }} store
 * @property {number} head_seq the position of the newest message
 * @property {Alarm[]} alarms
 * @property {boolean} [counting] the counters of 24 hours are still being rebuilt
 * @property {number} [agents_left_out]
 */

/**
 * Start of the minute, messages in it, and latencies in milliseconds (null without messages).
 * @typedef {[number, number, number | null, number | null, number | null, number | null]} Point
 */

/** @typedef {{ minutes: Point[], hours: [number, number][], upTo?: number }} Series `upTo`: the last point's time */

/** @typedef {"working" | "idle" | "polling" | "offline"} AgentState */

/**
 * @typedef {object} Agent
 * @property {string} id
 * @property {string} [name] what it calls itself
 * @property {string | null} status a text that the agent set
 * @property {AgentState} state
 * @property {string[]} capabilities
 * @property {number | null} connected_since
 * @property {number | null} last_seen
 * @property {number} sent_24h
 * @property {number} received_24h
 * @property {number | null} unread null: not counted yet
 * @property {boolean} unread_more there are more than were counted
 * @property {number | null} oldest_unread_at
 * @property {number | null} last_read_at
 * @property {number} connections
 * @property {boolean} [known] false: a name that was only written to
 */

/** @typedef {{ version: string, started_at: number, epoch: string | number }} HubFacts */

/**
 * @typedef {object} Snapshot
 * @property {number} at
 * @property {HubFacts} hub
 * @property {Overview} overview
 * @property {Series} series
 * @property {Agent[]} agents
 * @property {boolean} complete false: events `agents` with the other rows follow
 */

/**
 * @typedef {object} Change
 * @property {number} at
 * @property {Overview} [overview]
 * @property {Point} [point]
 * @property {Agent[]} [agents] whole rows of those that changed
 * @property {string[]} [gone]
 */

/** @typedef {{ agent_id: string, role: "agent" | "observer" | "admin", expires_at: number | string }} Session */

/**
 * How the page stands with the hub. `starting`: nothing is known yet, or the page was
 * hidden and rests. `live`: the stream runs.
 * `away`: it broke off at `since` (by the browser's clock) and is tried again.
 * @typedef {object} Connection
 * @property {"starting" | "live" | "away"} state
 * @property {number} since by the browser's clock
 * @property {string} reason a sentence, empty unless away
 * @property {boolean} [restarted] the hub has been restarted since the page was opened
 */

/**
 * @typedef {object} State
 * @property {Session | null | undefined} session undefined: not asked yet; null: nobody is logged in
 * @property {string} farewell why the session ended, when it did so by itself
 * @property {string} changed says that the browser is logged in as another agent than the page showed; empty otherwise
 * @property {Connection} connection
 * @property {number} returns how often the stream has begun: when that changes, what failed meanwhile can be asked for again
 * @property {number} skew what to add to the browser's clock to have the hub's, in milliseconds
 * @property {HubFacts | null} hub
 * @property {Overview | null} overview
 * @property {Series} series
 * @property {Map<string, Agent>} agents changed in place: compare `agentsVersion`
 * @property {number} agentsVersion
 * @property {boolean} complete all rows have arrived
 * @property {number} at when what is shown was true, by the hub's clock; 0 before the first snapshot
 */

export {};
