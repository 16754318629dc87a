//! IPsec (strongSwan over vici) and remote maintenance with consent.

pub mod consent;
