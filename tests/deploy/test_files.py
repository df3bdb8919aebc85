"""Dockerfiles, compose files and pipelines, read by their own linters; and that pipelines ask for
nothing that is not there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib
import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMPOSE = ROOT / "deploy/compose"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
# What a step may do beside make: move files, and talk to what is only there in a pipeline.
PLUMBING = {"git", "gh", "docker", "cosign", "mkdir", "cp", "echo", "cat", "test", "rm", "rustup"}


def said(*command: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu"])
def test_hadolint_finds_nothing(name: str) -> None:
    assert said(BIN / "hadolint", f"deploy/docker/{name}") == (0, "")


def test_the_image_is_built_from_every_package_of_the_workspace() -> None:
    members = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["members"]
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{member}" for member in members if member != "."} | {"!packaging/notices"} <= set(let_in)


def composed(*names: str) -> dict:
    files = [part for name in names for part in ("--file", COMPOSE / name)]
    code, text = said(BIN / "podman-compose", *files, "config")
    assert code == 0, text
    return yaml.safe_load(text[text.index("name:") if "name:" in text else 0 :])


def test_compose_files_are_read() -> None:
    services = yaml.safe_load((COMPOSE / "docker-compose.yml").read_text())["services"]
    for service in services.values():
        assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges"]
        # Nobody else on the network gets in.
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert not source.startswith(".") or (COMPOSE / source).exists(), source
    plain, gpu = composed("docker-compose.yml"), composed("docker-compose.yml", "docker-compose.gpu.yml")
    assert set(plain["services"]) == {"server", "prometheus", "grafana"}
    assert gpu["services"]["server"]["image"].endswith(":gpu")
    assert gpu["services"]["server"]["read_only"]


def test_what_is_provisioned_fits_together() -> None:
    source = yaml.safe_load((COMPOSE / "grafana/datasources/prometheus.yml").read_text())["datasources"][0]
    services = yaml.safe_load((COMPOSE / "docker-compose.yml").read_text())["services"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in services
    provider = yaml.safe_load((COMPOSE / "grafana/dashboards/voiceflow.yml").read_text())["providers"][0]
    mounts = [volume.split(":")[1] for volume in services["grafana"]["volumes"]]
    assert provider["options"]["path"] in mounts
    config = COMPOSE / "prometheus.yml"
    [job] = yaml.safe_load(config.read_text())["scrape_configs"]
    assert job["job_name"] == "voiceflow" and job["static_configs"][0]["targets"] == ["server:9464"]
    assert said("promtool", "check", "config", "--syntax-only", config)[0] == 0


def test_the_gpu_image_has_the_version_of_onnx_runtime_that_all_have() -> None:
    pinned = (ROOT / "deploy/docker/gpu.txt").read_text()
    [version] = re.findall(r"^version=(.*)$", (ROOT / "scripts/fetch_runtime.sh").read_text(), re.MULTILINE)
    assert f"onnxruntime-gpu=={version} --hash=sha256:" in pinned
    lines = [line for line in pinned.splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


@pytest.mark.parametrize("package", ["libvoiceflow", "libvoiceflow-server"])
def test_bills_of_materials_are_cyclonedx(package: str, tmp_path: Path) -> None:
    runtime = tmp_path / "libonnxruntime.so.1.2.3"
    runtime.write_bytes(b"runtime")
    code, text = said(sys.executable, ROOT / "scripts/sbom.py", tmp_path, package, runtime)
    assert code == 0, text
    bill = (tmp_path / f"{package}.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(bill) is None
    names = {component["name"] for component in json.loads(bill)["components"]}
    assert {"ort", "symphonia", "onnxruntime"} <= names and "clap_derive" not in names
    assert ("axum" in names) == (package == "libvoiceflow-server")
    code, text = said(sys.executable, ROOT / "scripts/sbom.py", tmp_path, package, tmp_path / "nothing.so")
    assert code == 1 and "expected libonnxruntime.so.VERSION" in text


# Pipelines


def test_actionlint_finds_nothing() -> None:
    assert WORKFLOWS
    code, text = said(ROOT / ".cache/deploy/bin/actionlint", f"-shellcheck={BIN / 'shellcheck'}", *WORKFLOWS)
    assert code == 0, text


def test_zizmor_finds_nothing() -> None:
    code, text = said(BIN / "zizmor", "--offline", "--persona=auditor", "--no-progress", *WORKFLOWS)
    assert code == 0, text


def jobs() -> list[tuple[str, dict]]:
    found = []
    for path in WORKFLOWS:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            found.append((f"{path.name}: {name}", job))
    return found


def commands(job: dict) -> list[str]:
    text = "\n".join(step.get("run", "") for step in job.get("steps", []))
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def targets() -> set[str]:
    rules = (ROOT / "Makefile").read_text() + (ROOT / "packaging/packages.mk").read_text()
    return set(re.findall(r"^\.PHONY: (.+)$", rules, re.MULTILINE))


def test_jobs_call_only_make_targets_that_there_are() -> None:
    called = set()
    for name, job in jobs():
        for line in commands(job):
            program, *rest = line.split()
            assert program in PLUMBING | {"make"}, f"{name}: expected make, found {line}"
            if program != "make":
                continue
            # Neither options nor variables: what is left are targets.
            words = [word for word in rest if not word.startswith("-") and not re.match(r"\w+=", word)]
            asked = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
            assert asked, f"{name}: {line}"
            assert set(asked) <= targets(), f"{name}: {sorted(set(asked) - targets())}: no such target"
            called |= set(asked)
    assert {"test", "lint", "fuzz", "bench", "image", "deploy", "smoke", "rollback"} <= called


def test_jobs_end_by_themselves_and_may_do_little() -> None:
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text())
        assert workflow["permissions"] == {} and "concurrency" in workflow, path.name
    for name, job in jobs():
        assert 0 < job["timeout-minutes"] <= 360 and "permissions" in job, name
        for step in job["steps"]:
            assert re.search(r"@[0-9a-f]{40}$", step.get("uses", "@" + 40 * "0")), f"{name}: {step}"
