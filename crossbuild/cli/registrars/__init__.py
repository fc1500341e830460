"""The commands of `crossbuild register`, one file for each provisioner."""
