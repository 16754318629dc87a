//! Needs root: mounts, in a namespace of its own. A log without a write is a cut before anything was there.

use hil::powercut::cut::{Cut, Kept};
use hil::powercut::log::Log;
use hil::powercut::place::Terminal;
use hil::powercut::record::{Recording, make_disk};
use hil::powercut::replay::{Replay, alone_with_mounts};
use hil::powercut::tally::Tally;

#[test]
fn after_a_cut_before_everything_a_request_goes_its_way() {
    let folder = tempfile::tempdir().unwrap();
    let (log, disk) = (folder.path().join("log"), folder.path().join("disk"));
    let mut head = [0_u64; 64];
    (head[0], head[1], head[3]) = (0x006a_7366_7773_6872, 1, 512);
    std::fs::write(&log, head.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
    make_disk(&disk, folder.path()).unwrap();
    let recording =
        Recording { log: Log::read(&log).unwrap(), disk, terminal: Terminal::Far, said: String::new() };
    alone_with_mounts().unwrap();
    let program = env!("CARGO_BIN_EXE_powercut").into();
    let mut replay = Replay::set(&recording, program, "sekisho".into()).unwrap();
    for _ in 0..2 {
        let played = replay.play(Cut { at: 0, kept: Kept::All }, false).unwrap();
        assert_eq!((played.tally, played.restless), (Tally::default(), None));
    }
}
