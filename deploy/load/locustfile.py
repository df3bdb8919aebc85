"""Load for a voiceflow-server by Locust: recordings, and live streams in real time.

    pip install locust websocket-client
    RECORDING=meeting.flac SAMPLES=call.raw locust --headless -u 20 -r 5 -t 1m -H http://127.0.0.1:8080 \\
        -f deploy/load/locustfile.py

SAMPLES are raw: 16-bit, 16 kHz, mono. Locust waits for an answer before it asks again, so that it
shows what clients feel and not what a server withstands: `voiceflow bench --server` is for that.
"""

import json
import os
import time
from pathlib import Path

import gevent
import websocket
from locust import HttpUser, User, between, task

RATE = 16_000  # samples a second, of 2 bytes each
CHUNK_S = 0.1
TOKEN = os.environ.get("VOICEFLOW_TOKEN")
HEADERS = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}


class Recordings(HttpUser):
    """Posts a recording, and another one some seconds after its answer."""

    wait_time = between(1, 5)

    def on_start(self) -> None:
        self.recording = Path(os.environ["RECORDING"]).read_bytes()

    @task
    def diarize(self) -> None:
        headers = {"Content-Type": "application/octet-stream", **HEADERS}
        url = "/v1/audio/diarizations"
        with self.client.post(url, data=self.recording, headers=headers, catch_response=True) as answer:
            if answer.status_code in (429, 503):
                answer.failure(f"refused: {answer.json()['error']['code']}")
            elif answer.ok and "segments" not in answer.json():
                answer.failure("no segments")


class Streams(User):
    """Streams samples as they are spoken; each answer is a request named `stream`."""

    wait_time = between(1, 5)

    def on_start(self) -> None:
        self.samples = Path(os.environ["SAMPLES"]).read_bytes()

    def fire(self, name: str, milliseconds: float, error: Exception | None = None) -> None:
        self.environment.events.request.fire(
            request_type="WebSocket",
            name=name,
            response_time=milliseconds,
            response_length=0,
            exception=error,
            context={},
        )

    @task
    def stream(self) -> None:
        url = self.host.replace("http", "ws", 1) + "/v1/audio/diarizations/stream"
        began = time.monotonic()
        try:
            socket = websocket.create_connection(url, timeout=60, header=HEADERS)
        except (OSError, websocket.WebSocketException) as error:
            self.fire("open", (time.monotonic() - began) * 1e3, error)
            return
        self.fire("open", (time.monotonic() - began) * 1e3)
        # When the end of each chunk in the stream was due.
        begin = time.monotonic()
        sender = gevent.spawn(self.send, socket, begin)
        try:
            self.read(socket, begin)
        except (OSError, websocket.WebSocketException) as error:
            self.fire("stream", 0, error)
        finally:
            sender.kill()
            socket.close()

    def send(self, socket: websocket.WebSocket, begin: float) -> None:
        size = int(CHUNK_S * RATE) * 2
        for index, start in enumerate(range(0, len(self.samples), size)):
            gevent.sleep(max(0.0, begin + index * CHUNK_S - time.monotonic()))
            socket.send_binary(self.samples[start : start + size])
        socket.send(json.dumps({"type": "audio.end"}))

    def read(self, socket: websocket.WebSocket, begin: float) -> None:
        while True:
            message = json.loads(socket.recv())
            if message["type"] == "audio.ack":
                # The last chunk of what is processed was due a chunk before its end.
                due = begin + max(0.0, message["processed_until"] - CHUNK_S)
                self.fire("stream", (time.monotonic() - due) * 1e3)
            elif message["type"] == "error":
                self.fire("stream", 0, RuntimeError(message["error"]["code"]))
                return
            elif message["type"] == "diarization.done":
                return
