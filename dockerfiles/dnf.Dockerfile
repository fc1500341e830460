# The builder of Enterprise Linux 7 (which has yum), 8, 9 and 10, and of openEuler.
# crossbuild fills in the arguments from its list of releases. By hand:
#   docker build --platform linux/arm64 --build-arg BASE_IMAGE=rockylinux/rockylinux:9 --file dnf.Dockerfile .
ARG BASE_IMAGE
FROM ${BASE_IMAGE}

# The text of a repository file that takes the place of the distribution's own; empty: they stay.
# Arguments can be read in the image's history, so no passwords in it. Proxies go by the names that engines
# know (HTTP_PROXY and the like) and leave no trace.
ARG REPOSITORIES=""
RUN if [ -n "$REPOSITORIES" ]; then \
      mkdir -p /etc/yum.repos.d/distribution && \
      find /etc/yum.repos.d -maxdepth 1 -name '*.repo' -exec mv {} /etc/yum.repos.d/distribution/ ';' && \
      printf '%s\n' "$REPOSITORIES" > /etc/yum.repos.d/site.repo; \
    fi

# Repositories that the distribution brings switched off and OpenHPC depends on: powertools, crb.
ARG ENABLE=""
RUN for repository in $ENABLE; do \
      dnf --assumeyes install dnf-plugins-core && \
      dnf config-manager --set-enabled "$repository" || exit; \
    done

# URL of the package ohpc-release, and its checksum: nothing has brought OpenHPC's key yet. Empty: no OpenHPC.
ARG OHPC_RELEASE=""
ARG OHPC_RELEASE_SHA256=""
RUN if [ -n "$OHPC_RELEASE" ]; then \
      curl --fail --location --silent --show-error --output /tmp/ohpc-release.rpm "$OHPC_RELEASE" && \
      if [ -n "$OHPC_RELEASE_SHA256" ]; then \
        echo "$OHPC_RELEASE_SHA256  /tmp/ohpc-release.rpm" | sha256sum --check -; \
      fi && \
      $(command -v dnf || command -v yum) --assumeyes install /tmp/ohpc-release.rpm && \
      rm /tmp/ohpc-release.rpm; \
    fi

ARG PACKAGES=""
RUN if [ -n "$PACKAGES" ]; then \
      $(command -v dnf || command -v yum) --assumeyes install $PACKAGES && \
      $(command -v dnf || command -v yum) clean all; \
    fi
