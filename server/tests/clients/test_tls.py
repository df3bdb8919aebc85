"""TLS with certificates of clients, by the ssl module of Python and websockets."""

import asyncio
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import websockets
from conftest import PATIENTLY, running
from websockets.exceptions import WebSocketException


@pytest.fixture(scope="module")
def secure(certificates: Path) -> Iterator[str]:
    """A server that asks its clients for certificates."""
    names = {"certificate": "server.pem", "key": "server.key", "client_ca": "ca.pem"}
    keys = [f"tls.{key}={certificates / name}" for key, name in names.items()]
    with running("live.capacity=4", *keys) as server:
        yield server.address


def test_websockets_streams_over_tls(secure: str, certificates: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    trust.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    types = asyncio.run(types_of_messages(f"wss://{secure}/v1/audio/diarizations/stream", trust))
    assert types[0] == "session.ready" and types[-1] == "diarization.done"


async def types_of_messages(url: str, trust: ssl.SSLContext) -> list[str]:
    """The types of what a stream of 100 ms answers."""
    async with websockets.connect(url, ssl=trust, **PATIENTLY) as socket:
        await socket.send(bytes(3200))
        await socket.send(json.dumps({"type": "audio.end"}))
        return [json.loads(message)["type"] async for message in socket]


def test_websockets_is_refused_without_a_certificate(secure: str, certificates: Path) -> None:
    trust = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    # In TLS 1.3 the refusal comes after what the client takes for the end of the handshake.
    with pytest.raises((ssl.SSLError, ConnectionError, WebSocketException)):
        asyncio.run(types_of_messages(f"wss://{secure}/v1/audio/diarizations/stream", trust))
