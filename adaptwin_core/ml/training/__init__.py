"""How a model learns: what is shown to it, who teaches it, and the steps of training, of one block or end to end."""
