//! The page: one immutable snapshot, rendered by the server.
