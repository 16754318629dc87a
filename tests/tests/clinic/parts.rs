//! The real parts answer: router, resolvers, time, the terminal's share, the way to the page.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use hickory_proto::op::ResponseCode;

use crate::scene::{ask, bare, connect, on_the_box, resolve};

#[test]
fn the_router_gives_the_box_an_address_and_a_way_out() {
    let clinic = bare("parts-router");
    let addresses =
        on_the_box(&clinic, &["ip", "-6", "address", "show", "dev", "wan0", "scope", "global", "dynamic"]);
    assert!(addresses.contains("2001:db8:0:1:"), "{addresses}");
    let routes = on_the_box(&clinic, &["ip", "-6", "route", "show", "default"]);
    assert!(routes.contains("via fe80::1 dev wan0 proto ra"), "{routes}");
    let status = clinic.status().unwrap();
    assert!(status.hosts["box"].addresses["wan0"].iter().any(|address| address.starts_with("2001:db8:0:1:")));
}

#[test]
fn both_resolvers_answer_their_names_and_no_others() {
    let clinic = bare("parts-names");
    for resolver in ["2001:db8:0:53::1", "2001:db8:0:53::2"] {
        for (name, address) in
            [("hweb.onshikaku.test.", "2001:db8:0:cc::10"), ("www.lineauth.test.", "2001:db8:0:cc::20")]
        {
            let (code, found) = resolve(&clinic, resolver, name).unwrap();
            assert_eq!((code, found), (ResponseCode::NoError, Some(address.parse().unwrap())));
        }
        assert_eq!(resolve(&clinic, resolver, "example.test.").unwrap(), (ResponseCode::NXDomain, None));
    }
}

#[test]
fn the_centre_keeps_time_at_stratum_one() {
    let clinic = bare("parts-time");
    let mut question = [0_u8; 48];
    // Version 4, mode client (RFC 5905, 7.3).
    question[0] = 0x23;
    let answer = ask(&clinic, ("2001:db8:0:cc::40".parse().unwrap(), 123), &question).unwrap();
    assert_eq!((answer[0] & 0x07, answer[1]), (4, 1), "mode server, stratum 1");
}

#[test]
fn the_neighbours_of_the_centre_listen() {
    let clinic = bare("parts-centre");
    for host in [
        "[2001:db8:0:cc::10]:443",
        "[2001:db8:0:cc::20]:443",
        "[2001:db8:0:cc::30]:80",
        "[2001:db8:0:cc::50]:80",
        "[2001:db8:0:cc::60]:8080",
    ] {
        connect(&clinic, "box", host).unwrap_or_else(|error| panic!("{host}: {error}"));
    }
}

#[test]
fn the_terminal_shares_its_folders_with_who_knows_the_password() {
    let clinic = bare("parts-share");
    let share = clinic.status().unwrap().shares.terminal;
    let listed = clinic.smbclient_at("box", &share, "ls").unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.status.success(), "{text}");
    assert!(["req", "res", "face"].iter().all(|folder| text.contains(folder)), "{text}");
    let older = ["smbclient", "//192.0.2.2/OQS", "-U", "oqs%x", "-m", "SMB2", "-c", "ls"];
    assert!(!clinic.exec("box", &older).unwrap().status.success());
    let nobody = ["smbclient", "//192.0.2.2/OQS", "-N", "-c", "ls"];
    assert!(!clinic.exec("box", &nobody).unwrap().status.success());
}

#[test]
fn the_link_application_can_be_steered() {
    let clinic = bare("parts-oqs");
    let answer = clinic.oqs("counts").unwrap();
    assert!(answer.starts_with("ok"), "{answer}");
    clinic.oqs("nonsense").unwrap_err();
}

#[test]
fn the_page_is_reached_from_the_host_by_way_of_the_clinics_network() {
    let clinic = bare("parts-page");
    let page = clinic.inside("box", || TcpListener::bind("198.51.100.1:80")).unwrap().unwrap();
    let serving = thread::spawn(move || {
        let (mut browser, from) = page.accept().unwrap();
        let mut asked = String::new();
        browser.read_to_string(&mut asked).unwrap();
        browser.write_all(format!("{from} asked {asked}").as_bytes()).unwrap();
    });
    let address = clinic.status().unwrap().page.http;
    let mut browser =
        TcpStream::connect(address.trim_start_matches("http://").trim_end_matches('/')).unwrap();
    browser.write_all(b"for the page").unwrap();
    browser.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    browser.read_to_string(&mut answer).unwrap();
    serving.join().unwrap();
    assert!(answer.starts_with("198.51.100.10:") && answer.ends_with("asked for the page"), "{answer}");
}
