"""The trainer that all networks share."""
