// The status page: asks /status.json every two seconds, and draws. All text comes in by textContent: what certificates
// and files are called is never HTML.
"use strict";

const interval = 2000; // ms between two questions
const kept = 150;      // samples: five minutes
const window_ = 5;     // samples that a quantile is taken over
const samples = [];

// --- elements -----------------------------------------------------------------------------------------------------------
function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

function draw(tag, attributes, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function replace(id, ...content) { document.getElementById(id).replaceChildren(...content); }

function pill(kind, text) { return make("span", "pill " + kind, text); }

// --- metrics ------------------------------------------------------------------------------------------------------------
function series(status, name, labels = {}) {
  return (status.metrics["keystay_" + name] || []).filter(
    one => Object.entries(labels).every(([key, value]) => one.labels[key] === value));
}

function sum(status, name, labels = {}) {
  return series(status, name, labels).reduce((total, one) => total + one.value, 0);
}

// Per second since the sample before. A server that was started anew begins at 0.
function rate(index, name, labels = {}) {
  if (index < 1) return null;
  const seconds = (samples[index].at - samples[index - 1].at) / 1000;
  const grown = sum(samples[index].status, name, labels) - sum(samples[index - 1].status, name, labels);
  return seconds > 0 ? Math.max(0, grown) / seconds : null;
}

function histogram(status, name, labels) {
  const counts = new Map();
  for (const one of series(status, name, labels)) {
    for (const [bound, count] of one.buckets) counts.set(bound, (counts.get(bound) || 0) + count);
  }
  return counts;
}

// Of what was observed in the last samples; null if nothing was.
function quantile(index, share, name, labels = {}) {
  const now = histogram(samples[index].status, name, labels);
  const before = histogram(samples[Math.max(0, index - window_)].status, name, labels);
  const buckets = [...now].map(([bound, count]) =>
    [bound === null ? Infinity : bound, count - (index > 0 ? before.get(bound) || 0 : 0)]);
  buckets.sort((left, right) => left[0] - right[0]);
  const total = buckets.length ? buckets[buckets.length - 1][1] : 0;
  if (total <= 0) return null;
  let low = 0, below = 0;
  for (const [bound, count] of buckets) {
    if (count >= share * total) {
      return bound === Infinity ? low : low + (bound - low) * (share * total - below) / Math.max(1, count - below);
    }
    [low, below] = [bound, count];
  }
  return low;
}

// --- numbers ------------------------------------------------------------------------------------------------------------
function count(value) {
  if (value === null) return "–";
  if (value >= 1e6) return (value / 1e6).toFixed(1) + " M";
  if (value >= 1e4) return (value / 1e3).toFixed(1) + " k";
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toString() : value.toFixed(value < 10 ? 2 : 1);
}

function time(seconds) {
  if (seconds === null) return "–";
  if (seconds >= 1) return seconds.toFixed(2) + " s";
  if (seconds >= 1e-3) return (seconds * 1e3).toFixed(seconds < 1e-2 ? 1 : 0) + " ms";
  return Math.round(seconds * 1e6) + " µs";
}

function bytes(value) {
  if (value === null) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; ++unit; }
  return (unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)) + " " + units[unit];
}

function duration(seconds) {
  if (seconds < 120) return Math.round(seconds) + " s";
  if (seconds < 7200) return Math.round(seconds / 60) + " min";
  return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.floor(seconds / 86400) + " days";
}

// --- tiles --------------------------------------------------------------------------------------------------------------
const failedResults = ["refused", "plain_http", "timed_out", "sign_failed", "client_address", "client_certificate",
  "proxy_header", "address_connections", "address_rate", "starttls", "unknown_name"];

function failedRate(index) {
  return index < 1 ? null : failedResults.reduce((total, result) => total + rate(index, "tlsd_handshakes_total", { result }), 0);
}

function tile(name, value, unit, note) {
  const number = make("div", "value", value);
  if (unit) number.append(" ", make("small", "", unit));
  return make("div", "tile", make("div", "name", name), number, make("div", "note", note));
}

