//! The page as reception sees it: a real browser before the real page of a virtual clinic. Needs root, chromium and
//! its driver. What it saw last is kept under `artifacts/`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

mod browser;

use std::time::Duration;

use clinic::Clinic;

use crate::browser::{Browser, Scripts};

/// A fault is judged within a sweep of the ladder; the rest is the slowness of a loaded machine.
const JUDGED: Duration = Duration::from_secs(60);

fn page(clinic: &Clinic) -> String {
    clinic.status().unwrap().page.http
}

#[tokio::test]
async fn a_pulled_cable_changes_the_sentence_without_a_reload_and_its_return_takes_it_back() {
    let clinic = Clinic::up("page-cable").unwrap();
    let browser = Browser::open(Scripts::Run).await;
    browser.goto(&page(&clinic)).await;
    browser.wait_for("h1", "使えます", JUDGED).await;
    assert!(browser.title().await.starts_with("【正常】使えます"));

    // A reload would lose this.
    browser.run("window.stillTheSamePage = true").await;
    clinic.fault("WAN-01", true).unwrap();
    browser.wait_for("h1", "使えません", JUDGED).await;
    browser.wait_for(".sentences", "回線ポートに信号がありません。", JUDGED).await;
    assert!(browser.title().await.starts_with("【異常】使えません"));
    assert!(browser.text(".side.line .stop.line").await.contains("異常"));
    browser.keep("cable-out").await;

    clinic.fault("WAN-01", false).unwrap();
    browser.wait_for("h1", "使えます", JUDGED).await;
    assert_eq!(browser.run("return window.stillTheSamePage").await, true);
    browser.close().await;
}

#[tokio::test]
async fn an_internet_line_that_is_away_stands_beside_the_path_and_the_service_stays_usable() {
    let clinic = Clinic::up_with("page-internet", &["--uplink", "isp"]).unwrap();
    let browser = Browser::open(Scripts::Run).await;
    browser.goto(&page(&clinic)).await;
    browser.wait_for(".beside .stop", "正常", JUDGED).await;
    clinic.fault("ISP-01:cable", true).unwrap();
    browser.wait_for(".sentences", "インターネット回線のポートに信号がありません。", JUDGED).await;
    assert!(browser.title().await.starts_with("【注意】使えます"));
    assert!(browser.text(".beside .stop").await.contains("注意"));
    assert!(browser.text(".side.line .stop.line").await.contains("正常"));
    browser.keep("internet-out").await;
    clinic.fault("ISP-01:cable", false).unwrap();
    browser.wait_for(".beside .stop", "正常", JUDGED).await;
    browser.close().await;
}

#[tokio::test]
async fn reception_chooses_english_and_opens_the_reasons_of_a_held_file() {
    let clinic = Clinic::up("page-held").unwrap();
    let browser = Browser::open(Scripts::Run).await;
    browser.goto(&page(&clinic)).await;
    browser.wait_for("h1", "使えます", JUDGED).await;
    browser.click("nav a[hreflang=en]").await;
    browser.wait_for("h1", "Usable", JUDGED).await;

    let stranger = clinic.clinic_folder().join("stranger.txt");
    std::fs::write(&stranger, "nobody knows this kind").unwrap();
    let put = format!("put {} req/stranger.txt", stranger.display());
    assert!(clinic.smbclient(&put).unwrap().status.success());
    browser.wait_for("#held summary", "Attention", JUDGED).await;
    browser.click("#held summary").await;
    assert!(browser.text("#held .files").await.contains("The kind of this file is not listed"));
    assert!(!browser.text("body").await.contains("stranger"), "a file's name may be a patient's");

    // What a person opened stays open when the page is refreshed under it.
    browser.run("document.getElementById('view').dataset.old = 1").await;
    browser.wait_for_absence("#view[data-old]", JUDGED).await;
    assert!(browser.text("#held .files").await.contains("The kind of this file is not listed"));
    browser.keep("held").await;
    browser.close().await;
}

#[tokio::test]
async fn a_look_that_is_asked_for_on_the_page_is_made_and_seen_on_its_way() {
    let clinic = Clinic::up("page-check").unwrap();
    clinic.fault("CTR-02", true).unwrap();
    let browser = Browser::open(Scripts::Run).await;
    browser.goto(&format!("{}line", clinic.status().unwrap().page.https)).await;
    browser.wait_for("h1", "回線の確認", JUDGED).await;
    browser.click(".check button").await;
    // The centre's silence is waited for: so long the look is under way.
    browser.wait_for(".check", "確認しています", JUDGED).await;
    browser.keep("check-now").await;
    browser.wait_for(".when", "センターから応答がありません。", JUDGED).await;
    browser.close().await;
}

#[tokio::test]
async fn an_installer_asks_the_firewall_s_view_whether_a_packet_would_pass() {
    let clinic = Clinic::up("page-rules").unwrap();
    let browser = Browser::open(Scripts::Off).await;
    let status = clinic.status().unwrap();
    browser.goto(&format!("{}firewall?lang=ja", status.page.https)).await;
    browser.wait_for(".room", "守られています。", JUDGED).await;
    // What the kernel holds: nothing between clinic and terminal, either way.
    for id in ["clinic-terminal", "terminal-clinic", "clinic-wan"] {
        assert!(browser.text(&format!(".matrix a[href$='#{id}']")).await.contains("通さない"), "{id}");
    }
    assert!(!browser.text(".promises").await.contains("破れています"));
    browser.click(".matrix a[href$='#clinic-box']").await;
    browser.wait_for("#clinic-box[open] .lines", "画面と共有フォルダー", JUDGED).await;
    browser.keep("rules").await;

    let ask = async |packet: &str| {
        browser.goto(&format!("{}firewall?lang=en&{packet}", status.page.https)).await;
        browser.wait_for("#answer", "pass", JUDGED).await;
        browser.text("#answer").await
    };
    let share = ask("from=clinic&src=198.51.100.10&dst=192.0.2.2&proto=tcp&dport=445").await;
    assert!(share.contains("It does not pass.") && share.contains("bypass-share"), "{share}");
    let page = ask("from=clinic&src=198.51.100.10&dst=198.51.100.1&proto=tcp&dport=443").await;
    assert!(page.contains("It passes.") && page.contains("clinic-input-service"), "{page}");
    // The form itself, as a person fills it in.
    browser.run("document.querySelector('[name=dst]').value = '192.0.2.1'").await;
    browser.click(".ask-form button").await;
    browser.wait_for("#answer", "clinic-input-address", JUDGED).await;
    browser.keep("would-this-pass").await;
    browser.close().await;
}

#[tokio::test]
async fn without_scripts_the_page_says_the_same_on_one_sheet_of_paper() {
    let clinic = Clinic::up("page-plain").unwrap();
    let browser = Browser::open(Scripts::Off).await;
    browser.goto(&page(&clinic)).await;
    browser.wait_for("h1", "使えます", JUDGED).await;
    // What only a page without scripts does: it reloads itself, every thirty seconds.
    browser.run("document.getElementById('view').dataset.old = 1").await;
    browser.wait_for_absence("#view[data-old]", JUDGED).await;
    assert_eq!(browser.sheets().await, 1);
    browser.keep("plain").await;
    browser.close().await;
}
