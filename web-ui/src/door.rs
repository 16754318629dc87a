//! What every answer has and every request must: the right host, a reading method or our own page behind it, strict
//! headers.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::page::{self, Door};

/// Nothing may be loaded but what this page serves itself, and nothing may run that stands inside it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Nothing goes to other sites; to our own a form says where it comes from, which it would hide without any referrer.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Lets a request in or not, and dresses the answer. `own` is the address the page is served on.
pub async fn door(State((own, door)): State<(IpAddr, Door)>, request: Request, next: Next) -> Response {
    let mut response = match refuse(own, door, &request) {
        Some(status) => status.into_response(),
        None => next.run(request).await,
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refuse(own: IpAddr, door: Door, request: &Request) -> Option<StatusCode> {
    match *request.method() {
        Method::GET | Method::HEAD => {}
        Method::POST if door == Door::Secure && request.uri().path() == page::CHECK => {
            if !is_from_here(request.headers()) {
                return Some(StatusCode::FORBIDDEN);
            }
        }
        _ => return Some(StatusCode::METHOD_NOT_ALLOWED),
    }
    (!is_ours(own, request.headers())).then_some(StatusCode::MISDIRECTED_REQUEST)
}

/// Whether a page of ours sent it: another site's page may not make a visitor's browser ask for anything. Every browser
/// says where a form comes from.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let origin = text(header::ORIGIN).and_then(|origin| origin.strip_prefix("https://"));
    origin.is_some() && origin == text(header::HOST)
}

/// A name that leads here is a stranger's (DNS rebinding), so only addresses pass: the page's own, and loopback,
/// which is what a forwarder's visitors type. The port is a forwarder's affair.
fn is_ours(own: IpAddr, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let address = host.to_str().ok().and_then(address);
    address.is_some_and(|address| address == own || address.is_loopback())
}

fn address(host: &str) -> Option<IpAddr> {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']')?.0.parse().ok();
    }
    host.split(':').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_s_own_address_and_loopback_are_a_host() {
        let own: IpAddr = "198.51.100.1".parse().unwrap();
        for (host, expected) in [
            ("198.51.100.1", true),
            ("198.51.100.1:8080", true),
            ("127.0.0.1:40001", true),
            ("[::1]:40001", true),
            ("198.51.100.2", false),
            ("localhost", false),
            ("rebind.test", false),
            ("198.51.100.1.rebind.test", false),
            ("[198.51.100.1", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]);
            assert_eq!(is_ours(own, &headers), expected, "{host}");
        }
        let mut twice = HeaderMap::new();
        twice.append(header::HOST, HeaderValue::from_static("198.51.100.1"));
        twice.append(header::HOST, HeaderValue::from_static("198.51.100.1"));
        assert!(!is_ours(own, &twice) && !is_ours(own, &HeaderMap::new()));
    }
}
