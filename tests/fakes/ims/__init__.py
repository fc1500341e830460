"""IMS, its S3, the token endpoint and the services around it, on loopback."""
