"""The class as its teacher looks at it: marks, questions, wrong ideas, and what is worth a second look."""
