"""Checks of what a student did: transcripts, the state of a host, experiments; all from evidence."""
