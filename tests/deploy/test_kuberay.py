"""The pods of the manifest for KubeRay, by the schemas of Kubernetes."""

from pathlib import Path

import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
JOB = ROOT / "deploy/kuberay/rayjob.yaml"
KUBERNETES = "1.31"


def test_pods_are_pods() -> None:
    cluster = yaml.safe_load(JOB.read_text())["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    assert len(groups) == 2
    for group in groups:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, **group["template"]}
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    assert images == {f"rayproject/ray:{cluster['rayVersion']}-py311-cpu"}
    pinned = (ROOT / "batch/tests/clusters/requirements.txt").read_text()
    assert f"ray[data]=={cluster['rayVersion']}\n" in pinned
