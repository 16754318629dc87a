//! The link application's double: it takes whole requests once, answers as told, and counts honestly.

use std::fs;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clinic::faux::forms::{Form, face, is_whole};
use clinic::faux::oqs::Oqs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

const DEADLINE: Duration = Duration::from_secs(10);
const REQUEST: &str = "OQSsiquc01req_0001.xml";
const ANSWER: &str = "OQSsiquc01res_0001.xml";

struct Played {
    dir: TempDir,
    oqs: Arc<Oqs>,
}

fn play() -> Played {
    let dir = tempfile::tempdir().unwrap();
    let oqs = Oqs::open(dir.path()).unwrap();
    tokio::spawn(Arc::clone(&oqs).work());
    Played { dir, oqs }
}

impl Played {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn obey(&self, line: &str) {
        let answer = self.oqs.obey(line);
        assert!(answer.starts_with("ok "), "{line}: {answer}");
    }

    /// Shows a request whole, as the relay must.
    fn deliver(&self, name: &str, bytes: &[u8]) {
        let temporary = self.path("req/.t.part");
        fs::write(&temporary, bytes).unwrap();
        fs::rename(&temporary, self.path("req").join(name)).unwrap();
    }

    /// Waits until the application's tally has this word.
    fn counts(&self, word: &str) {
        let end = Instant::now() + DEADLINE;
        while !self.oqs.obey("counts").split(' ').any(|have| have == word) {
            assert!(Instant::now() < end, "no {word} in {}", self.oqs.obey("counts"));
            std::thread::yield_now();
        }
    }
}

/// Waits until `seen` holds, looking again at every change in the folder.
fn wait(folder: &Path, seen: impl Fn() -> bool) {
    let watch = Inotify::init(InitFlags::IN_NONBLOCK).unwrap();
    let changes = AddWatchFlags::IN_CREATE | AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_DELETE;
    watch.add_watch(folder, changes).unwrap();
    let end = Instant::now() + DEADLINE;
    while !seen() {
        let left = u16::try_from(end.saturating_duration_since(Instant::now()).as_millis()).unwrap();
        let ready = poll(&mut [PollFd::new(watch.as_fd(), PollFlags::POLLIN)], PollTimeout::from(left));
        assert_ne!(ready, Ok(0), "nothing came in {}", folder.display());
        let _ = watch.read_events();
    }
}

