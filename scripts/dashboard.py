#!/usr/bin/env python3
"""Writes the Grafana dashboard of the server, deploy/grafana/voiceflow.json.

scripts/dashboard.py            # writes it anew
scripts/dashboard.py --check    # fails where the file is another one
"""

import json
import sys
from pathlib import Path

FILE = Path(__file__).parents[1] / "deploy/grafana/voiceflow.json"
WIDTH, HEIGHT, COLUMNS = 8, 8, 24  # of a panel, and of the dashboard, on Grafana's grid
SELECTOR = 'job="voiceflow",instance=~"$instance"'


def rate(metric: str, by: str = "", labels: str = "") -> str:
    summed = f"sum by ({by}) " if by else "sum"
    selector = f"{SELECTOR},{labels}" if labels else SELECTOR
    return f"{summed}(rate({metric}{{{selector}}}[$__rate_interval]))"


def quantile(metric: str, share: float, by: str = "") -> str:
    return f"histogram_quantile({share}, {rate(f'{metric}_bucket', f'le, {by}' if by else 'le')})"


def quantiles(metric: str) -> list[tuple[str, str]]:
    shares = ((0.5, "P50"), (0.95, "P95"), (0.99, "P99"))
    return [(quantile(metric, share), name) for share, name in shares]


def value(metric: str) -> str:
    return f"{metric}{{{SELECTOR}}}"


# Rows of panels: title, unit of Grafana, and queries with their legends.
ROWS: dict[str, list[tuple[str, str, list[tuple[str, str]]]]] = {
    "Live streams": [
        ("Time from audio to its segments", "s", quantiles("voiceflow_stream_response_seconds")),
        ("Time that streams wait for a turn", "s", quantiles("voiceflow_stream_queue_seconds")),
        (
            "Streams",
            "short",
            [
                (value("voiceflow_streams_active"), "{{instance}}"),
                (value("voiceflow_stream_capacity"), "{{instance}} capacity"),
            ],
        ),
        (
            "Share of the capacity",
            "percentunit",
            [(value("voiceflow_stream_utilization_ratio"), "{{instance}}")],
        ),
        ("Ends of streams", "short", [(rate("voiceflow_streams_total", "outcome"), "{{outcome}}")]),
        (
            "Segments a second",
            "short",
            [
                (rate("voiceflow_stream_response_seconds_count"), "answers"),
                (rate("voiceflow_stream_queue_seconds_count"), "turns"),
            ],
        ),
    ],
    "Work": [
        (
            "Audio for each second",
            "s",
            [(rate("voiceflow_audio_seconds_total", "kind, arm"), "{{kind}} {{arm}}")],
        ),
        (
            "Compute for each second",
            "s",
            [(rate("voiceflow_compute_seconds_total", "kind, arm"), "{{kind}} {{arm}}")],
        ),
        ("Recordings that wait", "short", [(value("voiceflow_batch_queue_length"), "{{instance}}")]),
        ("Pauses of recordings", "s", [(rate("voiceflow_batch_paused_seconds_total"), "seconds a second")]),
    ],
    "Models": [
        (
            "Models that run",
            "short",
            [(value("voiceflow_model_info"), "{{instance}} {{arm}} {{kind}} {{name}}/{{version}}")],
        ),
        ("Share of an arm", "percentunit", [(value("voiceflow_arm_share_ratio"), "{{instance}} {{arm}}")]),
        ("Bundles in memory", "short", [(value("voiceflow_models_loaded"), "{{instance}}")]),
        (
            "Answers of an arm",
            "short",
            [(rate("voiceflow_answers_total", "kind, arm, outcome"), "{{kind}} {{arm}} {{outcome}}")],
        ),
        (
            "Time from audio to its segments by arm, P99",
            "s",
            [(quantile("voiceflow_stream_response_seconds", 0.99, "arm"), "{{arm}}")],
        ),
        (
            "Compute for each second of a recording, P95",
            "s",
            [(quantile("voiceflow_recording_compute_ratio", 0.95, "arm"), "{{arm}}")],
        ),
        (
            "Divergence of a candidate, mean",
            "percentunit",
            [
                (
                    f"{rate('voiceflow_shadow_divergence_ratio_sum', 'candidate')}"
                    f" / {rate('voiceflow_shadow_divergence_ratio_count', 'candidate')}",
                    "{{candidate}}",
                )
            ],
        ),
        ("Runs of a candidate", "short", [(rate("voiceflow_shadow_runs_total", "outcome"), "{{outcome}}")]),
        (
            "Reloads of models",
            "short",
            [(value("voiceflow_model_reloads_total"), "{{instance}} {{outcome}}")],
        ),
        ("Galleries not read", "short", [(value("voiceflow_unread_galleries_total"), "{{instance}}")]),
        ("Time to load models", "s", [(value("voiceflow_model_load_seconds"), "{{instance}}")]),
        (
            "Time since a look at what an arm should run",
            "s",
            [(value("voiceflow_model_look_age_seconds"), "{{instance}} {{arm}}")],
        ),
    ],
    "Requests": [
        (
            "Requests",
            "reqps",
            [
                (
                    rate("voiceflow_http_request_duration_seconds_count", "route, status"),
                    "{{route}} {{status}}",
                )
            ],
        ),
        (
            "Time of requests, P95",
            "s",
            [(quantile("voiceflow_http_request_duration_seconds", 0.95, "route"), "{{route}}")],
        ),
        ("Refusals", "short", [(rate("voiceflow_rejections_total", "reason"), "{{reason}}")]),
        ("Errors", "short", [(rate("voiceflow_errors_total", "code"), "{{code}}")]),
        ("Panics", "short", [(value("voiceflow_panics_total"), "{{instance}}")]),
        (
            "Certificates read again",
            "short",
            [(value("voiceflow_certificate_reloads_total"), "{{instance}} {{outcome}}")],
        ),
    ],
    "Process": [
        ("Processors", "short", [(rate("process_cpu_seconds_total", "instance"), "{{instance}}")]),
        ("Memory", "bytes", [(value("process_resident_memory_bytes"), "{{instance}}")]),
        (
            "Descriptors and threads",
            "short",
            [
                (value("process_open_fds"), "{{instance}} descriptors"),
                (value("process_max_fds"), "{{instance}} most"),
                (value("process_threads"), "{{instance}} threads"),
            ],
        ),
        ("Ending", "short", [(value("voiceflow_draining"), "{{instance}}")]),
        ("Versions", "short", [(value("voiceflow_build_info"), "{{instance}} {{version}}")]),
    ],
}


