"""Numbers for Prometheus: requests, how long they took, the bundle, its refreshes.

Reads  what the gate and the bundle tell.
Gives  the text of ``/metrics``, of all workers together where they share a folder.
Never  customer data: labels are routes, statuses and results.

``prometheus_client`` adds the workers up through files mapped into memory, in the folder that
``PROMETHEUS_MULTIPROC_DIR`` names before it is imported; ``anticipate serve`` sets it.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """Of one app in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        to = self._registry
        self._requests = Counter(
            "anticipate_requests", "Answers by route and status.", ["route", "status"], registry=to
        )
        self._seconds = Histogram(
            "anticipate_request_seconds",
            "From the request's head to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=to,
        )
        self._reloads = Counter(
            "anticipate_bundle_reloads", "Bundles opened or refused.", ["result"], registry=to
        )
        self._cutoff = Gauge(
            "anticipate_bundle_cutoff_timestamp_seconds",
            "Cutoff of the newest bundle in use; its age is time() less this.",
            registry=to,
            multiprocess_mode="mostrecent",
        )
        self._kept: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        for result in ("ok", "failed"):
            self._reloads.labels(result)

    def answered(self, route: str, status: int, seconds: float) -> None:
        kept = self._kept.get((route, status))
        if kept is None:  # finding a label's numbers costs more than counting
            kept = self._requests.labels(route, status), self._seconds.labels(route)
            self._kept[route, status] = kept
        kept[0].inc()
        kept[1].observe(seconds)

    def opened(self, cutoff_seconds: float) -> None:
        self._reloads.labels("ok").inc()
        self._cutoff.set(cutoff_seconds)

    def refused(self) -> None:
        self._reloads.labels("failed").inc()

    def text(self) -> bytes:
        """Prometheus' text format."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
