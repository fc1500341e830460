"""Enterprise Linux, openEuler and openSUSE: dnf or zypper run natively, only scriptlets in the root."""
