// The page: a recording or the microphone in, a timeline of who speaks when out.

const RATE = 16000;
const OPUS_BITS_PER_S = 24000;
// Seconds that the timeline of a live stream shows at least.
const SHORTEST_TIMELINE_S = 20;
// Colours that can be told apart with the common kinds of colour blindness (Okabe and Ito).
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b8a800", "#777777"];

const element = (id) => document.getElementById(id);
const state = {
  name: "recording", settled: [], provisional: [], names: {}, duration: 0, result: null, live: null,
};

const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const tenths = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
const speakers = () => [...new Set([...state.settled, ...state.provisional].map((segment) => segment.speaker))].sort();
// The name of an enrolled speaker, the label of another one.
const nameOf = (speaker) => state.names[speaker] ?? speaker;
const learnNames = (named) => named.forEach(({ speaker, name }) => name && (state.names[speaker] = name));
const colour = (speaker) => COLOURS[speakers().indexOf(speaker) % COLOURS.length];

function say(text, isError = false) {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
}

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function seek(seconds) {
  const player = element("player");
  if (!player.hidden) {
    player.currentTime = seconds;
  }
}

function bar(segment, isFinal, whole) {
  const made = make("div", { className: isFinal ? "segment" : "segment provisional" });
  made.style.left = `${(100 * segment.start) / whole}%`;
  made.style.width = `${(100 * (segment.end - segment.start)) / whole}%`;
  made.style.background = colour(segment.speaker);
  made.title = `${nameOf(segment.speaker)} ${tenths(segment.start)} to ${tenths(segment.end)}`;
  made.addEventListener("click", () => seek(segment.start));
  return made;
}

function show() {
  element("result").hidden = false;
  const whole = state.live ? Math.max(SHORTEST_TIMELINE_S, state.duration) : Math.max(state.duration, 0.1);
  state.whole = whole;
  element("end").textContent = minutes(whole);
  const rows = speakers().map((speaker) => {
    const of = (segments, isFinal) =>
      segments.filter((segment) => segment.speaker === speaker).map((segment) => bar(segment, isFinal, whole));
    return make("div", { className: "row" }, ...of(state.settled, true), ...of(state.provisional, false));
  });
  element("rows").replaceChildren(...rows);
  element("legend").replaceChildren(
    ...speakers().map((speaker) => {
      const spoken = state.settled
        .filter((segment) => segment.speaker === speaker)
        .reduce((sum, segment) => sum + segment.end - segment.start, 0);
      const swatch = make("span", { className: "swatch" });
      swatch.style.background = colour(speaker);
      return make("li", {}, swatch, `${nameOf(speaker)}, ${spoken.toFixed(1)} s`);
    }),
  );
  element("segments").replaceChildren(
    ...state.settled.map((segment) => {
      const text = `${tenths(segment.start)} to ${tenths(segment.end)} ${nameOf(segment.speaker)}`;
      const button = make("button", { type: "button", textContent: text });
      button.addEventListener("click", () => seek(segment.start));
      return make("li", {}, button);
    }),
  );
  element("downloads").hidden = state.live !== null || state.result === null;
}

function moveCursor() {
  const player = element("player");
  const seconds = state.live ? state.duration : player.currentTime;
  element("cursor").style.left = `${(100 * seconds) / (state.whole || 1)}%`;
  const items = element("segments").children;
  state.settled.forEach(({ start, end }, index) => {
    items[index]?.classList.toggle("now", !state.live && !player.hidden && start <= seconds && seconds < end);
  });
  requestAnimationFrame(moveCursor);
}

function play(blob) {
  const player = element("player");
  URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(blob);
  player.hidden = false;
}

function finish(result) {
  Object.assign(state, { settled: result.segments, provisional: [], duration: result.duration, result, live: null });
  state.names = {};
  learnNames(result.speakers.map(({ label, name }) => ({ speaker: label, name })));
  show();
  const count = result.num_speakers;
  say(count === 0 ? "Nobody speaks." : `${count} speaker${count === 1 ? "" : "s"} in ${minutes(result.duration)}.`);
}

