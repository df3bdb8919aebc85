"""The chart by Helm itself: linted, rendered with many values, and what comes out held against the
schemas of Kubernetes and of the operators. No cluster is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import tomllib
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/voiceflow"
TOOLS = ROOT / ".cache/deploy"
CUSTOM = {"ScaledObject", "ServiceMonitor", "PrometheusRule"}
KUBERNETES = ("1.27", "1.37")  # the oldest that the chart allows, and the newest schemas

OPEN = "auth.open=true"
DIGEST = "sha256:" + 64 * "0"
TOKENS = {"auth": {"tokens": [{"sha256": 64 * "a", "tenant": "acme", "scopes": ["diarize", "stream"]}]}}
EVERYTHING = {
    "image": {"repository": "registry.example/libvoiceflow-server", "digest": DIGEST},
    "imagePullSecrets": ["registry"],
    "config": {
        "limits": {"upload_bytes": 536870912, "tenant_share": 0.5},
        "live": {"origins": ["https://meet.example"]},
        "drain": {"delay_s": 7.5, "length_s": 300},
    },
    "auth": {"tokens": [{**TOKENS["auth"]["tokens"][0], "expires_at": 1798761600}]},
    "tls": {"secret": "certificate", "clientCA": True},
    "voices": {"claim": "voices"},
    "secretFiles": [
        {"secret": "keys", "mountPath": "/etc/keys", "items": [{"key": "a.pub", "path": "a.pub"}]}
    ],
    "env": [{"name": "OTEL_SERVICE_NAME", "value": "diarization"}],
    "envFrom": [{"secretRef": {"name": "more"}}],
    "service": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "annotations": {"kind": "nlb"}},
    "autoscaling": {"enabled": True, "targetUtilization": 0.45},
    "podDisruptionBudget": {"maxUnavailable": "10%"},
    "networkPolicy": {
        "from": [{"podSelector": {}}],
        "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "metrics": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "serviceAccount": {"annotations": {"a": "b"}},
    "podAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "runtimeClassName": "gvisor",
}
BARE = {
    "auth": {"open": True},
    "podDisruptionBudget": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "serviceAccount": {"create": False},
    "topologySpread": [],
    "fullnameOverride": "diarization",
}
SETS = {
    "open": {"auth": {"open": True}},
    "tokens": TOKENS,
    "tokens of a secret": {"auth": {"tokensSecret": "tokens"}},
    "client certificates": {"tls": {"secret": "certificate", "clientCA": True}},
    "keda": {**TOKENS, "keda": {"enabled": True}},
    "everything": EVERYTHING,
    "bare": BARE,
    "gpu": {**yaml.safe_load((ROOT / "deploy/helm/values-gpu.yaml").read_text()), **TOKENS},
}


def helm(*arguments: str | Path, values: dict | None = None) -> subprocess.CompletedProcess[str]:
    command = [TOOLS / "bin/helm", *arguments, *(["--values", "-"] if values is not None else [])]
    environment = {**os.environ, "HELM_CONFIG_HOME": str(TOOLS / "helm")}
    text = json.dumps(values) if values is not None else None
    return subprocess.run(command, input=text, capture_output=True, text=True, env=environment, check=False)


def rendered(values: dict) -> list[dict]:
    done = helm("template", "release", CHART, "--namespace", "speech", values=values)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def one(resources: list[dict], kind: str, name: str = "") -> dict:
    found = [it for it in resources if it["kind"] == kind and it["metadata"]["name"].endswith(name)]
    assert len(found) == 1, f"{kind} {name}: {len(found)}"
    return found[0]


@pytest.fixture(scope="module", params=SETS, ids=lambda name: name.replace(" ", "-"))
def case(request: pytest.FixtureRequest) -> tuple[dict, list[dict]]:
    return SETS[request.param], rendered(SETS[request.param])


def test_resources_are_valid(case: tuple[dict, list[dict]]) -> None:
    _, resources = case
    assert len(resources) > 3
    for resource in resources:
        if resource["kind"] not in CUSTOM:
            for version in KUBERNETES:
                kubernetes_validate.validate(resource, version, strict=True)
    custom = [resource for resource in resources if resource["kind"] in CUSTOM]
    program = ROOT / "tests/deploy/custom_resources.mjs"
    done = subprocess.run(
        ["node", program], cwd=TOOLS, input=json.dumps(custom), capture_output=True, text=True, check=True
    )
    assert done.stdout == ""


def test_custom_resources_that_are_wrong_are_found() -> None:
    resources = rendered(SETS["keda"])
    wrong = one(resources, "ScaledObject")
    wrong["spec"]["minReplicaCount"] = "two"
    program = ROOT / "tests/deploy/custom_resources.mjs"
    done = subprocess.run(
        ["node", program], cwd=TOOLS, input=json.dumps([wrong]), capture_output=True, text=True, check=True
    )
    assert "minReplicaCount" in done.stdout


def test_lint_finds_nothing(case: tuple[dict, list[dict]]) -> None:
    values, _ = case
    done = helm("lint", "--strict", CHART, values=values)
    assert done.returncode == 0 and "[WARNING]" not in done.stdout, done.stdout + done.stderr


def test_pods_have_no_more_rights_than_they_need(case: tuple[dict, list[dict]]) -> None:
    _, resources = case
    pod = one(resources, "Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsUser"] == 10001 and pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod["automountServiceAccountToken"]
    limits = container["resources"]
    assert limits["requests"]["cpu"] == limits["limits"]["cpu"]
    names = {volume["name"] for volume in pod["volumes"]}
    assert names == {mount["name"] for mount in container["volumeMounts"]}


def test_kubernetes_waits_longer_than_the_drain(case: tuple[dict, list[dict]]) -> None:
    _, resources = case
    config = tomllib.loads(one(resources, "ConfigMap", name(resources))["data"]["server.toml"])
    grace = one(resources, "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= config["drain"]["delay_s"] + config["drain"]["length_s"] + 15


def name(resources: list[dict]) -> str:
    return one(resources, "Deployment")["metadata"]["name"]


def test_metrics_are_not_exposed_with_the_service(case: tuple[dict, list[dict]]) -> None:
    values, resources = case
    service = one(resources, "Service", name(resources))
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
    assert one(resources, "Service", "-metrics")["spec"]["clusterIP"] == "None"
    if values.get("networkPolicy", {}).get("enabled", True):
        [public, admin] = one(resources, "NetworkPolicy")["spec"]["ingress"]
        assert public["ports"][0]["port"] == "http" and admin["ports"][0]["port"] == "admin"
        assert admin["from"]


def test_the_configuration_is_what_the_values_say() -> None:
    resources = rendered(EVERYTHING)
    config = tomllib.loads(one(resources, "ConfigMap", name(resources))["data"]["server.toml"])
    assert config["limits"] == {
        "spool_folder": "/var/spool/voiceflow",
        "tenant_share": 0.5,
        "upload_bytes": 536870912,
    }
    assert isinstance(config["limits"]["upload_bytes"], int)
    assert config["live"]["origins"] == ["https://meet.example"]
    assert config["tls"]["client_ca"] == "/etc/voiceflow/tls/ca.crt"
    assert config["voices"]["folder"] == "/var/lib/voiceflow"
    tokens = tomllib.loads(one(resources, "Secret")["stringData"]["tokens.toml"])["tokens"]
    assert tokens == EVERYTHING["auth"]["tokens"]
    tables = {**TOKENS, "config": {"arms": [{"name": "a", "weight": 0.5}, {"name": "b", "weight": 1}]}}
    resources = rendered(tables)
    config = tomllib.loads(one(resources, "ConfigMap", name(resources))["data"]["server.toml"])
    assert config["arms"] == tables["config"]["arms"]


def test_pods_follow_the_load() -> None:
    resources = rendered(EVERYTHING)
    assert "replicas" not in one(resources, "Deployment")["spec"]
    [metric] = one(resources, "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] == "voiceflow_stream_utilization_ratio"
    assert metric["pods"]["target"]["averageValue"] == "450m"
    adapter = (ROOT / "deploy/helm/prometheus-adapter.yaml").read_text()
    assert yaml.safe_load(adapter)["rules"]["custom"][0]["name"]["as"] == metric["pods"]["metric"]["name"]
    resources = rendered(SETS["keda"])
    [trigger] = one(resources, "ScaledObject")["spec"]["triggers"]
    query = trigger["metadata"]["query"]
    service = one(resources, "Service", "-metrics")["metadata"]["name"]
    assert f'sum(voiceflow_stream_utilization_ratio{{namespace="speech",service="{service}"}})' == query
    assert one(rendered(TOKENS), "Deployment")["spec"]["replicas"] == 2


def test_alerts_and_dashboard_are_those_of_the_project() -> None:
    resources = rendered(EVERYTHING)
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())
    assert one(resources, "PrometheusRule")["spec"] == alerts
    dashboard = json.loads((ROOT / "deploy/grafana/voiceflow.json").read_text())
    assert json.loads(one(resources, "ConfigMap", "-dashboard")["data"]["voiceflow.json"]) == dashboard
    # What is packed has files in their place, not links.
    done = helm("package", CHART, "--destination", TOOLS)
    assert done.returncode == 0, done.stderr
    archive = done.stdout.split()[-1]
    listed = subprocess.run(["tar", "-tvf", archive], capture_output=True, text=True, check=True).stdout
    [line] = [line for line in listed.splitlines() if line.endswith("files/alerts.yaml")]
    assert line.startswith("-"), line


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "auth: expected tokens, tokensSecret, tls.secret with tls.clientCA, or open=true"),
        ({"auth": {"open": True, "tokensSecret": "a"}}, "auth.open: expected false beside"),
        (
            {"auth": {"tokensSecret": "a", **TOKENS["auth"]}},
            "auth: expected tokens or tokensSecret, got both",
        ),
        ({**TOKENS, "tls": {"clientCA": True}}, "tls.clientCA: expected tls.secret beside it"),
        (
            {**TOKENS, "keda": {"enabled": True}, "autoscaling": {"enabled": True}},
            "expected one of them enabled",
        ),
        ({**TOKENS, "replicas": 3}, "replicas"),
        ({**TOKENS, "autoscaling": {"targetUtilization": 70}}, "targetUtilization"),
        ({"auth": {"tokens": [{"sha256": "abc", "tenant": "a", "scopes": ["diarize"]}]}}, "sha256"),
        ({**TOKENS, "service": {"type": "Load"}}, "type"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict, reason: str) -> None:
    done = helm("template", "release", CHART, values=values)
    assert done.returncode != 0 and reason in done.stderr, done.stderr


def test_the_readme_has_the_values() -> None:
    subprocess.run([sys.executable, ROOT / "scripts/chart_readme.py", "--check"], check=True)


def test_notes_say_how_to_ask() -> None:
    done = helm(
        "install", "release", CHART, "--dry-run=client", "--set", OPEN, "--set", "service.type=NodePort"
    )
    assert done.returncode == 0, done.stderr
    assert "http://localhost:8080/v1/audio/diarizations" in done.stdout
    assert "auth.open is true" in done.stdout and "as they are" in done.stdout
