//! Ends that are not in the site file any more, because they were renamed or removed: what still lies for them in our own
//! folders. No road leads there, so it is held where everybody sees it, until a person decides or the end is back; what
//! came from there and was recorded goes on to its consumer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use model::Timestamp;
use model::parcel::Direction;

use super::plan::{self, folders_of_seat};
use super::{Desk, Inbox, Outbox, Plan, STILL, collect, order};
use crate::Error;
use crate::entry;
use crate::name::Table;
use crate::report::View;
use crate::site::{Config, ConsumerConfig};

/// A lane for each end that has something in our own folders and no lane of its own.
///
/// # Errors
/// If the system refuses.
pub fn strays(relay: &Path, lanes: &[Plan]) -> Result<Vec<Plan>, Error> {
    let mut found = BTreeMap::<String, usize>::new();
    for above in ["attempted", "arriving"] {
        entry::each(&relay.join(above), |end, _| {
            let Some(name) = end.file_name().and_then(|name| name.to_str()) else { return };
            if name != collect::NAME && lanes.iter().all(|lane| lane.name != name) {
                *found.entry(name.to_owned()).or_default() += 1;
            }
        })?;
    }
    for (end, files) in &found {
        tracing::warn!(end, files, "files lie for an end that is not in the site file any more");
    }
    Ok(found.into_keys().map(plan::stray).collect())
}

/// Holds what lies for such an end, and says so, for ever.
pub async fn keep(desk: Desk) {
    order::settle(&desk).await;
    let (mut outbox, mut inbox) = (Outbox::new(&desk, Vec::new()), Inbox::new(&desk, Vec::new()));
    outbox.recover(&desk).await;
    outbox.strand();
    inbox.recover(&desk).await;
    loop {
        order::carry_out(&desk, &desk.orders, &mut outbox, &mut inbox).await;
        inbox.unblock(&desk, &mut outbox).await;
        // What was submitted is over when its time is.
        outbox.look_only(&desk).await;
        let mut view = View::default();
        outbox.say(&desk, true, &mut view);
        inbox.say(&desk, &mut view);
        // Nobody is there who could answer.
        view.unanswered.clear();
        desk.report.see(&desk.lane, view, Timestamp::now());
        let still = Instant::now() + STILL;
        let due = inbox.blocked_due().map_or(still, |at| at.min(still));
        tokio::select! {
            () = tokio::time::sleep_until(due.into()) => {}
            () = desk.orders.wait() => {}
        }
    }
}

/// Says where requests lie in the box's own shares that no lane empties: in a share or below a folder that the site file
/// does not name any more.
///
/// # Errors
/// If the system refuses.
pub fn tell_unowned(config: &Config, table: &Table) -> Result<(), Error> {
    for path in entry::folders(&config.state.join("share"))? {
        let files = unowned(config, table, &path)?;
        if files > 0 {
            let share = path.file_name().unwrap_or_default().display();
            tracing::warn!(%share, files, "requests lie in a share where no lane of the site file empties them");
        }
    }
    Ok(())
}

/// How many files lie in folders of requests that nobody empties, of the share at `path`.
fn unowned(config: &Config, table: &Table, path: &Path) -> Result<usize, Error> {
    let is_its = |consumer: &ConsumerConfig| consumer.share.as_ref().is_some_and(|name| path.ends_with(name));
    let seat = config.consumers.iter().position(is_its);
    let emptied = seat.map(|seat| folders_of_seat(config, table, seat).emptied).unwrap_or_default();
    let is_emptied = |folder: &Path| emptied.iter().any(|one| path.join(one) == folder);
    let roots = [entry::folders(path)?, vec![path.to_owned()]].concat();
    let requests = table.folders(Direction::Request);
    let folders = roots.iter().flat_map(|root| requests.iter().map(|(folder, _)| root.join(folder)));
    // What is no folder cannot be listed.
    let listed =
        folders.filter(|folder| !is_emptied(folder)).filter_map(|folder| std::fs::read_dir(folder).ok());
    Ok(listed.map(Iterator::count).sum())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{Ends, kinds, terminal};

    #[test]
    fn requests_are_counted_where_the_site_file_names_no_terminal_or_no_consumer() {
        let ends = Ends::new();
        let mut config = ends.config();
        config.terminals.push(terminal("t2", Some("second")));
        let put = |folder: &str| {
            let folder = config.state.join("share").join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("OQSsiquc01req_1.xml"), b"x").unwrap();
        };
        [
            "OQS/req",
            "OQS/second/req",
            "OQS/res",
            "OQS/returned",
            "OQS/third/req",
            "OLD/req",
            "OLD/second/req",
        ]
        .iter()
        .for_each(|folder| put(folder));
        let count = |share: &str| {
            unowned(&config, &Table::new(&kinds()), &config.state.join("share").join(share)).unwrap()
        };
        assert_eq!((count("OQS"), count("OLD"), count("absent")), (1, 2, 0));
        tell_unowned(&config, &Table::new(&kinds())).unwrap();
    }
}
