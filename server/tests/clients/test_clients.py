"""Clients that others wrote work unchanged: openai, websockets, curl, and schemathesis, which makes
requests of the description of the interface."""

import io
import json
import subprocess
import sys
import urllib.parse
import wave
from pathlib import Path

import openai
import pytest
import websockets.sync.client
from conftest import PATIENTLY
from openai.types.audio import TranscriptionDiarized
from websockets.exceptions import InvalidStatus

FRAME_BYTES = 2
PIECE_S = 0.1
RATE = 16_000  # the recording's


@pytest.fixture
def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"http://{address}/v1", api_key="none", max_retries=0)


def test_openai_lists_models(client: openai.OpenAI) -> None:
    [model] = client.models.list().data
    assert model.object == "model" and model.id.startswith("fast-cnn/") and model.owned_by == "voiceflow"
    assert client.models.retrieve("fast-cnn").id == model.id


def test_openai_posts_a_recording(client: openai.OpenAI, recording: Path) -> None:
    with recording.open("rb") as file:
        answer = client.post(
            "/audio/diarizations",
            body={"model": "fast-cnn", "num_speakers": "3"},
            files={"file": file},
            options={"headers": {"Content-Type": "multipart/form-data"}},
            cast_to=object,
        )
    assert answer["task"] == "diarize" and answer["num_speakers"] == 3
    assert {segment["speaker"] for segment in answer["segments"]} == {
        f"SPEAKER_0{index}" for index in range(3)
    }


def alone(recording: Path, speaker: str) -> bytes:
    """What a speaker says, as a recording of its own."""
    audio, speech = samples(recording), b""
    for line in recording.with_suffix(".rttm").read_text().splitlines():
        _, _, _, start, duration, _, _, who, *_ = line.split()
        if who == speaker:
            begin, end = (int(float(at) * RATE) for at in (start, float(start) + float(duration)))
            speech += audio[begin * FRAME_BYTES : end * FRAME_BYTES]
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setparams((1, FRAME_BYTES, RATE, 0, "NONE", ""))
        file.writeframes(speech)
    return held.getvalue()


def test_openai_enrols_voices_and_reads_their_names(client: openai.OpenAI, recording: Path) -> None:
    reference = recording.with_suffix(".rttm").read_text().splitlines()
    who = sorted({line.split()[7] for line in reference})
    form = {"options": {"headers": {"Content-Type": "multipart/form-data"}}, "cast_to": object}
    for name, speaker in zip(("Ada Lovelace", "Ben/2"), who[:2], strict=True):
        path = f"/voices/team/{urllib.parse.quote(name, safe='')}"
        voice = client.put(path, files={"file": ("x.wav", alone(recording, speaker))}, **form)
        assert voice["name"] == name and voice["recordings"] == 1 and voice["speech"] > 3
    renamed = client.patch("/voices/team/Ben%2F2", body={"name": "Ben"}, cast_to=object)
    assert renamed["name"] == "Ben"
    listed = client.get("/voices/team", cast_to=object)
    assert [voice["name"] for voice in listed["data"]] == ["Ada Lovelace", "Ben"]
    with recording.open("rb") as file:
        answer = client.post("/audio/diarizations", body={"gallery": "team"}, files={"file": file}, **form)
    assert sorted(it["name"] or "" for it in answer["speakers"]) == ["", "Ada Lovelace", "Ben"]
    assert {segment.get("name") for segment in answer["segments"]} == {None, "Ada Lovelace", "Ben"}
    whose = client.post(
        "/audio/identify",
        body={"gallery": "team"},
        files={"file": ("x.wav", alone(recording, who[1]))},
        **form,
    )
    assert whose["name"] == "Ben" and whose["name_score"] > 0.9
    assert client.delete("/voices/team", cast_to=object) == {"id": "team", "deleted": True}
    with pytest.raises(openai.NotFoundError) as refused:
        client.get("/voices/team", cast_to=object)
    assert refused.value.code == "gallery_not_found"


