"""What a model is worth: error rates on held-out clips, the verdict, the report and the manifest."""
