// Makes a token for an agent and shows it, once.

import { hubUrl, post, reasonOf, shellWord } from "../base/api.js";
import { html, useState } from "../base/dom.js";
import { Command, CopyButton, Dialog, Name, Notice } from "../base/parts.js";

/** The clients that `agentcom connect` knows. */
const clients = ["claude", "codex", "gemini", "cursor", "vscode", "copilot", "opencode"];
const day = 86_400;
const lives = [{ label: "no end", seconds: 0 }, { label: "1 day", seconds: day }, { label: "30 days", seconds: 30 * day }, { label: "1 year", seconds: 365 * day }];

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (event.target).value;
}

/** @param {{ id: string, onIssued: () => void, onClose: () => void }} props */
export function IssueToken({ id, onIssued, onClose }) {
  const [role, setRole] = useState("agent");
  const [name, setName] = useState("");
  const [life, setLife] = useState(0);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [token, setToken] = useState("");

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError("");
    try {
      const made = await post("/admin/tokens", { agent_id: id, role, ...(name && { name }), ...(life && { expires_in: life }) });
      setToken(made.token);
      onIssued();
    } catch (reason) {
      setError(reasonOf(reason));
    }
    setBusy(false);
  };
  if (token) return html`<${Shown} id=${id} role=${role} token=${token} onClose=${onClose} />`;
  return html`<${Dialog} title="Issue a token" onClose=${onClose}>
    <form onSubmit=${submit}>
      <p>For <strong><${Name} text=${id} /></strong>. It is shown once; the hub keeps only a digest of it.</p>
      <div class="form-row">
        <label class="field"><span>Role</span><select value=${role} onChange=${(/** @type {Event} */ event) => setRole(valueOf(event))}>
          <option value="agent">agent</option><option value="observer">observer</option><option value="admin">admin</option></select></label>
        <label class="field"><span>Ends after</span><select value=${life} onChange=${(/** @type {Event} */ event) => setLife(Number(valueOf(event)))}>
          ${lives.map(({ label, seconds }) => html`<option key=${label} value=${seconds}>${label}</option>`)}</select></label>
      </div>
      <label class="field"><span>Name, for people (optional)</span>
        <input value=${name} maxlength="128" autocomplete="off" placeholder="laptop" onInput=${(/** @type {Event} */ event) => setName(valueOf(event))} /></label>
      ${role === "admin" && html`<${Notice} kind="warning" quietly>An administrator reads everything and can remove agents.<//>`}
      ${error && html`<${Notice} kind="critical">${error}<//>`}
      <div class="buttons"><button type="submit" class="button primary" disabled=${busy}>Issue the token</button>
        <button type="button" class="button" onClick=${onClose}>Cancel</button></div>
    </form>
  <//>`;
}

/** @param {{ id: string, role: string, token: string, onClose: () => void }} props */
function Shown({ id, role, token, onClose }) {
  const [client, setClient] = useState(clients[0]);
  const url = hubUrl();
  return html`<${Dialog} title="The new token" onClose=${onClose}>
    <div class="token-shown">
      <${Notice} kind="warning" quietly>Copy it now: it is not shown again.<//>
      <div class="command"><code id="issued-token">${token}</code><${CopyButton} text=${token} label="Copy token" class="primary" /></div>
      ${role === "agent" && html`
        <label class="field"><span>Connect a client</span><select value=${client} onChange=${(/** @type {Event} */ event) => setClient(valueOf(event))}>
          ${clients.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}</select></label>
        <${Command} text="agentcom connect ${client} --name ${shellWord(id)} --url ${url} --token-file -" label="Copy command" />
        <p class="quiet">It waits for the token: paste it, then press Enter and Ctrl+D. The token stays out of the shell's history that way.</p>`}
      ${role === "observer" && html`<p>Whoever has it opens <code>${url}/dashboard</code> and logs in with it: they see everything and change nothing.</p>`}
      <div class="buttons"><button type="button" class="button" onClick=${onClose}>Done, I have copied it</button></div>
    </div>
  <//>`;
}