def test_openai_reads_words_with_speakers(client: openai.OpenAI, recording: Path) -> None:
    words = [{"word": f"w{index}", "start": float(index), "end": index + 0.5} for index in range(1, 50)]
    with recording.open("rb") as file:
        answer = client.post(
            "/audio/diarizations",
            body={"response_format": "diarized_json", "words": json.dumps({"words": words})},
            files={"file": file},
            options={"headers": {"Content-Type": "multipart/form-data"}},
            cast_to=TranscriptionDiarized,
        )
    assert answer.task == "transcribe" and {segment.speaker for segment in answer.segments} >= {"SPEAKER_00"}
    assert " ".join(segment.text for segment in answer.segments) == " ".join(word["word"] for word in words)


def test_openai_reads_errors(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client.models.retrieve("whisper-1")
    assert refused.value.code == "model_not_found" and refused.value.param == "model"
    with pytest.raises(openai.BadRequestError) as refused:
        client.post(
            "/audio/diarizations",
            files={"file": b"no audio"},
            options={"headers": {"Content-Type": "multipart/form-data"}},
            cast_to=object,
        )
    assert refused.value.code == "VF_E_AUDIO" and refused.value.type == "invalid_request_error"
    assert refused.value.request_id


def samples(recording: Path) -> bytes:
    """At 16 bits, at the rate of the recording."""
    command = ["flac", "-s", "-d", "-c", "--force-raw-format", "--endian=little", "--sign=signed", recording]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_websockets_streams_a_recording(address: str, recording: Path) -> None:
    audio, piece = samples(recording), int(PIECE_S * RATE) * FRAME_BYTES
    url = f"ws://{address}/v1/audio/diarizations/stream?result=true"
    with websockets.sync.client.connect(url, **PATIENTLY) as socket:
        assert json.loads(socket.recv())["type"] == "session.ready"
        for start in range(0, len(audio), piece):
            socket.send(audio[start : start + piece])
        socket.send(json.dumps({"type": "audio.end"}))
        messages = [json.loads(message) for message in socket]
    kinds = [message["type"] for message in messages]
    assert kinds[-1] == "diarization.done" and {
        "diarization.update",
        "diarization.provisional",
        "audio.ack",
    } <= set(kinds)
    segments = [
        it for message in messages if message["type"] == "diarization.update" for it in message["segments"]
    ]
    assert len(segments) > 5 and len({segment["speaker"] for segment in segments}) == 3
    assert messages[-1]["result"]["num_speakers"] == 3
    assert socket.close_code == 1000


def test_websockets_reads_a_refusal(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        websockets.sync.client.connect(f"ws://{address}/v1/audio/diarizations/stream?latency=9", **PATIENTLY)
    assert refused.value.response.status_code == 400
    assert json.loads(refused.value.response.body)["error"]["param"] == "latency"


def test_curl_posts_a_form_and_a_body(address: str, recording: Path) -> None:
    url = f"http://{address}/v1/audio/diarizations"
    form = ["curl", "-sf", "-F", f"file=@{recording}", "-F", "response_format=rttm", url]
    body = ["curl", "-sf", "-T", recording, "-X", "POST", f"{url}?response_format=rttm"]
    chunked = [*body, "-H", "Transfer-Encoding: chunked"]
    answers = [
        subprocess.run(command, capture_output=True, check=True, text=True).stdout
        for command in (form, body, chunked)
    ]
    assert answers[0].startswith("SPEAKER conversation 1 ")
    assert answers[1] == answers[2] == answers[0].replace("conversation", "recording")


def test_the_description_holds(address: str, tmp_path: Path) -> None:
    """What is described is answered as described, and what is not is refused."""
    program = Path(sys.executable).with_name("schemathesis")
    command = [program, "run", f"http://{address}/openapi.json", "--max-examples", "20", "--seed", "1"]
    command += [
        "--checks",
        "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
    ]
    command += ["--exclude-path", "/v1/audio/diarizations/stream", "--request-timeout", "600"]
    command += ["--suppress-health-check", "too_slow"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
