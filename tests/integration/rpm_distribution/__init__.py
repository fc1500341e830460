"""Makes RPM distributions for tests from Debian's packages: one like Enterprise Linux 9, one like Leap 15."""
