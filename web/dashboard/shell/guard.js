// Keeps a view that fails from taking the whole page with it.

import { Component } from "preact";

import { html } from "../base/dom.js";
import { Notice } from "../base/parts.js";

/** @extends {Component<{ children?: import("../base/dom.js").Children }, { failed: string }>} */
export class Guard extends Component {
  state = { failed: "" };

  /** @param {unknown} error */
  static getDerivedStateFromError(error) {
    return { failed: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }

  /** @param {unknown} error */
  componentDidCatch(error) {
    console.error(error);
  }

  render() {
    if (!this.state.failed) return this.props.children;
    return html`<h1>This view has failed</h1>
      <${Notice} kind="critical"><p>That is a mistake of the page, not of the hub: <code>${this.state.failed}</code></p>
        <p><button type="button" class="button small" onClick=${() => this.setState({ failed: "" })}>Show it again</button></p><//>`;
  }
}
