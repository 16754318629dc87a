//! The scene on the lamps, and the boards that show it.
