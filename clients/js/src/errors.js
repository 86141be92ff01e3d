// Errors: one class per kind; `code` is the hub's word, `retry` whether trying again may help.

/**
 * @typedef {object} ErrorDetails
 * @property {boolean} [retry]
 * @property {string | null} [field]
 * @property {number | null} [status]
 * @property {number | null} [retryAfter] milliseconds
 * @property {unknown} [cause]
 */

/** Anything that went wrong with the hub or on the way to it. */
export class AgentComError extends Error {
  /**
   * @param {string} code
   * @param {string} reason
   * @param {ErrorDetails} [details]
   */
  constructor(code, reason, { retry = false, field = null, status = null, retryAfter = null, cause } = {}) {
    super(`${code}: ${reason}`, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    /** Stable word from the hub's table of errors, or one of this library's own. */
    this.code = code;
    /** A sentence for people. */
    this.reason = reason;
    /** Whether the same call may succeed later. */
    this.retry = retry;
    /** The field of the request that is at fault, when there is one. */
    this.field = field;
    /** HTTP status, when the answer came over HTTP. */
    this.status = status;
    /** Milliseconds to wait before trying again, when the hub named them. */
    this.retryAfter = retryAfter;
    /**
     * Of a failed send or publish: give it to the next attempt, and it is stored once.
     * @type {string | null}
     */
    this.idempotencyKey = null;
  }

  /**
   * The same for another caller: an error object belongs to who catches it.
   * @internal
   * @returns {AgentComError}
   */
  again() {
    const Kind = /** @type {typeof AgentComError} */ (this.constructor);
    const { retry, field, status, retryAfter, cause } = this;
    return new Kind(this.code, this.reason, { retry, field, status, retryAfter, cause });
  }
}

/** The hub, or this library, does not understand or accept the request. */
export class InvalidRequestError extends AgentComError {}
/** No token, an unknown one, or one of another agent. */
export class AuthenticationError extends AgentComError {}
/** An administrator revoked the token while it was in use; the client has stopped. */
export class TokenRevokedError extends AuthenticationError {}
/** The token is good, but not for this. */
export class PermissionDeniedError extends AgentComError {}
/** There is no such channel or path. */
export class NotFoundError extends AgentComError {}
/** What was asked for is there already, or was done a moment ago. */
export class ConflictError extends AgentComError {}
/** The request is larger than the hub takes, or the answer larger than the client does. */
export class TooLargeError extends AgentComError {}
/** Too many requests, for longer than the call's timeout. */
export class RateLimitedError extends AgentComError {}
/** The hub holds as many channels, subscriptions or mailboxes as it may. */
export class LimitReachedError extends AgentComError {}
/** The hub cannot be reached, is stopping, or is too busy. */
export class UnavailableError extends AgentComError {}
/** The hub's store is full or damaged; nothing was stored. */
export class StorageError extends AgentComError {}
/** The hub made a mistake. */
export class InternalHubError extends AgentComError {}
/** A newer connection of this agent took over; the client has stopped and stays so. */
export class ReplacedError extends AgentComError {}
/** The hub and this library do not understand each other; the client has stopped. */
export class ProtocolError extends AgentComError {}
/** No answer in time. A send may or may not be stored; see `idempotencyKey`. */
export class RequestTimeoutError extends AgentComError {}
/** The client is closed. */
export class ClosedError extends AgentComError {}

/**
 * code -> [class, retry], the table "Errors" of the wire protocol.
 * @internal
 * @type {Record<string, [typeof AgentComError, boolean]>}
 */
export const codes = {
  invalid_json: [InvalidRequestError, false],
  invalid_encoding: [InvalidRequestError, false],
  not_identified: [AuthenticationError, false],
  already_identified: [ConflictError, false],
  identify_timeout: [UnavailableError, true],
  invalid_token: [AuthenticationError, false],
  token_agent_mismatch: [AuthenticationError, false],
  unknown_message_type: [InvalidRequestError, false],
  missing_field: [InvalidRequestError, false],
  invalid_field: [InvalidRequestError, false],
  invalid_positive_integer: [InvalidRequestError, false],
  invalid_agent_id: [InvalidRequestError, false],
  invalid_recipient: [InvalidRequestError, false],
  invalid_channel_name: [InvalidRequestError, false],
  invalid_payload: [InvalidRequestError, false],
  invalid_idempotency_key: [InvalidRequestError, false],
  idempotency_conflict: [ConflictError, false],
  channel_not_found: [NotFoundError, false],
  channel_exists: [ConflictError, false],
  channel_limit: [LimitReachedError, true],
  member_limit: [LimitReachedError, false],
  agent_ending: [ConflictError, true],
  unauthorized: [AuthenticationError, false],
  forbidden: [PermissionDeniedError, false],
  forbidden_origin: [PermissionDeniedError, false],
  forbidden_host: [PermissionDeniedError, false],
  admin_only: [PermissionDeniedError, false],
  read_only: [PermissionDeniedError, false],
  not_found: [NotFoundError, false],
  method_not_allowed: [InvalidRequestError, false],
  bad_request: [InvalidRequestError, false],
  upgrade_required: [InvalidRequestError, false],
  body_too_large: [TooLargeError, false],
  payload_too_large: [TooLargeError, false],
  header_too_large: [TooLargeError, false],
  unsupported_media_type: [InvalidRequestError, false],
  request_timeout: [UnavailableError, true],
  expectation_failed: [InvalidRequestError, false],
  rate_limited: [RateLimitedError, true],
  reset_cooldown: [ConflictError, true],
  invalid_configuration: [ConflictError, false],
  session_changed: [ConflictError, false],
  unknown_recipient_limit: [LimitReachedError, true],
  subscription_limit: [LimitReachedError, true],
  binary_not_supported: [InvalidRequestError, false],
  too_many_connections: [UnavailableError, true],
  overloaded: [UnavailableError, true],
  shutting_down: [UnavailableError, true],
  storage_full: [StorageError, true],
  storage_failed: [StorageError, true],
  internal: [InternalHubError, true],
};

// Refusals that pass by themselves: calls are made again until their timeout.
const transient = new Set(
  ["rate_limited", "too_many_connections", "overloaded", "shutting_down", "request_timeout"]);

/** @param {number | null} status */
function retryOfStatus(status) {
  return status !== null && ([408, 425, 429].includes(status) || status >= 500);
}

/**
 * The error that a frame or an HTTP body of the hub describes.
 * @internal
 * @param {any} body
 * @param {number | null} [status]
 * @param {number | null} [retryAfter]
 */
export function hubError(body, status = null, retryAfter = null) {
  let code = String(body.error ?? "unknown");
  // Two errors carry the field in their wire name, for clients of the original hub.
  if (code.startsWith("missing required field")) code = "missing_field";
  else if (code.startsWith("missing or invalid field")) code = "invalid_positive_integer";
  const [Kind, retry] = Object.hasOwn(codes, code) ? codes[code] : [AgentComError, retryOfStatus(status)];
  const field = typeof body.field === "string" ? body.field : null;
  return new Kind(code, String(body.message ?? "the hub gave no reason"), { retry, field, status, retryAfter });
}

/**
 * An HTTP answer that is not the hub's: something on the way speaks.
 * @internal
 * @param {number} status
 * @param {string} where
 * @param {number | null} retryAfter
 */
export function httpError(status, where, retryAfter) {
  const retry = retryOfStatus(status);
  const reason = `${where} was answered with status ${status}, and not by the hub; is there a proxy?`;
  return new (retry ? UnavailableError : AgentComError)(`http_${status}`, reason, { retry, status, retryAfter });
}

const certificateCodes = new Set([
  "CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID", "DEPTH_ZERO_SELF_SIGNED_CERT", "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * No connection, and why. A certificate that is not trusted will not be so in a moment.
 * @internal
 * @param {string} reason
 * @param {any} cause
 * @param {ErrorDetails} [details]
 */
export function unreachable(reason, cause, details = {}) {
  const untrusted = certificateCodes.has(cause?.code) || certificateCodes.has(cause?.cause?.code);
  const code = untrusted ? "untrusted_certificate" : "unreachable";
  return new UnavailableError(code, reason, { retry: !untrusted, cause, ...details });
}

/**
 * Whether waiting alone is likely to mend it.
 * @internal
 * @param {AgentComError} error
 */
export function isTransient(error) {
  return transient.has(error.code) || (error.retry && error.code.startsWith("http_"));
}
