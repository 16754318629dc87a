//! The configuration of the box's own share: SMB 3 on the clinic's address and nowhere else.
