"""Docker and Podman: images and containers through the docker SDK, commands straight through the socket."""