function tiles(last) {
  const status = samples[last].status;
  const full = sum(status, "tlsd_handshakes_total", { result: "full" });
  const resumed = sum(status, "tlsd_handshakes_total", { result: "resumed" });
  const share = full + resumed > 0 ? Math.round(100 * resumed / (full + resumed)) + " %" : "–";
  const handshakes = last < 1 ? null
    : rate(last, "tlsd_handshakes_total", { result: "full" }) + rate(last, "tlsd_handshakes_total", { result: "resumed" });
  replace("tiles",
    tile("Connections", count(sum(status, "tlsd_connections")), "", "open now"),
    tile("Handshakes", count(handshakes), "/s", share + " resumed so far"),
    tile("Signatures", time(quantile(last, 0.5, "tlsd_sign_wait_seconds")), "",
      "median wait; p99 " + time(quantile(last, 0.99, "tlsd_sign_wait_seconds"))),
    tile("Waiting", count(sum(status, "tlsd_handshakes_paused")), "", "for a signature"),
    tile("Requests", count(rate(last, "tlsd_requests_total")), "/s", count(sum(status, "tlsd_requests_total")) + " so far"),
    tile("Server errors", count(rate(last, "tlsd_requests_total", { status: "5xx" })), "/s",
      count(sum(status, "tlsd_requests_total", { status: "5xx" })) + " so far"));
}

// --- charts -------------------------------------------------------------------------------------------------------------
const charts = [
  { title: "Handshakes per second", format: count, lines: [
    { name: "full", color: "blue", value: index => rate(index, "tlsd_handshakes_total", { result: "full" }) },
    { name: "resumed", color: "green", value: index => rate(index, "tlsd_handshakes_total", { result: "resumed" }) },
    { name: "failed", color: "red", value: failedRate }] },
  { title: "Wait for a signature", format: time, lines: [
    { name: "median", color: "blue", value: index => quantile(index, 0.5, "tlsd_sign_wait_seconds") },
    { name: "p99", color: "amber", value: index => quantile(index, 0.99, "tlsd_sign_wait_seconds") }] },
  { title: "Requests per second", format: count, lines: [
    { name: "2xx", color: "green", value: index => rate(index, "tlsd_requests_total", { status: "2xx" }) },
    { name: "4xx", color: "amber", value: index => rate(index, "tlsd_requests_total", { status: "4xx" }) },
    { name: "5xx", color: "red", value: index => rate(index, "tlsd_requests_total", { status: "5xx" }) }] },
  { title: "Bytes per second", format: bytes, lines: [
    { name: "in", color: "blue", value: index => traffic(index, "in", "client") },
    { name: "out", color: "green", value: index => traffic(index, "out", "backend") }] }];

function traffic(index, direction, from) {
  return index < 1 ? null : rate(index, "tlsd_http_bytes_total", { direction }) + rate(index, "tlsd_relayed_bytes_total", { from });
}

// 1, 2 or 5 times a power of ten, so that the labels are round; of bytes, times a power of 1024.
function ceiling(most, format) {
  if (most <= 0) return 1;
  const unit = format === bytes ? 1024 ** Math.floor(Math.log(Math.max(1, most)) / Math.log(1024)) : 1;
  const power = 10 ** Math.floor(Math.log10(most / unit));
  return [1, 2, 5, 10].map(factor => factor * power).find(bound => bound * unit >= most * 0.999) * unit;
}

const left = 60, right = 8, top_ = 10, bottom = 22;

function plot(svg, lines, format) {
  const width = svg.clientWidth || 560, height = svg.clientHeight || 170;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const most = ceiling(Math.max(0, ...lines.flatMap(line => line.points.filter(value => value !== null))), format);
  const x = index => left + (width - left - right) * (kept - samples.length + index) / (kept - 1);
  const y = value => height - bottom - (height - top_ - bottom) * value / most;
  const content = [];
  for (const part of [0, 0.5, 1]) {
    content.push(draw("line", { class: "grid", x1: left, x2: width - right, y1: y(most * part), y2: y(most * part) }));
    content.push(draw("text", { x: left - 8, y: y(most * part) + 4, "text-anchor": "end" }, part ? format(most * part) : "0"));
  }
  content.push(draw("text", { x: left, y: height - 5 }, "5 min ago"));
  content.push(draw("text", { x: width - right, y: height - 5, "text-anchor": "end" }, "now"));
  lines.forEach((line, number) => content.push(...trace(line, number === 0, x, y)));
  svg.replaceChildren(...content);
}

