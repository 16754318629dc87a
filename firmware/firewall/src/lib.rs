//! Site to plan to nft, and the proof of what it promises.
