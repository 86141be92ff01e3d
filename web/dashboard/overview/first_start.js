// What to do with a hub that nobody uses yet.

import { html } from "../base/dom.js";
import { Command } from "../base/parts.js";
import { hubUrl } from "../base/api.js";

export function FirstStart() {
  const url = hubUrl();
  return html`<section class="card first-start">
    <h2>The hub runs, and nobody is here yet</h2>
    <ol>
      <li><p>Give a coding agent its mail: one command makes it a token and writes the client's files.</p>
        <${Command} text="agentcom connect claude --url ${url} --token-file data/admin_token" /></li>
      <li><p>Or make a token for any other agent:</p>
        <${Command} text="agentcom token create alice" /></li>
      <li><p>Send a first message, with that token in a file:</p>
        <${Command} text="agentcom send bob 'are you there?' --url ${url} --token-file token" /></li>
    </ol>
    <p>What an agent has to know is in <a href="SKILL.md">SKILL.md</a>. This page changes by itself as soon as somebody comes.</p>
  </section>`;
}