// Where nothing was observed the line has a gap; a point between two gaps is a short stroke.
function trace(line, filled, x, y) {
  const runs = [];
  line.points.forEach((value, index) => {
    if (value === null) return;
    if (index === 0 || line.points[index - 1] === null || !runs.length) runs.push([]);
    runs[runs.length - 1].push([x(index), y(value)]);
  });
  return runs.flatMap(run => {
    const path = run.map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join(" L ");
    const parts = [draw("path", { class: "line " + line.color, d: `M ${path}` + (run.length === 1 ? " h 1.5" : "") })];
    if (filled && run.length > 1) {
      const [first, last] = [run[0][0].toFixed(1), run[run.length - 1][0].toFixed(1)];
      parts.unshift(draw("path", { class: "area " + line.color, d: `M ${first} ${y(0)} L ${path} L ${last} ${y(0)} Z` }));
    }
    return parts;
  });
}

function makeCharts() {
  for (const chart of charts) {
    chart.svg = draw("svg", { role: "img", "aria-label": chart.title });
    chart.legend = make("div", "legend");
    document.getElementById("charts").append(
      make("div", "chart", make("div", "head", make("h3", "", chart.title), chart.legend), chart.svg));
  }
}

function drawCharts() {
  for (const chart of charts) {
    const lines = chart.lines.map(line => ({ ...line, points: samples.map((_, index) => line.value(index)) }));
    chart.legend.replaceChildren(...lines.map(line =>
      make("span", line.color, make("span", "quiet", line.name), " ", make("b", "", chart.format(line.points.at(-1))))));
    plot(chart.svg, lines, chart.format);
  }
}

// --- tables -------------------------------------------------------------------------------------------------------------
// Columns are [label, class of the cell]; the first cell of a row is its heading.
function table(id, columns, rows, nothing) {
  if (!rows.length) return replace(id, make("p", "empty", nothing));
  const head = make("tr", "", ...columns.map(([label, kind]) => make("th", kind, label)));
  const body = rows.map(cells => make("tr", "", ...cells.map((cell, index) => {
    const element = make(index === 0 ? "th" : "td", columns[index][1] || "");
    element.dataset.label = columns[index][0];
    element.append(make("div", "", ...(Array.isArray(cell) ? cell : [cell])));
    return element;
  })));
  replace(id, make("table", "", make("thead", "", head), make("tbody", "", ...body)));
}

function listeners(status) {
  table("listeners",
    [["Name"], ["Addresses"], ["Mode"], ["Backend"], ["Connections", "number"], ["Full", "number"], ["Resumed", "number"],
     ["Failed", "number"], ["Requests", "number"]],
    status.listeners.map(one => {
      const of = labels => ({ listener: one.name, ...labels });
      const handshakes = result => sum(status, "tlsd_handshakes_total", of({ result }));
      return [one.name, one.bind.join(", "), one.mode, one.backend, count(sum(status, "tlsd_connections", of())),
        count(handshakes("full")), count(handshakes("resumed")),
        count(failedResults.reduce((total, result) => total + handshakes(result), 0)),
        count(one.mode === "tcp" ? sum(status, "tlsd_relays_total", of()) : sum(status, "tlsd_requests_total", of()))];
    }), "There is no listener.");
}

function expiry(seconds, now) {
  const days = Math.floor((seconds - now) / 86400);
  const kind = days < 7 ? "bad" : days < 30 ? "warn" : "good";
  const text = seconds <= now ? "expired" : days === 1 ? "1 day" : days + " days";
  return [pill(kind, text), make("span", "quiet", new Date(seconds * 1000).toISOString().slice(0, 10))];
}

function certificates(status) {
  const rows = status.certificates.map(one => {
    const users = status.listeners.filter(listener => listener.certificates.includes(one.name)).map(listener => listener.name);
    const shown = one.dns_names.slice(0, 6).join(", ") + (one.dns_names.length > 6 ? ` and ${one.dns_names.length - 6} more` : "");
    return [one.name, shown || "–", [one.key, make("span", "quiet", one.on_token ? "on a token" : "in a file")],
      users.join(", ") || "–", expiry(one.not_after, status.time)];
  });
  for (const one of status.missing) rows.push([one.name, one.reason, "–", "–", pill("bad", "not loaded")]);
  table("certificates", [["Name"], ["Server names"], ["Key", "short"], ["Listeners"], ["Expires", "short"]], rows, "There is no certificate.");
}

