//! `firewall`.
mod bench;
mod chance;
mod compare;
mod frame;
mod packets;
mod reading;
mod sabotage;
mod sockets;
mod world;

use self::chance::Chance;
use self::compare::{Measure, compare};
use self::sabotage::Defect;
use self::world::World;
use crate::check::Wrong;

/// Try.
///
/// # Errors
/// x
pub fn tried() -> Result<(), Wrong> {
    let mut chance = Chance::new(7);
    for at in 0..3 {
        let world = World::random(&mut chance, format!("site-{at}"))?;
        let measure = Measure { each: 12, borders: 40, flows: 6, random: 300 };
        let begun = std::time::Instant::now();
        let compared = bench::alone(0, || compare(&world, measure, Defect::None, Chance::new(at)))?;
        let mut text = format!("{at}: {} packets, {} unroutable, {:?}\n", compared.packets, compared.unroutable, begun.elapsed());
        for (line, tally) in &compared.lines {
            text += &format!("   {:4} {:4} {:4} {line}\n", tally.hits, tally.inside, tally.outside);
        }
        for difference in &compared.differences {
            text += &difference.text(&world)[..900.min(difference.text(&world).len())];
        }
        std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    }
    Ok(())
}
