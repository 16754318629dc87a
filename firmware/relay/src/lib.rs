//! The bastion: intake, admit, publish, settle.
