// Chromium, and pages of it that notice what must not happen in them.

import assert from "node:assert/strict";

import { chromium } from "playwright-core";

import { patienceMs } from "./hub.mjs";

const executable = process.env.AGENTCOM_CHROMIUM ?? "/usr/bin/chromium";

/// With a profile of its own, which is removed when the browser is closed.
export function launch() {
  return chromium.launch({
    executablePath: executable,
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
      "--disable-background-networking", "--disable-component-update",
    ],
  });
}

/// What Chromium itself writes to the console for a refused or impossible request.
export const unauthorized = /^Failed to load resource: .* 401 /;
export const notFound = /^Failed to load resource: .* 404 /;
export const unreachable = /^Failed to load resource: net::ERR_/;

/// Asked for by Chromium of its own accord; the hub has none and answers 404.
const icon = "/favicon.ico";

/// Opens the hub's dashboard in a new window, runs `visit(page)` and closes it. Fails when a request
/// went anywhere but to the hub, when a script failed, when something was against the page's
/// Content-Security-Policy, or when the console holds an error that is not among `expected`; that
/// nobody is logged in at first is expected. `base` stands before the page's path, and must before
/// everything that it asks for; `view` is the fragment.
export async function onDashboard(browser, hub, { expected = [], base = "", view = "", ...options }, visit) {
  const context = await browser.newContext({ locale: "en-US", timezoneId: "UTC", ...options });
  const strangers = [];
  const errors = [];
  const violations = [];
  context.setDefaultTimeout(patienceMs);
  context.on("request", (request) => {
    if (!request.url().startsWith(hub.url + base + "/") && request.url() !== hub.url + icon) strangers.push(request.url());
  });
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() !== "error" || message.location().url === hub.url + icon) return;
    if (![unauthorized, ...expected].some((known) => known.test(message.text()))) errors.push(message.text());
  });
  try {
    await context.exposeBinding("reportViolation", (_, text) => violations.push(text));
    await context.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) => {
        globalThis.reportViolation(`${violatedDirective} ${blockedURI} ${sample}`);
      });
    });
    const page = await context.newPage();
    await page.goto(hub.url + base + "/dashboard" + view);
    await visit(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(strangers, [], "requests to other hosts");
  assert.deepEqual(violations, [], "violations of the Content-Security-Policy");
  assert.deepEqual(errors, [], "errors in the console");
}

/// Waits until the page says how things stand.
export async function state(page, text) {
  await page.locator("#state").getByText(text, { exact: true }).waitFor();
}

export async function signIn(page, token) {
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Log in" }).click();
}

/// Opens the dashboard, logs in and waits until the stream runs.
export function loggedIn(browser, hub, { token = hub.adminToken, ...options }, visit) {
  return onDashboard(browser, hub, options, async (page) => {
    await signIn(page, token);
    await page.locator("#state.good, #state.bad").waitFor();
    await visit(page);
  });
}

/// Goes to a view as a link does.
export async function goTo(page, fragment) {
  await page.evaluate((hash) => void (location.hash = hash), fragment);
}

export function rowOf(page, agentId) {
  return page.locator(".virtual-row.agent-row").filter({ has: page.getByRole("link", { name: agentId, exact: true }) });
}

/// The row of an agent by column.
export async function numbersOf(page, agentId) {
  const cells = await rowOf(page, agentId).getByRole("cell").allTextContents();
  const [, status, , , sent, received, unread] = cells.map((text) => text.replace(/^(sent|received|unread)/, "").trim());
  return { status, sent, received, unread };
}

/// The names in the table, from top to bottom.
export function agentsShown(page) {
  return page.locator(".virtual-row.agent-row").evaluateAll((rows) => rows
    .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
    .map((row) => row.querySelector("a").textContent));
}

/// By how much the page is wider than the window.
export function widthTooMuch(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
