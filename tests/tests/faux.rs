//! The doubles do what they are for: a test against a double that lies proves nothing.

#[cfg(test)]
mod faux {
    mod centre;
    mod oqs;
}
