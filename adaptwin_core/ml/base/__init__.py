"""What a person sends or names as a base model: found, checked, completed to the files that every stage reads."""
