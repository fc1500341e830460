"""HPE's Image Management Service: REST API v3, S3, and the services around it."""
