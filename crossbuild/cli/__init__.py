"""The command line: it parses, calls one library function, and shows what came back."""
