//! A board without lamps: it remembers what it was told, so that `status` and the page can show it.

use model::Timestamp;
use model::part::{BoardPart, Snapshot};
use model::scene::Scene;

/// The simulated board.
#[derive(Clone, Debug)]
pub struct Simulated {
    name: String,
    shown: Scene,
}

impl Simulated {
    /// A board of this name. Told nothing yet, it shows what is known then: nothing.
    pub fn of(name: String) -> Self {
        Self { name, shown: crate::scene(&Snapshot::default(), Timestamp::UNIX_EPOCH) }
    }

    /// Shows a scene.
    pub fn show(&mut self, scene: Scene) {
        self.shown = scene;
    }

    /// What `boardd` publishes.
    pub fn part(&self) -> BoardPart {
        BoardPart { board: self.name.clone(), scene: self.shown.clone() }
    }
}

#[cfg(test)]
mod tests {
    use model::scene::{Blink, Lamp};

    use super::*;

    #[test]
    fn it_offers_the_scene_it_was_last_told() {
        let mut board = Simulated::of("simulated".into());
        let mut scene = board.part().scene;
        assert_eq!(scene, crate::scene(&Snapshot::default(), Timestamp::UNIX_EPOCH));
        scene.0[0].blink = Blink::Off;
        board.show(scene);
        let part = board.part();
        assert_eq!(part.board, "simulated");
        assert_eq!(part.scene.light(Lamp::Power).unwrap().blink, Blink::Off);
    }
}
