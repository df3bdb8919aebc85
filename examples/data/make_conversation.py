"""Makes conversation.flac and conversation.rttm: three synthetic voices in a small room, with
overlap.

Needs espeak-ng, flite (Debian packages), numpy and soundfile. The reference follows from where each
line is laid: it starts and ends with the line's own sound, and a pause of 0.3 s or more inside a
line ends a turn.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
HERE = Path(__file__).parent
PAUSE_S = 0.3

VOICES = {
    "ada": ["flite", "-voice", "slt"],
    "ben": ["flite", "-voice", "kal16"],
    "kim": ["espeak-ng", "-v", "en-us+f4", "-s", "150", "-p", "90"],
}

# Speaker, gap in seconds after the end of the line before (negative: overlap), text.
LINES = [
    ("ada", 0.6, "Good morning everyone. Shall we begin? The first point today is the new recording system."),
    ("ben", 0.4, "Yes. We tested it in the large meeting room on Tuesday, and the sound was very clear."),
    ("kim", 0.3, "Was that with one microphone, or with the whole array on the table?"),
    ("ben", 0.2, "Only one microphone, in the middle of the table, about two metres from each of us."),
    ("ada", -0.8, "That is better than I expected."),
    (
        "kim",
        0.5,
        "I listened to it again last night. When two people spoke at once, I could not follow at all.",
    ),
    ("ben", -0.5, "Right, that is the difficult part."),
    (
        "ada",
        0.7,
        "So we need to know who spoke when, even if they interrupt each other. Can we do that live?",
    ),
    ("kim", 0.4, "We can. It takes a few milliseconds for each second of sound, on an ordinary computer."),
    ("ben", 0.9, "Then I would like to see it on the next meeting. Could you set it up by Friday?"),
    ("kim", -0.4, "Friday is fine."),
    ("ada", 0.5, "Wonderful. Thank you both. Let us talk about the budget next."),
]


def speak(voice: list[str], text: str) -> np.ndarray:
    """The line at 16 kHz, trimmed to its sound, RMS 0.06."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.wav"
        option = ["-o", str(path), "-t", text] if voice[0] == "flite" else ["-w", str(path), text]
        subprocess.run([*voice, *option], check=True)
        audio, rate = soundfile.read(path, dtype="float32")
    if rate != RATE:
        at = np.arange(0, len(audio) - 1, rate / RATE)
        spectrum = np.fft.rfft(audio)
        spectrum[np.fft.rfftfreq(len(audio), 1 / rate) > RATE / 2] = 0
        audio = np.interp(at, np.arange(len(audio)), np.fft.irfft(spectrum, len(audio)))
    first, last = spans(audio)[0][0], spans(audio)[-1][1]
    audio = audio[int(first * RATE) : int(last * RATE)]
    return audio * (0.06 / np.sqrt(np.mean(audio**2)))


def spans(audio: np.ndarray) -> list[tuple[float, float]]:
    """Stretches of sound in seconds; pauses under 0.3 s belong to them."""
    step = RATE // 100
    level = np.sqrt(np.mean(audio[: len(audio) // step * step].reshape(-1, step) ** 2, axis=1))
    loud = np.flatnonzero(level > 0.02 * level.max())
    breaks = np.flatnonzero(np.diff(loud) > PAUSE_S * 100)
    starts = [loud[0], *loud[breaks + 1]]
    ends = [*loud[breaks], loud[-1]]
    return [(start / 100, (end + 1) / 100) for start, end in zip(starts, ends, strict=True)]


def room(random: np.random.Generator) -> np.ndarray:
    """The response of a small dry room: the direct sound and a short decaying tail."""
    time = np.arange(RATE // 4) / RATE
    tail = random.standard_normal(len(time)) * np.exp(-time / 0.035) * 0.03
    tail[0] = 1.0
    return tail


def main() -> None:
    random = np.random.default_rng(11)
    rooms = {name: room(random) for name in VOICES}
    clock, laid = 0.0, []
    for name, gap, text in LINES:
        audio = speak(VOICES[name], text)
        start = max(clock + gap, 0.0)
        laid.append((name, start, audio))
        clock = max(clock, start + len(audio) / RATE)
    mix = np.zeros(int((clock + 0.8) * RATE))
    turns = []
    for name, start, audio in laid:
        wet = np.convolve(audio, rooms[name])
        at = int(start * RATE)
        mix[at : at + len(wet)] += wet[: len(mix) - at]
        turns += [(start + begin, start + end, name) for begin, end in spans(audio)]
    mix += 0.0008 * random.standard_normal(len(mix))
    soundfile.write(HERE / "conversation.flac", mix / np.abs(mix).max() * 0.7, RATE, subtype="PCM_16")
    rows = [
        f"SPEAKER conversation 1 {start:.3f} {end - start:.3f} <NA> <NA> {name} <NA> <NA>\n"
        for start, end, name in sorted(turns)
    ]
    (HERE / "conversation.rttm").write_text("".join(rows))


if __name__ == "__main__":
    main()
