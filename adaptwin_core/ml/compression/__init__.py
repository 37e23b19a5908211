"""The mathematics of a cut: moments of the speech, factorization, pruning of heads and neurons, sensitivity."""
