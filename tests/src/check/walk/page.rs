//! The page, as the reception's browser gets it: the sentence, in both languages, and nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use model::{FaultCode, Language, Usability};

use super::super::lab::{Lab, PATIENCE};
use super::super::network::{Page, Reach, Way, get, reach};
use super::super::{Case, Outcome, Wrong, must};

const BOX: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        Case::outside("the_page_says_the_sentence_in_japanese", "GET / over HTTP", |lab| {
            says(&plain(lab, "/", "ja")?, Usability::Usable, Language::Ja)
        }),
        Case::outside("the_page_says_the_sentence_in_english", "GET / with Accept-Language: en", |lab| {
            says(&plain(lab, "/", "en")?, Usability::Usable, Language::En)
        }),
        Case::outside("the_page_is_the_same_over_https", "GET / over HTTPS", |lab| {
            says(&secure(lab, "/")?, Usability::Usable, Language::Ja)
        }),
        Case::outside("everything_else_is_404", "a list of paths", everything_else),
        Case::outside("the_relay_s_view_is_over_https_only", "GET /relay by both doors", relay_s_view),
        Case::outside("the_page_loads_nothing_from_outside", "its policy and its links", own_things_only),
        Case::outside("the_page_sets_no_cookie", "its head", |lab| {
            let page = plain(lab, "/", "ja")?;
            must(!page.head.to_ascii_lowercase().contains("set-cookie"), || page.head.clone())
        }),
        Case::outside("the_page_is_not_reachable_from_terminal_or_line", "TCP from both", only_the_clinic),
        Case::outside(
            "page_and_status_agree_while_a_fault_is_on",
            "CTR-01, the page and sekisho status",
            agree,
        ),
    ]
}

fn plain(lab: &Lab, path: &str, language: &str) -> Result<Page, Wrong> {
    get(lab.clinic(), "clinic", SocketAddr::from((BOX, 80)), Way::Plain, path, language)
}

fn secure(lab: &Lab, path: &str) -> Result<Page, Wrong> {
    let authority = lab.authority()?;
    get(lab.clinic(), "clinic", SocketAddr::from((BOX, 443)), Way::Secure(&authority), path, "ja")
}

fn says(page: &Page, usability: Usability, language: Language) -> Outcome {
    must(page.status == 200, || format!("the page answers {}", page.status))?;
    let word = usability.word().get(language);
    must(page.body.contains(word), || format!("the page does not say {word}"))
}

fn everything_else(lab: &mut Lab) -> Outcome {
    for path in ["/login", "/firewall", "/admin", "/../etc/passwd", "/%2e%2e/", "//", "/index.html"] {
        for page in [plain(lab, path, "ja")?, secure(lab, path)?] {
            must(page.status == 404, || format!("{path} answers {}", page.status))?;
        }
    }
    Ok(())
}

fn relay_s_view(lab: &mut Lab) -> Outcome {
    let page = plain(lab, "/relay", "ja")?;
    must(page.status == 404, || format!("over HTTP /relay answers {}", page.status))?;
    let page = secure(lab, "/relay")?;
    must(page.status == 200, || format!("over HTTPS /relay answers {}", page.status))?;
    must(page.body.contains("ファイル中継"), || "the relay's view does not say what it is".into())
}

/// The policy forbids it, and no attribute asks for it.
fn own_things_only(lab: &mut Lab) -> Outcome {
    let page = plain(lab, "/", "ja")?;
    let policy = page.head.to_ascii_lowercase().contains("content-security-policy: default-src 'none'");
    must(policy, || format!("no strict policy in {}", page.head))?;
    for asks in ["src=\"http", "src=\"//", "href=\"http", "href=\"//", "url(http", "@import"] {
        must(!page.body.contains(asks), || format!("the page has {asks}"))?;
    }
    Ok(())
}

fn only_the_clinic(lab: &mut Lab) -> Outcome {
    for from in ["terminal", "ngn", "centre"] {
        for port in [80, 443] {
            let seen = reach(lab.clinic(), from, (BOX, port).into())?;
            must(seen != Reach::Open, || format!("{from} opened the page's port {port}"))?;
        }
    }
    Ok(())
}

fn agree(lab: &mut Lab) -> Outcome {
    lab.fault("CTR-01", true)?;
    let outcome = agree_on(lab, FaultCode::Ctr01);
    lab.fault("CTR-01", false)?;
    outcome?;
    lab.until("the page says usable again", PATIENCE, || {
        lab.check()?;
        Ok(says(&plain(lab, "/", "ja")?, Usability::Usable, Language::Ja).ok())
    })
}

fn agree_on(lab: &Lab, code: FaultCode) -> Outcome {
    lab.check()?;
    lab.until("page and status say the same", PATIENCE, || {
        let verdict = lab.snapshot()?.line.map(|line| line.part.verdict);
        let Some(verdict) = verdict.filter(|verdict| verdict.foremost.is_some()) else { return Ok(None) };
        let accused = verdict.foremost.as_ref().map(|fault| fault.code);
        must(accused == Some(code), || format!("status accuses {accused:?}"))?;
        let page = plain(lab, "/", "ja")?;
        let happened = verdict.foremost.as_ref().map(|fault| verdict.words(fault).happened.ja);
        let said = says(&page, verdict.usability, Language::Ja).is_ok()
            && happened.is_some_and(|happened| page.body.contains(happened));
        Ok(said.then_some(()))
    })
}
