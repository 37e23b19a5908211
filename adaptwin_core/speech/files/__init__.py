"""Files as a person sends them: folders, archives, and the names they go by."""
