"""How every benchmark says what it found."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def publish(name: str, ratios: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Print a table to stderr and one JSON document (``tdlab.benchmark/1``) to stdout."""
    for key, value in ratios.items():
        shown = f"{value['ratio']:.3f}  95 % {value['ci95'][0]:.3f} to {value['ci95'][1]:.3f}"
        print(f"{key:32} {shown}", file=sys.stderr)
    print(json.dumps({"schema": "tdlab.benchmark/1", "name": name, "ratios": ratios, "figures": figures}))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return the ratio of the medians with its bootstrap interval (percentile, 95 %, fixed seed)."""
    import numpy as np
    from scipy import stats

    def of_medians(a: Any, b: Any, axis: int) -> Any:
        return np.median(a, axis=axis) / np.median(b, axis=axis)

    samples = (np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float))
    found = stats.bootstrap(
        samples, of_medians, method="percentile", rng=np.random.default_rng(0), vectorized=True
    )
    low, high = found.confidence_interval
    middle = float(of_medians(*samples, axis=-1))
    return {"ratio": round(middle, 4), "ci95": [round(float(low), 4), round(float(high), 4)]}
