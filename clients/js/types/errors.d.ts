/**
 * The error that a frame or an HTTP body of the hub describes.
 * @internal
 * @param {any} body
 * @param {number | null} [status]
 * @param {number | null} [retryAfter]
 */
export function hubError(body: any, status?: number | null, retryAfter?: number | null): AgentComError;
/**
 * An HTTP answer that is not the hub's: something on the way speaks.
 * @internal
 * @param {number} status
 * @param {string} where
 * @param {number | null} retryAfter
 */
export function httpError(status: number, where: string, retryAfter: number | null): AgentComError;
/**
 * No connection, and why. A certificate that is not trusted will not be so in a moment.
 * @internal
 * @param {string} reason
 * @param {any} cause
 * @param {ErrorDetails} [details]
 */
export function unreachable(reason: string, cause: any, details?: ErrorDetails): UnavailableError;
/**
 * Whether waiting alone is likely to mend it.
 * @internal
 * @param {AgentComError} error
 */
export function isTransient(error: AgentComError): boolean;
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
    constructor(code: string, reason: string, { retry, field, status, retryAfter, cause }?: ErrorDetails);
    /** Stable word from the hub's table of errors, or one of this library's own. */
    code: string;
    /** A sentence for people. */
    reason: string;
    /** Whether the same call may succeed later. */
    retry: boolean;
    /** The field of the request that is at fault, when there is one. */
    field: string | null;
    /** HTTP status, when the answer came over HTTP. */
    status: number | null;
    /** Milliseconds to wait before trying again, when the hub named them. */
    retryAfter: number | null;
    /**
     * Of a failed send or publish: give it to the next attempt, and it is stored once.
     * @type {string | null}
     */
    idempotencyKey: string | null;
    /**
     * The same for another caller: an error object belongs to who catches it.
     * @internal
     * @returns {AgentComError}
     */
    again(): AgentComError;
}
/** The hub, or this library, does not understand or accept the request. */
export class InvalidRequestError extends AgentComError {
}
/** No token, an unknown one, or one of another agent. */
export class AuthenticationError extends AgentComError {
}
/** An administrator revoked the token while it was in use; the client has stopped. */
export class TokenRevokedError extends AuthenticationError {
}
/** The token is good, but not for this. */
export class PermissionDeniedError extends AgentComError {
}
/** There is no such channel or path. */
export class NotFoundError extends AgentComError {
}
/** What was asked for is there already, or was done a moment ago. */
export class ConflictError extends AgentComError {
}
/** The request is larger than the hub takes, or the answer larger than the client does. */
export class TooLargeError extends AgentComError {
}
/** Too many requests, for longer than the call's timeout. */
export class RateLimitedError extends AgentComError {
}
/** The hub holds as many channels, subscriptions or mailboxes as it may. */
export class LimitReachedError extends AgentComError {
}
/** The hub cannot be reached, is stopping, or is too busy. */
export class UnavailableError extends AgentComError {
}
/** The hub's store is full or damaged; nothing was stored. */
export class StorageError extends AgentComError {
}
/** The hub made a mistake. */
export class InternalHubError extends AgentComError {
}
/** A newer connection of this agent took over; the client has stopped and stays so. */
export class ReplacedError extends AgentComError {
}
/** The hub and this library do not understand each other; the client has stopped. */
export class ProtocolError extends AgentComError {
}
/** No answer in time. A send may or may not be stored; see `idempotencyKey`. */
export class RequestTimeoutError extends AgentComError {
}
/** The client is closed. */
export class ClosedError extends AgentComError {
}
/**
 * code -> [class, retry], the table "Errors" of the wire protocol.
 * @internal
 * @type {Record<string, [typeof AgentComError, boolean]>}
 */
export const codes: Record<string, [typeof AgentComError, boolean]>;
export type ErrorDetails = {
    retry?: boolean | undefined;
    field?: string | null | undefined;
    status?: number | null | undefined;
    /**
     * milliseconds
     */
    retryAfter?: number | null | undefined;
    cause?: unknown;
};
