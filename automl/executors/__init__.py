"""What pumps a controller: worker processes, this process, a simulated world."""
