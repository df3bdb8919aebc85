"""deploy/gcp/t4.sh, whole, against a `gcloud` of these tests, since no cloud can be reached here.

That program keeps what it was called with, stands in for the machine with a folder, runs what is
sent to it by `ssh`, and can be told to fail or to hang at any call. The installation alone, some
gigabytes of CUDA, is left out. The runs are those of the real command line, on the CPU. The form of
each command is checked by the linter of the real gcloud, where it is installed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "deploy/gcp/t4.sh"
PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug/voiceflow"
RUNTIME = Path(os.environ["VOICEFLOW_ORT_LIBRARY"])

GCLOUD = '''#!{python}
"""Stands in for gcloud: its calls go to {calls}, the machine is the folder {machine}."""
import json, os, pathlib, shutil, subprocess, sys, time

calls, machine = pathlib.Path("{calls}"), pathlib.Path("{machine}")
arguments = sys.argv[1:]
number = len(calls.read_text().splitlines()) + 1 if calls.exists() else 1
with calls.open("a") as log:
    log.write(json.dumps(arguments) + "\\n")
what = " ".join(arguments[:3])
if os.environ.get("HANG_AT") == str(number):
    time.sleep(600)
if str(number) in os.environ.get("FAIL_AT", "").split(","):
    sys.exit(1)
command = next((word.partition("=")[2] for word in arguments if word.startswith("--command=")), None)
if what == "compute instances create":
    machine.mkdir()
elif command is not None:
    if "on_machine.sh install" in command:
        command = command.replace("t4/on_machine.sh install", "cp ../environment t4/environment")
    sys.exit(subprocess.run(["bash", "-c", command], cwd=machine).returncode)
elif arguments[1] == "scp":
    source, target = [word for word in arguments[2:] if not word.startswith("--")]
    if ":" in target:
        shutil.copy(source, machine / target.partition(":")[2])
    else:
        shutil.copytree(machine / source.partition(":")[2], pathlib.Path(target) / "results")
elif what == "compute instances delete":
    if not machine.exists():
        sys.exit("was not found")
    shutil.rmtree(machine)
elif what == "compute instances list":
    if machine.exists():
        print([word for word in arguments if "--filter" in word][0].partition("name=")[2])
'''


class Cloud:
    """A folder with the gcloud of these tests, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls_file = folder / "calls"
        self.machine = folder / "machine"
        (folder / "bin").mkdir()
        gcloud = folder / "bin/gcloud"
        gcloud.write_text(GCLOUD.format(python=sys.executable, calls=self.calls_file, machine=self.machine))
        gcloud.chmod(0o755)
        prefix = folder / "install"
        (prefix / "bin").mkdir(parents=True)
        # A link, so that the archive is small.
        (prefix / "bin/voiceflow").symlink_to(PROGRAM.resolve())
        (folder / "environment").write_text(f"export VOICEFLOW_ORT_LIBRARY={RUNTIME}\n")

    def command(self, *more: str) -> list[str]:
        run = ["--project", "demo-project", "--providers", "cpu,cpu-fp32", "--batches", "1,2"]
        return ["bash", str(SCRIPT), *run, "--iterations", "3", "--sla-p99", "60000", *more]

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "T4_RETRY_S": "0", **more}

    def run(self, *more: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*more),
            cwd=self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=120,
        )

    def calls(self) -> list[list[str]]:
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [json.loads(line) for line in lines]

    def steps(self) -> list[str]:
        """What was asked for, in a word each."""
        return [call[1] if call[1] != "instances" else call[2] for call in self.calls()]


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    assert PROGRAM.exists(), f"{PROGRAM}: cargo build --workspace makes it"
    return Cloud(tmp_path)


