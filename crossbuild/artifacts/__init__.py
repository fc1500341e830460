"""A root becomes the files that provisioners take: one module per provisioner, and the set around them."""
