//! Append log and atomic replace: the only code that writes our state.
