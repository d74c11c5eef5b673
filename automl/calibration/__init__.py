"""From the scores of a chosen model to honest probabilities and to the labels that its metric rewards."""
