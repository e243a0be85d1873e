"""The teacher's desk: a local page for the queue, decisions in a batch, and regrading from what is kept."""
