//! The terminal's segment: what the line gives is given on, and follows its changes.
