"""buildah and podman for tests: a store of their own, and base images that are made here, since no
registry of images is asked.

    python tests/deploy/engine.py build        # the image of the server, as test_images.py has it
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".cache/deploy"
IMAGE = "localhost/libvoiceflow-server:test"
# What the Dockerfile and the compose file name in a registry; made here under the same names.
DEBIAN = "docker.io/library/debian:bookworm-slim"
RUST = "localhost/rust-for-tests:latest"
PROMETHEUS = "localhost/prometheus-for-tests:latest"

STORAGE = f"""[storage]
driver = "vfs"
graphroot = "{WORK}/storage"
runroot = "{WORK}/run"
"""
CONTAINERS = """[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
"""


def environment() -> dict[str, str]:
    WORK.mkdir(parents=True, exist_ok=True)
    files = {"CONTAINERS_STORAGE_CONF": STORAGE, "CONTAINERS_CONF": CONTAINERS}
    paths = {}
    for name, text in files.items():
        path = WORK / f"{name.lower()}.toml"
        path.write_text(text)
        paths[name] = str(path)
    return {**os.environ, **paths, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}


def run(*command: str | Path, **options: object) -> str:
    """What a command prints; its errors where it fails."""
    done = subprocess.run(
        [str(part) for part in command], env=environment(), capture_output=True, text=True, **options
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout.strip()


def exists(image: str) -> bool:
    done = subprocess.run(["podman", "image", "exists", image], env=environment(), check=False)
    return done.returncode == 0


def made(image: str, *steps: tuple[str | Path, ...], base: str = DEBIAN) -> None:
    """An image of a few buildah commands over a base, CONTAINER standing for it."""
    if exists(image):
        return
    container = run("buildah", "from", "--pull-never", base)
    for name, *rest in steps:
        options = [part for part in rest if str(part).startswith("--")]
        run("buildah", name, *options, container, *[part for part in rest if part not in options])
    run("buildah", "commit", "--rm", container, image)


def debian() -> None:
    """Debian's smallest installation under the name of its image."""
    if exists(DEBIAN):
        return
    archive = WORK / "debian.tar"
    run("mmdebstrap", "--variant=minbase", "bookworm", archive, "http://deb.debian.org/debian")
    run("podman", "import", archive, DEBIAN)
    archive.unlink()


def rust() -> list[str]:
    """An image with this machine's compiler and its ways to the registries of packages; what is to
    be mounted for that."""
    toolchain = run("rustc", "--print", "sysroot")
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for folder in ("registry", "git"):
        (cargo / folder).mkdir(exist_ok=True)
    certificates = "/etc/ssl/certs/ca-certificates.crt"
    seen = "/opt/certificates.crt"
    variables = {
        "PATH": "/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "CARGO_HOME": "/usr/local/cargo",
        "CARGO_HTTP_CAINFO": seen,
        "PIP_CERT": seen,
        "SSL_CERT_FILE": seen,
    }
    made(RUST, ("config", *(f"--env={name}={value}" for name, value in variables.items())))
    mounts = {
        toolchain: "/opt/rust:ro",
        cargo / "registry": "/usr/local/cargo/registry",
        certificates: f"{seen}:ro",
    }
    return [f"--volume={source}:{target}" for source, target in mounts.items()]


def prometheus() -> None:
    """This machine's Prometheus as its image has it."""
    program = shutil.which("prometheus")
    assert program, "expected prometheus: scripts/install_tools.sh images"
    folders = ("run", "mkdir", "-p", "/prometheus", "/etc/prometheus")
    entry = ("config", '--entrypoint=["/bin/prometheus"]', "--user=65534", "--workingdir=/prometheus")
    made(
        PROMETHEUS,
        ("copy", program, "/bin/prometheus"),
        folders,
        ("run", "chown", "65534", "/prometheus"),
        entry,
    )


def build() -> None:
    """The server's image by its own Dockerfile. The compiler optimises less, so that it takes
    minutes."""
    debian()
    mounts = rust()
    arguments = {"RUST_IMAGE": RUST, "LTO": "off", "OPTIMISATION": "1", "REVISION": "test"}
    run(
        *(
            "buildah",
            "build",
            "--layers",
            "--pull-never",
            "--format",
            "docker",
            "--file",
            "deploy/docker/Dockerfile",
        ),
        *mounts,
        *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        *("--tag", IMAGE, "."),
        cwd=ROOT,
    )


if __name__ == "__main__":
    if sys.argv[1:] != ["build"]:
        sys.exit(f"engine.py: expected build, got {sys.argv[1:]}")
    build()
