"""The page that tells of one artifact set: `crossbuild report`."""
