"""HPE's Image Management Service: its REST API v3, the S3 where its images lie, and the services around it."""
