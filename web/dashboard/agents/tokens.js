// An agent's tokens: which there are, a new one (shown once), and the end of one.

import { ask, path } from "../base/api.js";
import { html, useState } from "../base/dom.js";
import { dateTime } from "../base/format.js";
import { Confirm, Loading, Name, Notice } from "../base/parts.js";
import { useAnswer } from "../live/store.js";
import { IssueToken } from "./issue_token.js";

/**
 * @typedef {object} TokenSummary
 * @property {string} token_prefix the first digits, and three dots
 * @property {string} agent_id
 * @property {string | null} name
 * @property {string} role
 * @property {number | string} created_at
 * @property {number | string | null} expires_at
 * @property {string | null} [last_used_day]
 */

/** @param {{ id: string }} props */
export function Tokens({ id }) {
  const [issuing, issue] = useState(false);
  const [revoking, revoke] = useState(/** @type {TokenSummary | null} */ (null));
  const [version, setVersion] = useState(0);
  const again = () => setVersion(version + 1);
  const { data, error } = useAnswer("/admin/tokens?" + new URLSearchParams({ agent: id }), version);
  /** @type {TokenSummary[] | undefined} */
  const tokens = data?.tokens;

  return html`<section class="card" aria-label="Tokens"><div class="section-head"><h2>Tokens</h2>
      <button type="button" class="button small" onClick=${() => issue(true)}>Issue a token</button></div>
    ${error && html`<${Notice} kind="critical">${error}<//>`}
    ${tokens === undefined ? !error && html`<${Loading} />`
      : tokens.length === 0 ? html`<p class="quiet">It has none, so it cannot connect.</p>`
      : html`<ul class="tokens">${tokens.map((token) => html`<li key=${token.token_prefix}>
          <div><code>${token.token_prefix}</code> ${token.name && html`<${Name} text=${token.name} /> `}<span class="quiet">${token.role}</span>
            <div class="quiet">${lifeOf(token)}</div></div>
          <button type="button" class="button small danger" aria-label="Revoke ${token.token_prefix}" onClick=${() => revoke(token)}>Revoke</button>
        </li>`)}</ul>`}
    ${issuing && html`<${IssueToken} id=${id} onIssued=${again} onClose=${() => issue(false)} />`}
    ${revoking && html`<${Confirm} title="Revoke this token?" action="Revoke" onClose=${() => revoke(null)}
        onConfirm=${async () => {
          await ask("DELETE", path`/admin/tokens/${id}` + `?prefix=${digitsOf(revoking)}`);
          again();
        }}>
      <p>The token <code>${revoking.token_prefix}</code> of <strong><${Name} text=${id} /></strong> is no longer good, its connections are
        closed, and dashboards that were opened with it are logged out. This cannot be undone.</p><//>`}
  </section>`;
}

/** What tells the token from the agent's others; never empty, which would mean all of them.
 * @param {TokenSummary} token */
function digitsOf({ token_prefix }) {
  const [digits] = /^[0-9a-f]+/.exec(token_prefix) ?? [];
  if (!digits) throw new Error("The hub did not say which token this is.");
  return digits;
}

/** @param {TokenSummary} token */
function lifeOf({ created_at, expires_at, last_used_day }) {
  const when = (/** @type {number | string} */ at) => dateTime(new Date(at).getTime());
  return [
    `made ${when(created_at)}`, last_used_day ? `last used ${last_used_day}` : "never used", expires_at ? `ends ${when(expires_at)}` : "no end",
  ].join(" · ");
}

