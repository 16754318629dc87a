//! Faults made around a board, each named with its owner: what the lab's own box says, an image must say too.

use clinic::check::Outcome;
use clinic::check::faults::{Case, on_a_board, play_one};

use super::{For, Story};
use crate::stage::Stage;

/// The stories.
pub fn stories() -> Vec<Story> {
    on_a_board().into_iter().filter_map(story).collect()
}

/// The walk plays the others; a sweep is asked for inside, so that a story is over in seconds.
fn story(case: Case) -> Option<Story> {
    let title = TITLES.iter().find(|(name, _)| *name == case.name)?.1;
    let story = Story::new(
        title,
        "The clinic calls whoever is named; an image has another kernel, other sockets and other users than the lab.",
        &[
            "a box in service",
            "make the fault",
            "the one right verdict, twice",
            "undo it",
            "the line is clean",
        ],
        move |stage| named(stage, &case),
    );
    Some(story.only(For::Development))
}

const TITLES: [(&str, &str); 12] = [
    ("WAN-03", "a_router_that_says_goodbye_is_the_lines"),
    ("WAN-08", "a_router_that_does_not_answer_is_the_lines"),
    ("WAN-11", "a_line_that_loses_much_is_the_lines"),
    ("WAN-12", "large_packets_that_vanish_are_the_lines"),
    ("DNS-03:centre", "resolvers_of_the_other_area_are_the_boxs"),
    ("DNS-04", "a_name_that_is_gone_is_the_centres"),
    ("DNS-05", "a_stranger_that_answers_for_names_is_the_clinics"),
    ("CTR-03", "a_certificate_past_its_date_is_the_centres"),
    ("CTR-04", "a_certificate_of_another_name_is_nobodys_and_a_warning"),
    ("CTR-07", "a_distribution_host_that_is_down_alone_is_recorded_only"),
    ("TERM-04", "a_shared_folder_that_is_gone_is_the_terminals"),
    ("TERM-06", "a_terminal_whose_disk_is_full_is_the_terminals"),
];

fn named(stage: &mut Stage, case: &Case) -> Outcome {
    stage.service()?;
    let judged = play_one(&mut stage.lab, case)?;
    let seconds = format!("{:.1}", judged.after.as_secs_f64());
    stage.figure(&format!("{}: from made to judged, s", case.name), seconds);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_board_has_its_story() {
        assert_eq!(stories().len(), on_a_board().len());
        assert!(stories().len() >= 10);
    }
}
