// The page in headless Chromium, with a recording as a file and as the microphone.
//
//   node page.mjs SERVER FOLDER    FOLDER has node_modules and mic.wav, and gets screenshots

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { createInterface } from "node:readline";

const [program, folder] = process.argv.slice(2);
const { chromium } = createRequire(resolve(folder, "page.mjs"))("playwright-core");
const recording = resolve(import.meta.dirname, "../../../examples/data/conversation.flac");
const PATIENCE = { timeout: 120_000 };

const voices = mkdtempSync(resolve(folder, "voices-"));
const keys = ["log.level=error", `voices.folder=${voices}`].flatMap((key) => ["--set", key]);
const server = spawn(program, ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", ...keys], {
  stdio: ["ignore", "pipe", "inherit"],
});
const first = await new Promise((done) => createInterface({ input: server.stdout }).once("line", done));
const address = first.replace("listening on ", "");
while (!(await fetch(`${address}/ready`)).ok) {
  await new Promise((done) => setTimeout(done, 50));
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${resolve(folder, "mic.wav")}%noloop`,
  ],
});
try {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, permissions: ["microphone"] });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  const shot = (name) => page.screenshot({ path: resolve(folder, `${name}.png`), fullPage: true });

  // A file: speakers, segments, downloads, the cursor.
  await page.goto(address);
  await page.setInputFiles("#file", recording);
  await page.waitForSelector("#downloads:not([hidden])");
  assert.equal(await page.textContent("#status"), "3 speakers in 0:52.");
  assert.equal(await page.locator(".row").count(), 3);
  const segments = await page.locator("#segments li").count();
  const texts = {};
  for (const format of ["rttm", "srt", "json"]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[data-format=${format}]`)]);
    assert.equal(download.suggestedFilename(), `conversation.${format}`);
    texts[format] = readFileSync(await download.path(), "utf8");
  }
  assert.equal(texts.rttm.trim().split("\n").length, segments);
  assert.match(texts.rttm, /^SPEAKER conversation 1 0\.\d{3} \d+\.\d{3} <NA> <NA> SPEAKER_00 <NA> <NA>\n/);
  assert.match(texts.srt, /^1\n00:00:00,\d{3} --> 00:00:0\d,\d{3}\nSPEAKER_00\n\n2\n/);
  assert.equal(JSON.parse(texts.json).segments.length, segments);
  await page.locator("#segments button").nth(4).press("Enter");
  await page.waitForSelector("#segments li:nth-child(5).now");
  assert.notEqual(await page.evaluate(() => document.getElementById("cursor").style.left), "0%");
  await shot("file");

  // An enrolled speaker has a name: the one who speaks first.
  const found = JSON.parse(texts.json).segments;
  const alone = (one) => found.every((it) => it === one || it.end <= one.start || one.end <= it.start);
  const own = found.filter((segment) => segment.speaker === "SPEAKER_00" && alone(segment));
  const mic = readFileSync(resolve(folder, "mic.wav"));
  const at = (seconds) => 44 + 2 * Math.round(seconds * 16000);
  const speech = Buffer.concat(own.map(({ start, end }) => mic.subarray(at(start), at(end))));
  const header = Buffer.from(mic.subarray(0, 44));
  header.writeUInt32LE(36 + speech.length, 4);
  header.writeUInt32LE(speech.length, 40);
  const enrolled = await fetch(`${address}/v1/voices/team/Ada%20L.`, {
    method: "PUT",
    headers: { "Content-Type": "audio/wav" },
    body: Buffer.concat([header, speech]),
  });
  assert.equal(enrolled.status, 201, await enrolled.text());
  await page.reload();
  await page.selectOption("#gallery", "team");
  await page.setInputFiles("#file", recording);
  await page.waitForSelector("#downloads:not([hidden])");
  assert.match(await page.textContent("#legend li:first-child"), /^Ada L\., \d/);
  assert.match(await page.textContent("#segments li:first-child"), / Ada L\.$/);
  const [named] = await Promise.all([page.waitForEvent("download"), page.click("[data-format=rttm]")]);
  assert.match(readFileSync(await named.path(), "utf8"), /^SPEAKER conversation 1 .* <NA> Ada_L\. <NA> <NA>\n/);
  await shot("names");

  // The microphone, by the keyboard: provisional segments are pale, final ones are kept.
  const opened = page.waitForEvent("websocket");
  await page.locator("#record").press("Space");
  const socket = await opened;
  assert.match(socket.url(), /result=true&encoding=opus&gallery=team$/);
  let [sent, packets] = [0, 0];
  socket.on("framesent", ({ payload }) => typeof payload !== "string" && ((sent += payload.length), packets++));
  const began = Date.now();
  await page.waitForFunction(() => document.querySelectorAll("#segments li").length === 0);
  await page.waitForSelector(".provisional");
  await page.waitForFunction(() => document.querySelectorAll("#segments li").length >= 2, null, PATIENCE);
  await shot("live");
  await page.locator("#record").press("Space");
  await page.waitForSelector("#downloads:not([hidden])");
  assert.match(await page.textContent("#status"), /^[12] speakers? in 0:\d\d\.$/);
  assert.match(await page.textContent("#legend"), /Ada L\., \d/);
  // A tenth of the bytes of samples, or a little more.
  const bytesPerS = (1000 * sent) / (Date.now() - began);
  assert.ok(packets > 50 && bytesPerS < 4500, `${packets} packets, ${bytesPerS} bytes a second`);

  // A phone: nothing is wider than its screen.
  await page.setViewportSize({ width: 390, height: 800 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await shot("phone");

  // What is no audio is said.
  await page.setInputFiles("#file", { name: "x.wav", mimeType: "audio/wav", buffer: Buffer.from("no audio") });
  await page.waitForSelector("#status.error");
  assert.match(await page.textContent("#status"), /^x: /);
  assert.deepEqual(errors, []);
  console.log("the page: all passed");
} finally {
  await browser.close();
  server.kill();
  rmSync(voices, { recursive: true });
}
