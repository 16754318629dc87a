//! Promise 7: no maintenance without consent, and with it the box's management only.

use firewall::prove::{Finding, Intent, Maintenance, findings};
use model::Zone;
use serde_json::{Value, json};

use crate::mutate::*;
use crate::{each_breaks, intent, ruleset};

#[test]
fn without_consent_a_port_of_no_zone_leads_nowhere() {
    each_breaks(
        7,
        &[
            ("into the box", |d| {
                add_element(d, "input_by_port", json!(["maint0", {"jump": {"target": "input_clinic"}}]))
            }),
            ("to the clinic", |d| way(d, "maint0", "lan0", json!({"accept": null}))),
            ("from the clinic", |d| way(d, "lan0", "maint0", json!({"accept": null}))),
            ("from the box", |d| add_element(d, "output_by_port", json!(["maint0", {"accept": null}]))),
        ],
    );
}

/// A ruleset that lets a maintainer in to the box's management, as by hand.
fn open() -> Value {
    let mut document = ruleset();
    push(
        &mut document,
        json!({"add": {"chain": {"family": "inet", "table": "sekisho", "name": "input_maint"}}}),
    );
    let source = json!({"match": {"op": "!=", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "192.0.2.130"}});
    last(&mut document, "input_maint", json!([source, {"drop": null}]));
    let to = json!({"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "192.0.2.129"}});
    let management = json!({"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}});
    last(&mut document, "input_maint", json!([to, management, {"accept": null}]));
    add_element(&mut document, "input_by_port", json!(["maint0", {"jump": {"target": "input_maint"}}]));
    document
}

fn with_consent() -> Intent {
    let mut intent = intent();
    intent.zones.insert(Zone::Maint, vec!["maint0".into()]);
    intent.own.insert(Zone::Maint, "192.0.2.129".parse().unwrap());
    intent.belongs.insert(Zone::Maint, vec!["192.0.2.130/32".parse().unwrap()]);
    intent.maintenance = Some(Maintenance { management: 443, further: None });
    intent
}

fn of(document: &Value, intent: &Intent) -> Finding {
    findings(document, intent).into_iter().find(|(number, _)| *number == 7).unwrap().1
}

#[test]
fn consent_opens_the_management_and_nothing_else() {
    assert_eq!(of(&open(), &with_consent()), Finding::Proved);
    assert!(matches!(of(&open(), &intent()), Finding::Broken(_)));
    let mut wider = [open(), open(), open()];
    // Another port, a way into the clinic, and the way back by which a flow could be opened to the maintainer.
    last(
        &mut wider[0],
        "input_maint",
        json!([{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 22}}, {"accept": null}]),
    );
    way(&mut wider[1], "maint0", "lan0", json!({"accept": null}));
    way(&mut wider[2], "lan0", "maint0", json!({"accept": null}));
    for document in &wider {
        assert!(matches!(of(document, &with_consent()), Finding::Broken(_)));
    }
}

#[test]
fn a_second_consent_opens_one_port_of_one_host() {
    let mut intent = with_consent();
    let further = (Zone::Clinic, "198.51.100.20".parse().unwrap(), 3389);
    intent.maintenance = Some(Maintenance { management: 443, further: Some(further) });
    let prefix = "198.51.100.20/32".parse().unwrap();
    let services = vec![firewall::prove::Service { prefix, protocol: Some(6), port: Some(3389) }];
    intent.ways.push(firewall::prove::Way { from: Zone::Maint, to: Zone::Clinic, services });
    let way = |steps: Value| {
        let mut document = open();
        push(
            &mut document,
            json!({"add": {"chain": {"family": "inet", "table": "sekisho", "name": "further"}}}),
        );
        last(&mut document, "further", steps);
        way(&mut document, "maint0", "lan0", json!({"jump": {"target": "further"}}));
        document
    };
    let host = json!({"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "198.51.100.20"}});
    let port = json!({"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 3389}});
    assert_eq!(of(&way(json!([host.clone(), port.clone(), {"accept": null}])), &intent), Finding::Proved);
    assert!(matches!(of(&way(json!([host, {"accept": null}])), &intent), Finding::Broken(_)));
    assert!(matches!(of(&way(json!([port, {"accept": null}])), &intent), Finding::Broken(_)));
}
