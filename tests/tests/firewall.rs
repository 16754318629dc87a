//! The quick tier of `check firewall`: the plan's word, the prover's word and the kernel's doings, each against the other.
//! Needs root and nftables; the namespaces end with the threads that made them.

use clinic::check::firewall::{Order, play};

#[test]
fn the_plan_the_prover_and_the_kernel_agree() {
    let mut said = Vec::new();
    let played = play(Order::QUICK, &mut said).unwrap();
    assert!(played.right, "{}\n{}", String::from_utf8_lossy(&said), played.summary);
}
