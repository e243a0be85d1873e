"""What a student hands in: files, answers, predictions and evidence; read as data, and never run."""
