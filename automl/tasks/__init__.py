"""What is to be learned; one file per task."""
