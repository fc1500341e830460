# The builder of openSUSE Leap 15.
# crossbuild fills in the arguments from its list of releases. By hand:
#   docker build --platform linux/arm64 --build-arg BASE_IMAGE=opensuse/leap:15.6 --file zypper.Dockerfile .
ARG BASE_IMAGE
FROM ${BASE_IMAGE}

# The text of a repository file that takes the place of the distribution's own; empty: they stay.
# Arguments can be read in the image's history, so no passwords in it. Proxies go by the names that engines
# know (HTTP_PROXY and the like) and leave no trace.
ARG REPOSITORIES=""
RUN if [ -n "$REPOSITORIES" ]; then \
      mkdir -p /etc/zypp/repos.d/distribution && \
      find /etc/zypp/repos.d -maxdepth 1 -name '*.repo' -exec mv {} /etc/zypp/repos.d/distribution/ ';' && \
      printf '%s\n' "$REPOSITORIES" > /etc/zypp/repos.d/site.repo && \
      # Unlike dnf, zypper trusts no key that a repository file names unless somebody says yes.
      sed -n 's/^gpgkey *= *//p' /etc/zypp/repos.d/site.repo | xargs --no-run-if-empty rpm --import; \
    fi

# URL of the package ohpc-release, and its checksum: nothing has brought OpenHPC's key yet. Empty: no OpenHPC.
ARG OHPC_RELEASE=""
ARG OHPC_RELEASE_SHA256=""
RUN if [ -n "$OHPC_RELEASE" ]; then \
      curl --fail --location --silent --show-error --output /tmp/ohpc-release.rpm "$OHPC_RELEASE" && \
      if [ -n "$OHPC_RELEASE_SHA256" ]; then \
        echo "$OHPC_RELEASE_SHA256  /tmp/ohpc-release.rpm" | sha256sum --check -; \
      fi && \
      zypper --non-interactive install --allow-unsigned-rpm /tmp/ohpc-release.rpm && \
      rm /tmp/ohpc-release.rpm && \
      rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-OpenHPC-*; \
    fi

ARG PACKAGES=""
RUN if [ -n "$PACKAGES" ]; then \
      zypper --non-interactive install $PACKAGES && \
      zypper clean --all; \
    fi
