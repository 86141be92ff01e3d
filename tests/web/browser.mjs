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
export const unreachable = /^Failed to load resource: net::ERR_/;

/// Asked for by Chromium of its own accord; the hub has none and answers 404.
const icon = "/favicon.ico";

/// Opens the hub's dashboard in a new window, runs `visit(page)` and closes it. Fails when a request
/// went anywhere but to the hub, when a script failed, or when the console holds an error that is
/// not among `expected`. `base` stands before the page's path, and must before everything that it
/// asks for.
export async function onDashboard(browser, hub, { expected = [], base = "", ...options }, visit) {
  const context = await browser.newContext({ locale: "en-US", timezoneId: "UTC", ...options });
  const strangers = [];
  const errors = [];
  context.setDefaultTimeout(patienceMs);
  context.on("request", (request) => {
    if (!request.url().startsWith(hub.url + base + "/") && request.url() !== hub.url + icon) strangers.push(request.url());
  });
  context.on("weberror", (error) => errors.push(String(error.error())));
  context.on("console", (message) => {
    if (message.type() !== "error" || message.location().url === hub.url + icon) return;
    if (!expected.some((known) => known.test(message.text()))) errors.push(message.text());
  });
  try {
    await context.clock.install();  // runs as usual, but may be put forward
    const page = await context.newPage();
    await page.goto(hub.url + base + "/dashboard");
    await visit(page);
  } finally {
    await context.close();
  }
  assert.deepEqual(strangers, [], "requests to other hosts");
  assert.deepEqual(errors, [], "errors in the console");
}

/// Waits until the page says how things stand.
export async function state(page, text) {
  await page.locator("#state").getByText(text, { exact: true }).waitFor();
}

/// Puts the page's clock forward to its next refresh.
export function nextRefresh(page) {
  return page.clock.fastForward(5000);
}

export async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Show the dashboard" }).click();
}

export function rowOf(page, agentId) {
  const header = page.getByRole("rowheader", { name: agentId, exact: true });
  return page.getByRole("row").filter({ has: header });
}

/// The row of an agent by column, without when it was last active.
export async function numbersOf(page, agentId) {
  const cells = await rowOf(page, agentId).getByRole("cell").allTextContents();
  const [status, sent, received, thisHour, , connections] = cells;
  return { status, sent, received, thisHour, connections };
}

export async function totals(page) {
  const texts = await page.locator("#totals > div").evaluateAll(
    (groups) => groups.map((group) => [group.children[0].textContent, group.children[1].textContent]));
  return Object.fromEntries(texts);
}

export function agentsShown(page) {
  return page.getByRole("rowheader").allTextContents();
}
