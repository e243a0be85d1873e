"""From submissions to a grade: one pytest session, in which nothing of a submission runs."""
