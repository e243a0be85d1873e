"""One matrix on many hosts: measured in turn or side by side, compared, and what may be behind it."""
