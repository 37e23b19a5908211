"""How a model is trained: on which windows, by which teacher, and in which steps, one block alone or end to end."""
