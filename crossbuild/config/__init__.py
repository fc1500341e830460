"""YAML files become model values here, strictly; every error names the path inside its file."""