// The messages in the lines of an answer, as they come.
async function* lines(response) {
  let rest = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const found = (rest + piece).split("\n");
    rest = found.pop();
    yield* found.filter((line) => line !== "").map((line) => JSON.parse(line));
  }
}

async function diarize(file) {
  Object.assign(state, { name: file.name.replace(/\.[^.]*$/, ""), settled: [], provisional: [], names: {}, result: null });
  element("result").hidden = true;
  element("progress").hidden = false;
  element("progress").value = 0;
  say(`Uploading ${file.name}.`);
  try {
    const form = new FormData();
    form.append("response_format", "ndjson");
    form.append("gallery", element("gallery").value);
    form.append("file", file);
    const response = await fetch("/v1/audio/diarizations", { method: "POST", body: form });
    if (!response.ok) {
      throw new Error((await response.json()).error.message);
    }
    for await (const line of lines(response)) {
      if (line.type === "progress") {
        say(`Working: ${line.stage}.`);
        element("progress").value = line.fraction;
      } else if (line.type === "result") {
        play(file);
        finish(line.result);
      } else {
        throw new Error(line.error.message);
      }
    }
  } catch (error) {
    say(error.message, true);
  }
  element("progress").hidden = true;
}

// 16-bit samples as a WAV file, to be played.
function wav(pieces) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const header = new DataView(new ArrayBuffer(44));
  const text = (at, letters) => [...letters].forEach((letter, index) => header.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  header.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, RATE, 4], [28, 2 * RATE, 4], [32, 2, 2], [34, 16, 2], [40, bytes, 4]].forEach(
    ([at, value, width]) => (width === 4 ? header.setUint32(at, value, true) : header.setUint16(at, value, true)),
  );
  text(36, "data");
  return new Blob([header, ...pieces], { type: "audio/wav" });
}

function listen(socket) {
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "diarization.update") {
      state.settled.push(...message.segments);
      learnNames(message.segments);
    } else if (message.type === "diarization.provisional") {
      state.provisional = message.segments;
      learnNames(message.segments);
    } else if (message.type === "audio.ack") {
      state.duration = message.processed_until;
    } else if (message.type === "diarization.done") {
      play(wav(state.pieces));
      finish(message.result);
      return;
    } else if (message.type === "session.going_away") {
      say("The server ends; the recording ends with it.");
    } else if (message.type === "error") {
      say(message.error.message, true);
      return;
    }
    show();
  });
  socket.addEventListener("close", ({ code, reason }) => {
    if (state.live) {
      stop();
      state.live = null;
      say(`The stream ended: ${reason || "the connection was lost"}${code ? ` (${code})` : ""}.`, true);
    }
  });
}

// How samples are sent: as packets of Opus, a tenth of the bytes, where the browser has an encoder.
async function makeSender() {
  const config = { codec: "opus", sampleRate: RATE, numberOfChannels: 1, bitrate: OPUS_BITS_PER_S };
  const supported = await globalThis.AudioEncoder?.isConfigSupported(config).catch(() => null);
  if (!supported?.supported) {
    return { encoding: "s16le", send: (socket, samples) => socket.send(samples), flush: async () => {} };
  }
  let [time, target] = [0, null];
  const encoder = new AudioEncoder({
    output(packet) {
      const bytes = new Uint8Array(packet.byteLength);
      packet.copyTo(bytes);
      if (target.readyState === WebSocket.OPEN) {
        target.send(bytes);
      }
    },
    error: (error) => say(error.message, true),
  });
  encoder.configure(config);
  return {
    encoding: "opus",
    send(socket, samples) {
      target = socket;
      const shape = { format: "s16", sampleRate: RATE, numberOfFrames: samples.length, numberOfChannels: 1 };
      const audio = new AudioData({ ...shape, timestamp: time, data: samples });
      time += (1e6 * samples.length) / RATE;
      encoder.encode(audio);
      audio.close();
    },
    async flush() {
      await encoder.flush();
      encoder.close();
    },
  };
}

