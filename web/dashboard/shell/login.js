// Asks for a token, once: the hub then keeps a session, and the page forgets the token.

import { HubError, reasonOf } from "../base/api.js";
import { html, useEffect, useRef, useState } from "../base/dom.js";
import { Command, Notice } from "../base/parts.js";
import { store, useStore } from "../live/store.js";

/** What a token looks like; an administrator may have set a shorter or longer one. */
const tokenForm = /^[\x21-\x7e]{16,512}$/;

export function Login() {
  const farewell = useStore((state) => state.farewell);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState("");
  useEffect(() => {
    document.title = "Log in · AgentCom";
    field.current?.focus();
  }, []);

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const input = field.current;
    if (!input || busy) return;
    const token = input.value.trim();
    if (!tokenForm.test(token)) {
      setRefusal("This is no token: a token is 64 digits 0-9 and a-f.");
      input.focus();
      return;
    }
    setBusy(true);
    setRefusal("");
    try {
      await store.signIn(token);
    } catch (error) {
      const wrong = error instanceof HubError && error.status === 401;
      setRefusal(wrong ? "The hub does not accept this token. It may be mistyped, revoked or expired." : reasonOf(error));
      setBusy(false);
      input.select();
      input.focus();
    }
  };

  return html`<main class="page narrow login">
    <h1 class="brand">AgentCom</h1>
    ${farewell && html`<${Notice} kind="warning">${farewell}<//>`}
    <form class="card" onSubmit=${submit} novalidate>
      ${refusal && html`<${Notice} kind="critical">${refusal}<//>`}
      <label class="field"><span>Token</span>
        <input ref=${field} id="token" type="password" class="mono" autocomplete="off" spellcheck=${false}
          aria-describedby="token-help" aria-invalid=${refusal ? "true" : undefined} /></label>
      <button type="submit" class="button primary" disabled=${busy}>${busy ? "Logging in…" : "Log in"}</button>
      <p id="token-help" class="quiet">The page does not keep the token: the hub keeps a session for this browser until you log out.</p>
    </form>
    <section class="card">
      <h2>Where a token comes from</h2>
      <p>Whoever runs the hub makes one. It is enough to look, without being able to send:</p>
      <${Command} text="agentcom token create NAME --role observer" />
      <p>The first administrator's is in the file <code>admin_token</code> of the hub's data directory:</p>
      <${Command} text="cat /var/lib/agentcom/admin_token" />
    </section>
  </main>`;
}
