"""Hosts that run builds natively: records, connections, probes, and who may use which slot."""
