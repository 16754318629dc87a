//! The walk's own cases, as the lab plays them, on a board.

use clinic::check::walk;

use super::{For, Story};

/// Those that every change is tried with; the others take minutes.
const SMOKE: [&str; 12] = [
    "a_clean_clinic_is_usable_and_nobody_is_accused",
    "every_rung_of_a_clean_clinic_is_good",
    "status_says_what_check_says",
    "the_lamps_of_a_clean_clinic_are_calm",
    "a_request_in_shift_jis_comes_back_byte_for_byte",
    "an_encrypted_zip_comes_back_byte_for_byte",
    "the_terminal_keeps_nothing",
    "the_page_says_the_sentence_in_japanese",
    "the_page_is_not_reachable_from_terminal_or_line",
    "the_box_says_that_its_promises_are_proved",
    "a_line_cable_that_is_out_is_the_clinics",
    "a_terminal_that_stopped_sharing_is_the_terminals",
];

/// The stories.
pub fn stories() -> Vec<Story> {
    walk::from_outside().into_iter().map(story).collect()
}

fn story(case: clinic::check::Case) -> Story {
    let smoke = SMOKE.contains(&case.name);
    // Nobody can ask a release for the share's password before there is a sign-in.
    let only = if case.share { For::Development } else { For::Every };
    let play = case.play;
    let story = Story::new(
        case.name,
        "The lab plays the same case on the box in its namespace: what differs is the image.",
        &["a box in service", "the walk's case, judged from outside"],
        move |stage| {
            stage.service()?;
            play(&mut stage.lab)
        },
    );
    Story { smoke, only, ..story }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_the_smoke_tier_is_one_of_the_walks() {
        assert_eq!(stories().iter().filter(|story| story.smoke).count(), SMOKE.len());
    }
}