fn wait_whole(path: &Path) -> Vec<u8> {
    let name = path.file_name().unwrap().to_str().unwrap();
    wait(path.parent().unwrap(), || fs::read(path).is_ok_and(|bytes| is_whole(name, &bytes)));
    fs::read(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_taken_and_echoed_byte_for_byte() {
    let terminal = play();
    terminal.obey("answer=echo");
    for form in [Form::Xml, Form::Sjis, Form::Zip] {
        let (id, bytes) = (format!("{form:?}"), form.request("0001", 4000));
        terminal.deliver(&format!("OQSsiquc01req_{id}.{}", form.extension()), &bytes);
        let answer = terminal.path(&format!("res/OQSsiquc01res_{id}.{}", form.extension()));
        assert_eq!(wait_whole(&answer), bytes, "{form:?}");
    }
    assert_eq!(fs::read_dir(terminal.path("req")).unwrap().count(), 0);
    terminal.counts("answered=3");
    assert_eq!(terminal.oqs.obey("counts"), "ok taken=3 doubled=0 torn=0 created=0 answered=3 faces=0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_the_form_and_size_that_was_ordered() {
    let terminal = play();
    terminal.obey("size=50000");
    terminal.obey("delay-ms=0");
    for (number, (order, form)) in [
        ("xml", Form::Xml),
        ("sjis", Form::Sjis),
        ("pdf", Form::Pdf),
        ("zip", Form::Zip),
        ("error", Form::Error),
    ]
    .into_iter()
    .enumerate()
    {
        terminal.obey(&format!("answer={order}"));
        terminal.deliver(&format!("YZKsiquc01req_{number}.xml"), &Form::Xml.request("1", 0));
        let stem = format!("YZKsiquc01res_{number}");
        let answer = wait_whole(&terminal.path(&format!("res/{stem}.{}", form.extension())));
        assert_eq!(answer, form.answer(&stem, 50_000), "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_writer_shows_its_answer_before_it_is_whole() {
    let terminal = play();
    terminal.obey("write=slow");
    terminal.deliver(REQUEST, &Form::Xml.request("1", 0));
    let answer = terminal.path("res").join(ANSWER);
    wait(&terminal.path("res"), || answer.exists());
    assert!(!is_whole(ANSWER, &fs::read(&answer).unwrap()));
    wait_whole(&answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_written_request_is_counted_as_torn_and_taken_when_whole() {
    let terminal = play();
    let bytes = Form::Xml.request("1", 0);
    fs::write(terminal.path("req").join(REQUEST), &bytes[..100]).unwrap();
    terminal.counts("torn=1");
    terminal.counts("created=1");
    terminal.counts("taken=0");
    fs::write(terminal.path("req").join(REQUEST), &bytes).unwrap();
    wait_whole(&terminal.path("res").join(ANSWER));
    terminal.counts("taken=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_twice_is_counted_as_doubled() {
    let terminal = play();
    for taken in ["taken=1", "taken=2"] {
        terminal.deliver(REQUEST, &Form::Xml.request("1", 0));
        terminal.counts(taken);
    }
    terminal.counts("doubled=1");
    assert_eq!(terminal.oqs.obey(&format!("seen={REQUEST}")), "ok seen=2");
    assert_eq!(terminal.oqs.obey("seen=OQSsiquc01req_0002.xml"), "ok seen=0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_application_takes_nothing_and_a_mute_one_answers_nothing() {
    let terminal = play();
    terminal.obey("delay-ms=0");
    terminal.obey("stopped=on");
    terminal.deliver(REQUEST, &Form::Xml.request("1", 0));
    assert!(terminal.path("req").join(REQUEST).exists());
    terminal.obey("mute=on");
    terminal.obey("stopped=off");
    terminal.counts("taken=1");
    terminal.obey("mute=off");
    terminal.deliver("OQSsiquc01req_0002.xml", &Form::Xml.request("2", 0));
    wait_whole(&terminal.path("res/OQSsiquc01res_0002.xml"));
    terminal.counts("answered=1");
    assert!(!terminal.path("res").join(ANSWER).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn face_results_have_their_own_names_and_bytes_that_follow_from_them() {
    let terminal = play();
    terminal.obey("push-face=3");
    let entries = fs::read_dir(terminal.path("face")).unwrap().map(Result::unwrap);
    let names: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(names.len(), 3);
    for name in names {
        let id = name.strip_prefix("OQSsiquc01res_face_").unwrap().split('_').next().unwrap();
        assert_eq!(fs::read(terminal.path("face").join(&name)).unwrap(), face(id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_files_are_left_alone_and_a_deletion_marker_comes_and_goes() {
    let terminal = play();
    for name in ["note.txt", ".OQSsiquc01req_1.xml", "OQSsiquc01req_1.xml.part"] {
        fs::write(terminal.path("req").join(name), Form::Xml.request("1", 0)).unwrap();
    }
    terminal.deliver(REQUEST, &Form::Xml.request("1", 0));
    wait_whole(&terminal.path("res").join(ANSWER));
    assert_eq!(fs::read_dir(terminal.path("req")).unwrap().count(), 3);
    terminal.obey("stale=on");
    assert_eq!(fs::read_dir(terminal.path("res")).unwrap().count(), 2);
    terminal.obey("stale=off");
    assert_eq!(fs::read_dir(terminal.path("res")).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_control_socket_answers_line_by_line() {
    let terminal = play();
    let socket = terminal.path("control");
    fs::write(&socket, "left over").unwrap();
    let control = Oqs::control(&socket).unwrap();
    tokio::spawn(Arc::clone(&terminal.oqs).listen(control));
    let (read, mut write) = UnixStream::connect(&socket).await.unwrap().into_split();
    let mut lines = BufReader::new(read).lines();
    for (line, answer) in [
        ("delay-ms=7", "ok delay-ms=7"),
        ("delay-ms=soon", "err want a whole number up to 3600000"),
        ("mute=yes", "err want one of on, off"),
        ("counts", "ok taken=0 doubled=0 torn=0 created=0 answered=0 faces=0"),
    ] {
        write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().as_deref(), Some(answer));
    }
}
