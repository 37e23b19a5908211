"""What `adaptwin doctor` looks at. Nothing heavy is imported, and nothing is sent."""
