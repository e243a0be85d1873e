"""What a lab's author is given: schemas for editors, and a new lab that already holds."""
