"""How good a model is: error rates on held-out clips, the verdict on them, the report and the manifest."""
