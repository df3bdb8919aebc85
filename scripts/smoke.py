#!/usr/bin/env python3
"""Asks a server that has just been deployed whether it does its work: a recording, and a stream.

scripts/smoke.py https://voices.example [--ca ca.pem] [--speakers 3] [--wait 120]

Ends with 1, and why, where an answer is missing or is not that of the recording. A token is taken
from the variable VOICEFLOW_TOKEN. Needs the package websockets, as the client in
examples/python/server_client.py does.
"""

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import websockets

ROOT = Path(__file__).parents[1]
RECORDING = ROOT / "examples/data/conversation.flac"
RATE = 16_000
STREAM_S = 12
CHUNK_BYTES = RATE // 5 * 2
PATIENCE_S = 120


def authorization() -> dict[str, str]:
    token = os.environ.get("VOICEFLOW_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def samples() -> bytes:
    """The beginning of the recording, decoded."""
    command = [
        "flac",
        "--silent",
        "--decode",
        "--stdout",
        "--force-raw-format",
        "--endian=little",
        "--sign=signed",
    ]
    decoded = subprocess.run([*command, RECORDING], capture_output=True, check=True).stdout
    return decoded[: STREAM_S * RATE * 2]


def wait(server: str, trust: ssl.SSLContext | None, seconds: float) -> None:
    """Until the server is ready."""
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{server}/ready", context=trust, timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError as error:
            reason = str(error)
        if time.monotonic() > end:
            sys.exit(f"smoke: {server}/ready: expected 200 within {seconds:.0f} s, got {reason}")
        time.sleep(0.5)


def post(server: str, trust: ssl.SSLContext | None) -> dict:
    headers = {"Content-Type": "audio/flac", **authorization()}
    request = urllib.request.Request(
        f"{server}/v1/audio/diarizations", data=RECORDING.read_bytes(), headers=headers
    )
    try:
        with urllib.request.urlopen(request, context=trust, timeout=PATIENCE_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        sys.exit(f"smoke: a recording: expected 200, got {refused.code}: {refused.read().decode()}")


async def stream(server: str, trust: ssl.SSLContext | None) -> list[dict]:
    """The messages of a stream."""
    url = server.replace("http", "ws", 1) + "/v1/audio/diarizations/stream"
    more = {"ssl": trust} if trust else {}
    audio, messages = samples(), []
    async with websockets.connect(url, additional_headers=authorization(), **more) as socket:
        for start in range(0, len(audio), CHUNK_BYTES):
            await socket.send(audio[start : start + CHUNK_BYTES])
        await socket.send(json.dumps({"type": "audio.end"}))
        async with asyncio.timeout(PATIENCE_S):
            async for text in socket:
                messages.append(json.loads(text))
    return messages


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("server", help="http://HOST:PORT or https://HOST:PORT")
    parser.add_argument("--ca", help="certificates that the server's may be signed by, as PEM")
    parser.add_argument("--speakers", type=int, default=3, help="of the recording")
    parser.add_argument("--wait", type=float, default=60, help="longest time in seconds until it is ready")
    arguments = parser.parse_args()
    server = arguments.server.rstrip("/")
    trust = ssl.create_default_context(cafile=arguments.ca) if arguments.ca else None
    wait(server, trust, arguments.wait)
    found = post(server, trust)
    if found["num_speakers"] != arguments.speakers or not found["segments"]:
        sys.exit(f"smoke: expected {arguments.speakers} speakers, got {found['num_speakers']}")
    messages = asyncio.run(stream(server, trust))
    heard = [
        one
        for message in messages
        for one in message.get("segments", [])
        if message["type"] == "diarization.update"
    ]
    kinds = [message["type"] for message in messages]
    if not heard or kinds[-1] != "diarization.done":
        sys.exit(f"smoke: a stream: expected segments and diarization.done, got {kinds}")
    print(
        f"{server}: {len(found['segments'])} segments of {found['num_speakers']} speakers; {len(heard)} live"
    )


if __name__ == "__main__":
    main()
