"""The life of a model: checked, measured, published to S3 (moto), promoted, and found by a running
server under load, which changes to it and back."""

import json
import urllib.error
import urllib.request
from pathlib import Path

from registries import (
    Bucket,
    Folder,
    models,
    publish,
    publisher,
    publishing,
    tiny,
    wait_until,
    write_tiny_model,
)
from servers import Load, check_served, end, post, serve


def ask(url: str, body: bytes) -> tuple[int, dict]:
    """Status and answer of a POST."""
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def look_age_s(admin: str) -> float:
    """For how long the server has not found out what it should run."""
    with urllib.request.urlopen(f"http://{admin}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    name = 'voiceflow_model_look_age_seconds{arm="stable"} '
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_a_server_under_load_changes_to_what_is_promoted_and_back(
    bucket: Bucket, recordings: Path, tmp_path: Path
) -> None:
    environment = publisher(bucket, tmp_path)
    publish(tiny(tmp_path, "1.0.0"), recordings, environment)
    cache = tmp_path / "cache"
    server, address, admin = serve(environment, cache, "tiny@stable")
    load = Load(address)
    try:
        assert post(address) == "tiny/1.0.0"
        publish(tiny(tmp_path, "1.1.0"), recordings, environment)
        wait_until("the server follows the channel", lambda: post(address) == "tiny/1.1.0")
        models(environment, "rollback", "tiny@stable")
        wait_until("the server goes back", lambda: post(address) == "tiny/1.0.0")

        # What runs goes on without the registry, and the next server begins with what is kept.
        bucket.silence()
        code, refused = ask(f"http://{admin}/reload", b'{"model": "tiny@canary"}')
        assert (code, refused["error"]["param"]) == (409, "resolve"), refused
        assert ask(f"http://{admin}/reload", b"")[0] == 200
        wait_until("the metrics tell", lambda: look_age_s(admin) > 5)
    finally:
        found = load.end()
        end(server)
    check_served(found)
    server, address, _ = serve(environment, cache, "tiny@stable")
    try:
        assert post(address) == "tiny/1.0.0"
    finally:
        end(server)


def test_what_fails_on_its_way_leaves_the_channel(recordings: Path, tmp_path: Path) -> None:
    environment = publisher(Folder(tmp_path / "registry"), tmp_path)
    publish(tiny(tmp_path, "1.0.0"), recordings, environment)
    channel = tmp_path / "registry/tiny/channels/stable.json"
    before = channel.read_bytes()
    assert json.loads(before)["version"] == "1.0.0"

    report = json.loads((tmp_path / "1.0.0/validation_report.json").read_text())["evaluation"]
    assert report["diarization"]["conversations"]["overall"]["der"] > 0
    broken = tiny(tmp_path, "1.1.0")
    write_tiny_model(broken / "model.onnx", {"version": "1.1.0", "sample_rate": "8000"})
    done = publishing(broken, ["--recordings", recordings], environment)
    assert done.returncode == 1 and "breaks the model contract, metadata" in done.stderr, done.stderr

    strict = tmp_path / "gates.toml"
    strict.write_text("[all.der]\nconversations = 0.0\n")
    better = tiny(tmp_path, "1.2.0")
    done = publishing(better, ["--recordings", recordings, "--gates", strict], environment)
    assert done.returncode == 1 and "DER on conversations: expected at most 0.00 %" in done.stdout, (
        done.stdout
    )
    assert channel.read_bytes() == before

    # What was measured of these files counts without their recordings, and of others it does not.
    done = publishing(better, [], environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(channel.read_bytes())["version"] == "1.2.0"
    other = tiny(tmp_path, "1.3.0")
    (other / "validation_report.json").write_bytes((better / "validation_report.json").read_bytes())
    done = publishing(other, [], environment)
    assert done.returncode == 1 and "validation_report.json: evaluation: expected that" in done.stdout
