//! The virtual clinic: a whole clinic in network namespaces, with the real parts running.
