"""One module of values for each distribution: a new release is a change of data."""