def dry_run(folder: Path, *more: str) -> str:
    command = ["bash", str(SCRIPT), "--project", "demo-project", "--dry-run", *more]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_a_machine_is_made_used_and_deleted(cloud: Cloud) -> None:
    done = cloud.run("--spot", "--max-hours", "02")
    assert done.returncode == 0, done.stderr
    assert cloud.steps() == ["create", "ssh", "scp", "ssh", "ssh", "scp", "delete"]
    create = cloud.calls()[0]
    for flag in (
        "--provisioning-model=SPOT",
        "--max-run-duration=2h",
        "--instance-termination-action=DELETE",
    ):
        assert flag in create
    assert not cloud.machine.exists()
    results = cloud.folder / "t4-results/results"
    for name, model in (("cpu", "model.onnx"), ("cpu-fp32", "model.fp32.onnx")):
        report = json.loads((results / f"{name}.json").read_text())
        assert [row["batch"] for row in report["results"]] == [1, 2], model
        assert f"| {name} | 2 | " in done.stdout
    assert "4 rows kept the limit, 0 missed it, 0 runs failed" in done.stdout
    prices = json.loads((ROOT / "deploy/gcp/prices.json").read_text())
    hour = prices["machines"]["n1-standard-4"]["spot"] + prices["accelerators"]["nvidia-tesla-t4"]["spot"]
    assert f"spot: ${hour:.3f} an hour" in done.stdout
    assert "the machine was there for " in done.stdout


def test_each_machine_has_a_name_of_its_own(cloud: Cloud) -> None:
    cloud.run(FAIL_AT="1")
    cloud.run(FAIL_AT="4")
    names = {call[3] for call in cloud.calls() if call[2] in ("create", "delete")}
    assert len(names) == 2 and all(name.startswith("voiceflow-t4-") for name in names)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1, "could not be created"),
        (3, "the upload failed"),
        (4, "the installation on the machine failed"),
        (5, "the runs on the machine ended with status 1"),
        (6, "the results could not be fetched"),
    ],
)
def test_it_is_deleted_where_a_step_fails(cloud: Cloud, number: int, reason: str) -> None:
    done = cloud.run(FAIL_AT=str(number))
    assert done.returncode == 1, done.stderr
    # Without runs nothing lies there to be fetched.
    assert reason in done.stderr or (number == 5 and "could not be fetched" in done.stderr), done.stderr
    assert "delete" in cloud.steps()
    assert not cloud.machine.exists()


def test_a_machine_that_does_not_answer_is_asked_again(cloud: Cloud) -> None:
    done = cloud.run(FAIL_AT="2,3,4")
    assert done.returncode == 0, done.stderr
    assert cloud.steps()[:6] == ["create", "ssh", "ssh", "ssh", "ssh", "scp"]


def test_one_that_never_answers_is_deleted(cloud: Cloud) -> None:
    done = cloud.run(FAIL_AT=",".join(str(number) for number in range(2, 40) if number != 32))
    assert done.returncode == 1 and "cannot be reached by ssh" in done.stderr
    assert cloud.steps().count("ssh") == 30 and "delete" in cloud.steps()


def test_deleting_is_tried_again_and_what_is_left_is_said(cloud: Cloud) -> None:
    done = cloud.run(FAIL_AT="7")
    assert done.returncode == 0, done.stderr
    assert cloud.steps()[-3:] == ["delete", "list", "delete"]

    cloud.calls_file.unlink()
    shutil.rmtree(cloud.folder / "t4-results")
    done = cloud.run(FAIL_AT="7,9,11")
    assert done.returncode == 1
    assert "may still be running, and deletes itself after 1 h. Delete it now: gcloud compute" in done.stderr
    assert cloud.machine.exists()