async function record() {
  try {
    const media = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    const context = new AudioContext({ sampleRate: RATE });
    await context.audioWorklet.addModule("/worklet.js");
    const sender = await makeSender();
    const url = new URL("/v1/audio/diarizations/stream?result=true", location.href.replace(/^http/, "ws"));
    url.searchParams.set("encoding", sender.encoding);
    if (element("gallery").value) {
      url.searchParams.set("gallery", element("gallery").value);
    }
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error("No stream: the server is full, or away.")), { once: true });
    });
    Object.assign(state, {
      name: "recording", settled: [], provisional: [], names: {}, duration: 0, result: null, pieces: [],
      live: { media, context, socket, sender },
    });
    element("player").hidden = true;
    listen(socket);
    const node = new AudioWorkletNode(context, "recorder");
    node.port.addEventListener("message", ({ data }) => {
      if (state.live && socket.readyState === WebSocket.OPEN && !state.live.stopped) {
        state.pieces.push(data);
        sender.send(socket, data);
      }
    });
    node.port.start();
    context.createMediaStreamSource(media).connect(node);
    element("record").textContent = "Stop";
    element("record").setAttribute("aria-pressed", "true");
    say("Listening. Pale segments may still change.");
    show();
  } catch (error) {
    say(error.message, true);
  }
}

async function stop() {
  if (state.live.stopped) {
    return;
  }
  const { media, context, socket, sender } = state.live;
  state.live.stopped = true;
  media.getTracks().forEach((track) => track.stop());
  context.close();
  element("record").textContent = "Record from the microphone";
  element("record").setAttribute("aria-pressed", "false");
  await sender.flush().catch(() => {});
  if (socket.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ type: "audio.end" }));
    say("Finishing.");
  }
}

// Milliseconds as SubRip has them.
function srtTime(seconds) {
  const all = Math.round(seconds * 1000);
  const pad = (value, width) => String(value).padStart(width, "0");
  const [hours, rest] = [Math.floor(all / 3600000), all % 3600000];
  return `${pad(hours, 2)}:${pad(Math.floor(rest / 60000), 2)}:${pad(Math.floor((rest % 60000) / 1000), 2)},${pad(all % 1000, 3)}`;
}

const FORMATS = {
  json: ({ result }) => `${JSON.stringify(result, null, 2)}\n`,
  rttm: ({ name, settled }) =>
    settled
      .map(({ start, end, speaker }) => {
        const recording = name.replace(/\s/g, "_");
        const who = nameOf(speaker).replace(/\s/g, "_");
        return `SPEAKER ${recording} 1 ${start.toFixed(3)} ${(end - start).toFixed(3)} <NA> <NA> ${who} <NA> <NA>\n`;
      })
      .join(""),
  srt: ({ settled }) =>
    settled
      .map(({ start, end, speaker }, index) => `${index + 1}\n${srtTime(start)} --> ${srtTime(end)}\n${nameOf(speaker)}\n\n`)
      .join(""),
};

function download(format) {
  const url = URL.createObjectURL(new Blob([FORMATS[format](state)], { type: "text/plain" }));
  make("a", { href: url, download: `${state.name}.${format}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

element("file").addEventListener("change", ({ target }) => target.files[0] && diarize(target.files[0]));
element("record").addEventListener("click", () => (state.live ? stop() : record()));
element("downloads").addEventListener("click", ({ target }) => target.dataset.format && download(target.dataset.format));
const drop = element("drop");
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) {
    diarize(file);
  }
});
fetch("/v1/models")
  .then((response) => response.json())
  .then(({ data }) => {
    const said = ({ id, provider, default_for: uses }) => `${id} on ${provider} for ${uses.join(" and ")}`;
    element("model").textContent = data.map(said).join(", ");
  });
fetch("/v1/voices")
  .then((response) => (response.ok ? response.json() : { data: [] }))
  .then(({ data }) => {
    element("gallery").append(...data.map(({ id }) => make("option", { value: id, textContent: id })));
    element("voices").hidden = data.length === 0;
  });
requestAnimationFrame(moveCursor);
