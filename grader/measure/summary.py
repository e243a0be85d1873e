"""From samples to a measurement: the median, the interval around it, and how much samples vary."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from grader.measure.run import METRICS, Measurement

_RESAMPLES = 4000
_FEWEST = 3


def measurement(metric: str, samples: Sequence[float], warmups: Sequence[float] = ()) -> Measurement:
    """Return the measurement of a metric (a key of :data:`~grader.measure.run.METRICS`) from its samples."""
    kept = tuple(round(sample, 6) for sample in samples)
    return Measurement(
        unit=METRICS[metric],
        samples=kept,
        median=round(statistics.median(kept), 6),
        ci95=interval(kept),
        cv=variation(kept),
        warmups=tuple(round(sample, 6) for sample in warmups),
    )


def variation(samples: Sequence[float]) -> float | None:
    """Return the coefficient of variation in per cent: the samples' standard deviation by their mean.

    None with fewer than three samples, and where the mean is 0: nothing varies in proportion to it.
    """
    mean = statistics.fmean(samples) if samples else 0.0
    if len(samples) < _FEWEST or not mean:
        return None
    return round(100 * statistics.stdev(samples, mean) / abs(mean), 3)


def interval(samples: Sequence[float]) -> tuple[float, float] | None:
    """Return the 95 % interval of the median (percentile bootstrap), or None with fewer than three samples.

    The generator's seed is fixed: the same samples give the same interval wherever they are read again.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap, chapter 13.
    """
    if len(samples) < _FEWEST:
        return None
    if len(set(samples)) == 1:
        return samples[0], samples[0]
    # scipy takes most of a second to import: not before there is something to compute.
    import numpy as np
    from scipy import stats

    found = stats.bootstrap(
        (np.asarray(samples, dtype=float),),
        np.median,
        n_resamples=_RESAMPLES,
        confidence_level=0.95,
        method="percentile",
        rng=np.random.default_rng(0),
        vectorized=True,
    )
    low, high = found.confidence_interval
    return round(float(low), 6), round(float(high), 6)
