"""The story that a report tells: processor, memory, devices; what the TD claims, and what came out."""