function tokens(status) {
  const sources = series(status, "token_sessions");
  document.getElementById("tokens-section").hidden = !sources.length;
  table("tokens", [["Name"], ["In flight", "number"], ["Sessions", "number"], ["Waiting", "number"]],
    sources.map(one => [one.labels.source, count(sum(status, "token_in_flight", one.labels)), count(one.value),
      count(sum(status, "token_waiting", one.labels))]), "");
}

function groups(status) {
  document.getElementById("groups-section").hidden = !status.groups.length;
  table("groups",
    [["Group"], ["Member"], ["State"], ["In flight", "number"], ["Latency", "number"], ["Operations", "number"], ["Failed", "number"]],
    status.groups.map(one => [one.group, [one.member, ...(one.zone ? [make("span", "quiet", one.zone)] : [])],
      [pill(one.in_service ? (one.active ? "good" : "info") : "bad", one.in_service && !one.active ? "stands by" : one.service),
        ...(one.reason ? [make("span", "quiet", one.reason)] : [])],
      count(one.in_flight), one.latency > 0 ? time(one.latency) : "–", count(one.succeeded), count(one.failed)]), "");
}

function backends(status) {
  const last = samples.length - 1;
  table("backends",
    [["Name"], ["Servers"], ["2xx", "number"], ["4xx", "number"], ["5xx", "number"], ["First byte", "number"]],
    status.backends.map(one => {
      const of = labels => ({ backend: one.name, ...labels });
      const servers = one.servers.map(server => {
        const up = sum(status, "tlsd_backend_server_up", of({ server })) > 0;
        const failures = sum(status, "tlsd_backend_connect_failures_total", of({ server }));
        return make("div", "", server + " ", pill(up ? "good" : "bad", up ? "up" : "down"),
          failures ? make("span", "quiet", count(failures) + " failed connects") : "");
      });
      const requests = kind => count(sum(status, "tlsd_backend_requests_total", of({ status: kind })));
      return [one.name, servers, requests("2xx"), requests("4xx"), requests("5xx"),
        time(quantile(last, 0.5, "tlsd_backend_first_byte_seconds", of()))];
    }), "There is no backend.");
}

// --- the whole ----------------------------------------------------------------------------------------------------------
function problems(status) {
  const found = status.missing.map(one => make("li", "", `Not loaded: ${one.reason}`));
  for (const one of status.certificates) {
    if (one.not_after - status.time < 7 * 86400) {
      found.push(make("li", "", `Certificate ${one.name} ${one.not_after <= status.time ? "has expired" : "expires within a week"}` +
        (one.expires_first ? ` (${one.expires_first})` : "")));
    }
  }
  for (const one of status.groups.filter(member => !member.in_service)) {
    found.push(make("li", "warn", `Member ${one.member} of group ${one.group} is ${one.service}${one.reason ? ": " + one.reason : ""}`));
  }
  const list = document.getElementById("problems");
  list.hidden = !found.length;
  list.replaceChildren(...found);
}

function show() {
  const last = samples.length - 1;
  const status = samples[last].status;
  state(status.stopping ? "warn" : "good", status.stopping ? "stopping" : "serving");
  replace("since", `version ${status.version}, up for ${duration(status.time - status.started)}`);
  problems(status);
  tiles(last);
  drawCharts();
  listeners(status);
  certificates(status);
  tokens(status);
  groups(status);
  backends(status);
}

function state(kind, text) {
  const element = document.getElementById("state");
  element.className = "pill " + kind;
  if (element.textContent !== text) element.textContent = text; // or screen readers say it every two seconds
}

async function ask() {
  try {
    const response = await fetch("/status.json", { cache: "no-store" });
    if (!response.ok) throw new Error(response.status);
    samples.push({ at: performance.now(), status: await response.json() });
    if (samples.length > kept) samples.shift();
    show();
  } catch (error) {
    state("bad", "no answer");
    console.error(error);
  }
  setTimeout(ask, interval);
}

makeCharts();
addEventListener("resize", () => { if (samples.length) drawCharts(); });
ask();
