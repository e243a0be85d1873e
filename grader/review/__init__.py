"""What only a teacher can decide: the decisions themselves, and the queue of what waits for one."""
