//! A browser held by a test, with a deadline on everything that is waited for.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::common::print::PrintParameters;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::prelude::*;

/// Whether scripts run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    Run,
    Off,
}

pub struct Browser {
    driver: WebDriver,
    _process: Driver,
    _profile: tempfile::TempDir,
}

/// The driver's process; ends with the test, whatever became of it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _already_gone = self.0.kill();
        let _already_gone = self.0.wait();
    }
}

/// Everything a browser does behind a person's back is off: this one speaks to the clinic only.
const QUIET: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1366,900",
    "--lang=ja",
    // The box is its own authority, and nobody has told this browser of it.
    "--ignore-certificate-errors",
];

impl Browser {
    pub async fn open(scripts: Scripts) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let (process, port) = start();
        let mut wanted = DesiredCapabilities::chrome();
        for argument in QUIET {
            wanted.add_arg(argument).unwrap();
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
        let javascript = if scripts == Scripts::Off { 2 } else { 1 };
        let preferences = json!({
            "profile.managed_default_content_settings.javascript": javascript,
            "intl.accept_languages": "ja",
        });
        wanted.add_experimental_option("prefs", preferences).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.unwrap();
        Self { driver, _process: process, _profile: profile }
    }

    pub async fn goto(&self, address: &str) {
        self.driver.goto(address).await.unwrap();
    }

    pub async fn title(&self) -> String {
        self.driver.title().await.unwrap()
    }

    pub async fn text(&self, css: &str) -> String {
        self.on(css, |found| async move { found.text().await }).await
    }

    pub async fn click(&self, css: &str) {
        self.on(css, |found| async move { found.click().await }).await;
    }

    /// The page refreshes itself: an element may be replaced between being found and being used.
    async fn on<T, F>(&self, css: &str, work: impl Fn(WebElement) -> F) -> T
    where
        F: Future<Output = WebDriverResult<T>>,
    {
        loop {
            let found = self.driver.find(By::Css(css)).await.unwrap();
            match work(found).await {
                Err(error) if matches!(error.as_inner(), WebDriverErrorInner::StaleElementReference(_)) => {}
                done => return done.unwrap(),
            }
        }
    }

    pub async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Waits until an element says something.
    pub async fn wait_for(&self, css: &str, text: &str, deadline: Duration) {
        let found = self
            .query(css, deadline)
            .with_text(thirtyfour::stringmatch::StringMatch::new(text).partial())
            .exists()
            .await;
        if !found.unwrap() {
            self.keep("missed").await;
            panic!("{css} does not say {text} after {deadline:?}, but: {}", self.text("body").await);
        }
    }

    /// Waits until there is no such element.
    pub async fn wait_for_absence(&self, css: &str, deadline: Duration) {
        assert!(self.query(css, deadline).not_exists().await.unwrap(), "{css} stays");
    }

    fn query(&self, css: &str, deadline: Duration) -> thirtyfour::extensions::query::ElementQuery {
        self.driver.query(By::Css(css)).wait(deadline, Duration::from_millis(200)).ignore_errors(true)
    }

    /// How many A4 sheets the page prints on.
    pub async fn sheets(&self) -> usize {
        let parameters = PrintParameters {
            page: thirtyfour::common::print::PrintPage { width: 21.0, height: 29.7 },
            ..PrintParameters::default()
        };
        let document = self.driver.print_page(parameters).await.unwrap();
        String::from_utf8_lossy(&document).matches("/Type /Page\n").count()
    }

    /// Keeps what is seen as `artifacts/page-NAME.png`.
    pub async fn keep(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts");
        std::fs::create_dir_all(&folder).unwrap();
        self.driver.screenshot(&folder.join(format!("page-{name}.png"))).await.unwrap();
    }

    pub async fn close(self) {
        self.driver.quit().await.unwrap();
    }
}

/// Starts a driver on a port of its own choice, which it prints.
fn start() -> (Driver, u16) {
    let mut command = Command::new("/usr/bin/chromedriver");
    let mut child = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let said = child.stdout.take().unwrap();
    let process = Driver(child);
    (process, port(said))
}

fn port(said: ChildStdout) -> u16 {
    let mut lines = BufReader::new(said).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        line.strip_prefix("ChromeDriver was started successfully on port ")?
            .trim_end_matches('.')
            .parse()
            .ok()
    });
    port.unwrap()
}
