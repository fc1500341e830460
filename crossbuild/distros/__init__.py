"""What each distribution needs: data first, and one package per family of package managers."""
