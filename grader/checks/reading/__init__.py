"""Reading a short text: words, clauses, what is denied, and which of a rubric's ideas stand in it.

All of it is pure: text in, findings out; nothing here knows points or results.
"""
