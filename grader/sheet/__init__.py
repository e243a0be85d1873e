"""The sheet of a lab: what the student reads, with the questions as this student is asked them."""
