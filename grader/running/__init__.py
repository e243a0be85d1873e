"""From a matrix to a run on disk: guests are started, measured in rounds, and every sample is kept."""
