//! A board without lamps: it remembers what it was told, so that `status` and the page can show it.

use model::part::BoardPart;
use model::scene::Scene;

/// The simulated board.
#[derive(Clone, Debug)]
pub struct Simulated {
    shown: Scene,
}

impl Simulated {
    /// A board that shows its first scene.
    pub const fn new(first: Scene) -> Self {
        Self { shown: first }
    }

    /// Shows a scene; says whether the lamps changed.
    pub fn show(&mut self, scene: Scene) -> bool {
        let changed = self.shown != scene;
        self.shown = scene;
        changed
    }

    /// What `boardd` publishes.
    pub fn part(&self) -> BoardPart {
        BoardPart { board: "simulated".into(), scene: self.shown.clone() }
    }
}

#[cfg(test)]
mod tests {
    use model::part::Snapshot;
    use model::scene::{Blink, Lamp};

    use super::*;

    #[test]
    fn it_offers_the_scene_it_was_last_told() {
        let first = crate::scene(&Snapshot::default());
        let mut board = Simulated::new(first.clone());
        assert!(!board.show(first.clone()));
        let mut second = first;
        second.0[0].blink = Blink::Off;
        assert!(board.show(second));
        let part = board.part();
        assert_eq!(part.board, "simulated");
        assert_eq!(part.scene.light(Lamp::Power).unwrap().blink, Blink::Off);
    }
}
