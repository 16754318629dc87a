//! The ladder: probes, observations, verdict.
