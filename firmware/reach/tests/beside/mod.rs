//! The receipt computer's cloud, asked beside the looks: judged by what its gateway hears.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use model::{FaultCode, Outcome, Party, Rung, Symptom};
use reach::{CloudTarget, InternetTarget, Plan};
use tokio::net::UdpSocket;
use tokio::sync::watch;

use crate::clinic::{World, in_a_clinic, ip};
use crate::{alarms, outcome};

const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 178);

/// An internet line with a cloud's gateway on it that hears everything and says nothing.
fn with_a_silent_cloud(world: &World) -> (Plan, UdpSocket) {
    world.lay("isp0", "i0");
    ip("address add 203.0.113.10/29 dev isp0");
    world.ip("link set dev i0 up");
    world.ip("address add 203.0.113.9/29 dev i0");
    world.ip(&format!("address add {GATEWAY}/32 dev lo"));
    ip("route add default via 203.0.113.9");
    let heard = world.datagrams(SocketAddr::from((GATEWAY, 500)));
    let cloud = CloudTarget {
        port: "isp0".to_owned(),
        gateways: vec![GATEWAY.into()],
        endpoints: Vec::new(),
        authorities_pem: None,
        notices_s: 30,
    };
    let internet = InternetTarget { port: "isp0".to_owned(), resolvers: Vec::new(), serves: true };
    (Plan { internet: Some(internet), cloud: Some(cloud), ..world.plan() }, heard)
}

/// How many questions it has heard. One is sent several times, by the same number of the one who asks (RFC 7296 section 3.1).
fn count(heard: UdpSocket) -> watch::Receiver<usize> {
    let (tell, told) = watch::channel(0);
    tokio::spawn(async move {
        let (mut bytes, mut asked) = ([0; 2048], BTreeSet::new());
        while let Ok(length) = heard.recv(&mut bytes).await {
            asked.insert(bytes.get(..8.min(length)).map(<[u8]>::to_vec));
            tell.send_replace(asked.len());
        }
    });
    told
}

#[test]
fn a_silent_cloud_is_asked_by_a_clock_of_its_own_and_no_word_of_the_line_waits_for_it() {
    in_a_clinic(async |world| {
        let (plan, heard) = with_a_silent_cloud(&world);
        let mut questions = count(heard);
        let mut running = world.start_with(plan);
        tokio::time::timeout(Duration::from_secs(10), questions.wait_for(|asked| *asked == 1))
            .await
            .expect("it is asked once")
            .unwrap();
        // The question is open: the cable's word does not wait for its answer.
        world.ip("link set dev w0 down");
        let broken = |part: &model::part::LinePart| part.verdict.foremost.is_some();
        let part = running.until(Duration::from_secs(10), broken).await;
        assert_eq!(alarms(&part)[0], (FaultCode::Wan01, Party::Clinic));
        let word = outcome(&part, Rung::CloudIke);
        assert!(word.is_none_or(|word| word.symptom().is_none()), "it waited for the cloud: {part:#?}");
        // Its own word comes all the same.
        let silent = Some(Outcome::Bad(Symptom::Silent));
        running.until(Duration::from_secs(10), |part| outcome(part, Rung::CloudIke) == silent).await;
        // Whatever stirs a look asks it nothing, and trouble on the line neither.
        let mut parts = running.parts.clone();
        for look in 0..20 {
            world.ip(if look % 2 == 0 { "link set dev l0 down" } else { "link set dev l0 up" });
            tokio::time::timeout(Duration::from_secs(10), parts.changed()).await.expect("a look").unwrap();
        }
        assert!(*questions.borrow() <= 5, "{} questions in some twenty looks", *questions.borrow());
        let part = running.sweep().await;
        assert_eq!(outcome(&part, Rung::CloudIke), silent, "who asks is told of it");
        running.stop().await;
    });
}