@pytest.mark.parametrize("number", [1, 2, 4, 5])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_is_deleted_where_the_script_is_ended(cloud: Cloud, number: int, sent: signal.Signals) -> None:
    script = subprocess.Popen(
        cloud.command(),
        cwd=cloud.folder,
        env=cloud.environment(HANG_AT=str(number)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A test runner may ignore it, which the script would inherit.
        preexec_fn=lambda: signal.signal(sent, signal.SIG_DFL),
    )
    until = time.monotonic() + 120
    while len(cloud.calls()) < number:
        assert time.monotonic() < until, cloud.steps()
        time.sleep(0.02)
    script.send_signal(sent)
    assert script.wait(timeout=120) == 128 + sent
    assert "delete" in cloud.steps() and not cloud.machine.exists()


def test_a_limit_that_is_missed_fails(cloud: Cloud) -> None:
    done = cloud.run("--sla-p99", "0.0001")
    assert done.returncode == 1
    assert "0 rows kept the limit, 4 missed it, 0 runs failed" in done.stdout
    assert not cloud.machine.exists()


def test_a_provider_that_is_not_there_is_named(cloud: Cloud) -> None:
    done = cloud.run("--providers", "cpu,cuda")
    assert done.returncode == 1
    assert "cuda did not run: " in done.stdout and "1 runs failed" in done.stdout
    assert (cloud.folder / "t4-results/results/cpu.json").exists()


def test_keep_leaves_the_machine(cloud: Cloud) -> None:
    done = cloud.run("--keep")
    assert done.returncode == 0, done.stderr
    assert "delete" not in cloud.steps() and "keeps running for 1 h at most" in done.stderr


def test_a_full_folder_is_not_overwritten(cloud: Cloud) -> None:
    (cloud.folder / "t4-results").mkdir()
    (cloud.folder / "t4-results/other").touch()
    done = cloud.run()
    assert done.returncode == 1 and "expected an empty folder or a new one" in done.stderr
    assert cloud.steps() == []


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--project", "Demo;rm"], "--project: expected the id of a project"),
        (["--zone", "here"], "--zone: expected a zone such as us-central1-a"),
        (["--max-hours", "25"], "--max-hours: expected 1 to 24"),
        (["--max-hours", "0"], "--max-hours: expected 1 to 24"),
        (["--batches", "1;2"], "--batches: expected numbers with commas"),
        (["--iterations", "0"], "--iterations: expected a number above 0"),
        (["--sla-p99", "fast"], "--sla-p99: expected milliseconds"),
        (["--providers", "cpu,npu"], "--providers: expected cpu, cpu-fp32, cuda or tensorrt"),
        (["--providers"], "--providers: expected a value"),
        (["more"], "expected an option, got more"),
    ],
)
def test_wrong_arguments_are_refused(cloud: Cloud, arguments: list[str], reason: str) -> None:
    done = cloud.run(*arguments)
    assert done.returncode == 2 and reason in done.stderr, done.stderr
    assert cloud.steps() == []


def test_the_dry_run_shows_what_a_run_does(cloud: Cloud) -> None:
    shown = dry_run(cloud.folder, "--providers", "cpu,cpu-fp32", "--batches", "1,2", "--iterations", "3")
    assert not cloud.calls()
    done = cloud.run("--sla-p99", "10000")
    assert done.returncode == 0, done.stderr
    said = [line[2:] for line in done.stderr.splitlines() if line.startswith("+ gcloud ")]
    name = cloud.calls()[0][3]
    expected = [line for line in shown.splitlines() if line.startswith("gcloud ") and " list " not in line]
    out = cloud.folder / "t4-results"
    alike = [
        line.replace(name, "voiceflow-t4").replace(f"{out}/", "t4-results/").replace(" 10000'", " 10'")
        for line in said
    ]
    assert alike == expected


def test_the_archive_of_the_dry_run_is_that_of_a_run(cloud: Cloud) -> None:
    cloud.run("--keep")
    with tarfile.open(cloud.machine / "t4.tar.gz") as archive:
        sent = {name for name in archive.getnames() if name.count("/") < 2}
    assert sent == {"t4", "t4/prefix", "t4/model.fp32.onnx", "t4/on_machine.sh"}


def test_the_page_has_the_commands_of_the_dry_run() -> None:
    shown = subprocess.run(
        ["bash", str(SCRIPT), "--project", "project-id", "--dry-run"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert f"```sh\n{shown.stdout}```" in (ROOT / "docs/T4.md").read_text()


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed: its linter is not asked")
def test_gcloud_knows_each_command(tmp_path: Path) -> None:
    shown = dry_run(tmp_path, "--spot", "--max-hours", "3").splitlines()
    commands = [line for line in shown if line.startswith("gcloud ")]
    assert len(commands) == 8
    commands.append(commands[0] + " --no-such-flag")
    settings = {"CLOUDSDK_CONFIG": str(tmp_path), "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"}
    environment = {**os.environ, **settings}
    for command in commands:
        lint = ["gcloud", "meta", "lint-gcloud-commands", f"--command-string={command}"]
        said = subprocess.run(lint, env=environment, capture_output=True, text=True, timeout=120)
        [verdict] = json.loads(said.stdout)
        assert verdict["success"] != command.endswith("--no-such-flag"), (command, verdict["error_message"])
