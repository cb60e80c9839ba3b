"""What is in deploy: manifests by the schemas of Kubernetes, settings that start a server, figures that there are."""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from server.app import LIVENESS, STARTUP
from server.settings import _OPTIONS, Settings
from tests.conftest import ROOT

FOLDER = ROOT / "deploy/kubernetes"
MANIFESTS = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
VERSIONS = ("1.31", "1.35")
FIGURES = set(
    re.findall(r"^\| `[\w.]+` \| `(\w+)` \|", (ROOT / "docs/operations.md").read_text(), re.M),
)


def loaded(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def server() -> dict[str, Any]:
    """The container of the server."""
    (only,) = loaded("deployment.yaml")["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = only
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_are_what_kubernetes_takes(path: Path, version: str) -> None:
    kubernetes_validate.validate(yaml.safe_load(path.read_text()), version, strict=True)


def test_a_manifest_that_is_wrong_is_noticed() -> None:
    wrong = loaded("deployment.yaml")
    wrong["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["grpc"]["prot"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_manifest_is_applied() -> None:
    assert sorted(loaded("kustomization.yaml")["resources"]) == [path.name for path in MANIFESTS]


def test_the_settings_start_a_server(tmp_path: Path) -> None:
    given = {one["name"]: one.get("value", "") for one in server()["env"]}
    assert set(given) <= {one.variable for one in _OPTIONS.values()}
    secrets = {"SUPABASE_URL": "https://x.supabase.co", "SUPABASE_KEY": "sb_secret_x"}
    assert {name for name, value in given.items() if not value} == set(secrets)
    settings = Settings.read(["--data-dir", str(tmp_path)], {**given, **secrets})
    ports = {one["name"]: one["containerPort"] for one in server()["ports"]}
    assert settings.telemetry is not None
    assert (settings.listen, settings.telemetry.metrics_listen) == (
        f"0.0.0.0:{ports['grpc']}",
        f"0.0.0.0:{ports['metrics']}",
    )
    assert given["ABSFIN_DATA_DIR"].startswith(server()["volumeMounts"][0]["mountPath"] + "/")
    grace = loaded("deployment.yaml")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert settings.drain_seconds + 10 < grace
    assert str(settings.workers) == server()["resources"]["requests"]["cpu"]


def test_probes_ask_for_what_the_server_has() -> None:
    asked = {name: server()[name]["grpc"].get("service", "") for name in server() if name.endswith("Probe")}
    assert asked == {"startupProbe": STARTUP, "readinessProbe": "", "livenessProbe": LIVENESS}


def test_alerts_dashboard_and_autoscaling_are_by_figures_that_there_are() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())["panels"]
    scaled = [one["pods"]["metric"]["name"] for one in loaded("autoscaling.yaml")["spec"]["metrics"]]
    texts = [one["expr"] for one in rules] + [one["targets"][0]["expr"] for one in panels] + scaled
    for text in texts:
        names = re.findall(r"\b(?:absfin|rpc|db)_\w*(?:_\w+)+\b(?=[\[{)\s]|$)", text)
        used = {re.sub(r"(?<=seconds)_(bucket|count|sum)$", "", name) for name in names if name.count("_") > 1}
        used -= {"rpc_response_status_code", "db_operation_name", "rpc_method"}
        assert used, text
        assert used <= FIGURES, text


def test_the_page_says_what_to_do_about_every_alert() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"][0]["rules"]
    assert re.findall(r"^\| `(AbsFinance\w+)` \|", page, re.M) == [one["alert"] for one in rules]
