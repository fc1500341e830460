"""`crossbuild register PROVISIONER`: one file for each provisioner."""
