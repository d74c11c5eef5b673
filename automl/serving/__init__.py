"""Everything between a user's file and numbers: used in training, copied verbatim into the artifact."""
