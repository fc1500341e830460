"""The whole flow, from a spec to a provisioner: the only package that knows all of it."""
