# The builder of Debian 12.
# crossbuild fills in the arguments from its list of releases. By hand:
#   docker build --platform linux/arm64 --build-arg BASE_IMAGE=debian:12 --file apt.Dockerfile .
ARG BASE_IMAGE
FROM ${BASE_IMAGE}

# The text of a deb822 file that takes the place of the distribution's own sources; empty: they stay.
# Arguments can be read in the image's history, so no passwords in it. Proxies go by the names that engines
# know (HTTP_PROXY and the like) and leave no trace.
ARG REPOSITORIES=""
RUN if [ -n "$REPOSITORIES" ]; then \
      rm -f /etc/apt/sources.list /etc/apt/sources.list.d/* && \
      printf '%s\n' "$REPOSITORIES" > /etc/apt/sources.list.d/site.sources; \
    fi

ARG PACKAGES=""
RUN if [ -n "$PACKAGES" ]; then \
      export DEBIAN_FRONTEND=noninteractive && \
      apt-get update && \
      apt-get install --yes --no-install-recommends $PACKAGES && \
      apt-get clean && \
      rm -rf /var/lib/apt/lists/*; \
    fi
