"""Who speaks when, by a voiceflow-server: a recording over HTTP, or live over a WebSocket.

    pip install websockets
    python server_client.py http://127.0.0.1:8080 meeting.flac
    ffmpeg -i call.mp3 -ar 16000 -ac 1 -f s16le - | python server_client.py --live http://127.0.0.1:8080 -
    VOICEFLOW_TOKEN=... python server_client.py --ca ca.pem https://voices.example meeting.flac

--live takes raw samples (16-bit, 16 kHz, mono) or a WAV file of such samples, and sends them no
faster than they are spoken.
"""

import argparse
import asyncio
import json
import os
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO

import websockets

RATE = 16_000  # samples a second, of 2 bytes each
CHUNK_S = 0.1
WAV_HEADER_BYTES = 44


def authorization() -> dict[str, str]:
    token = os.environ.get("VOICEFLOW_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def post(server: str, audio: BinaryIO, trust: ssl.SSLContext | None) -> None:
    """Posts a recording and prints its segments."""
    headers = {"Content-Type": "application/octet-stream", **authorization()}
    url = f"{server}/v1/audio/diarizations"
    request = urllib.request.Request(url, data=audio.read(), headers=headers)
    with urllib.request.urlopen(request, context=trust) as answer:
        show(json.load(answer)["segments"])


def show(segments: list[dict]) -> None:
    for segment in segments:
        print(f"{segment['start']:8.2f} {segment['end']:8.2f}  {segment['speaker']}", flush=True)


async def stream(server: str, audio: BinaryIO, trust: ssl.SSLContext | None) -> None:
    """Streams samples, and prints segments as soon as they are final."""
    url = server.replace("http", "ws", 1) + "/v1/audio/diarizations/stream"
    more = {"ssl": trust} if trust else {}
    async with websockets.connect(url, additional_headers=authorization(), **more) as socket:
        sender = asyncio.create_task(send(socket, audio))
        async for text in socket:
            message = json.loads(text)
            match message["type"]:
                case "diarization.update":
                    show(message["segments"])
                case "session.going_away":
                    print(f"the server ends within {message['within']} s", file=sys.stderr)
                case "error":
                    sender.cancel()
                    raise SystemExit(message["error"]["message"])
                case "diarization.done":
                    break
        # A server that ends the stream does not read to its end.
        sender.cancel()


async def send(socket: websockets.ClientConnection, audio: BinaryIO) -> None:
    """Sends a chunk whenever it is due, and says when there is no more."""
    clock, begin, sent_s = asyncio.get_running_loop(), None, 0.0
    while chunk := await asyncio.to_thread(audio.read, int(CHUNK_S * RATE) * 2):
        begin = clock.time() if begin is None else begin
        await asyncio.sleep(begin + sent_s - clock.time())
        # A pipe may end in the middle of a sample.
        await socket.send(chunk[: len(chunk) // 2 * 2])
        sent_s += CHUNK_S
    await socket.send(json.dumps({"type": "audio.end"}))


def samples(path: str) -> BinaryIO:
    """The file, or standard input, from its first sample."""
    if path == "-":
        return sys.stdin.buffer
    file = Path(path).open("rb")  # noqa: SIM115 - read to the end of the program
    if file.read(4) == b"RIFF":
        file.seek(WAV_HEADER_BYTES)
    else:
        file.seek(0)
    return file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("server", help="http://HOST:PORT or https://HOST:PORT")
    parser.add_argument("audio", help="a recording; with --live samples, - for standard input")
    parser.add_argument("--live", action="store_true", help="send samples as they are spoken")
    parser.add_argument("--ca", help="certificates that the server's may be signed by, as PEM")
    arguments = parser.parse_args()
    trust = ssl.create_default_context(cafile=arguments.ca) if arguments.ca else None
    server = arguments.server.rstrip("/")
    try:
        if arguments.live:
            asyncio.run(stream(server, samples(arguments.audio), trust))
        else:
            with Path(arguments.audio).open("rb") as recording:
                post(server, recording, trust)
    except urllib.error.HTTPError as refused:
        raise SystemExit(f"{refused.code}: {json.load(refused)['error']['message']}") from None
    except (OSError, websockets.InvalidHandshake) as failed:
        raise SystemExit(str(failed)) from None


if __name__ == "__main__":
    main()