def panel(number: int, title: str, unit: str, queries: list[tuple[str, str]], place: tuple[int, int]) -> dict:
    x, y = place
    targets = [
        {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
        for index, (expression, legend) in enumerate(queries)
    ]
    return {
        "id": number,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "gridPos": {"x": x, "y": y, "w": WIDTH, "h": HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def dashboard() -> dict:
    panels, y = [], 0
    for row, members in ROWS.items():
        position = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        panels.append({"id": len(panels) + 1, "type": "row", "title": row, "gridPos": position, "panels": []})
        y += 1
        across = COLUMNS // WIDTH
        for index, member in enumerate(members):
            place = (index % across * WIDTH, y + index // across * HEIGHT)
            panels.append(panel(len(panels) + 1, *member, place))
        y += -(-len(members) // across) * HEIGHT
    query = 'label_values(voiceflow_build_info{job="voiceflow"}, instance)'
    source = {"type": "prometheus", "uid": "${datasource}"}
    variables = [
        {"name": "datasource", "type": "datasource", "query": "prometheus"},
        {
            "name": "instance",
            "type": "query",
            "datasource": source,
            "query": query,
            "refresh": 2,
            "multi": True,
            "includeAll": True,
        },
    ]
    return {
        "uid": "voiceflow",
        "title": "voiceflow-server",
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": variables},
        "panels": panels,
    }


def main() -> None:
    text = json.dumps(dashboard(), indent=2) + "\n"
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text)
    elif FILE.read_text() != text:
        raise SystemExit(f"{FILE}: expected what scripts/dashboard.py writes, found something else")


if __name__ == "__main__":
    main()
