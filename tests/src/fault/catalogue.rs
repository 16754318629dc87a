//! The list: each fault with its code, what the clinic does to make it, and what that changes in the world.

use super::Fault;
use super::rules::{
    HEAR_NOTHING, LEND_NOTHING, LOSE_ADVERTISEMENTS, LOSE_ARP_REPLIES, LOSE_CALLS_BY_THE_INTERNET,
    LOSE_CALLS_TO_THE_MAINTAINER, LOSE_DHCP, LOSE_DISTRIBUTION, LOSE_FILE_SHARING, LOSE_IKE, LOSE_IKE_BY_NAT,
    LOSE_LINE_AUTHENTICATION, LOSE_NEIGHBOUR_ADVERTISEMENTS, LOSE_PACKET_TOO_BIG, LOSE_QUERIES,
    LOSE_QUERIES_TO_THE_FIRST, LOSE_QUERIES_TO_THE_SECOND, LOSE_THE_CLOUD_S_SERVICE, LOSE_THE_NEIGHBOURS_TOO,
    LOSE_THE_SERVICE, LOSE_THE_TERMINAL_S_CALLS, LOSE_THE_WAY_TO_THE_CLOUD,
    LOSE_WHAT_COMES_OUT_OF_THE_TUNNEL, LOSE_WHAT_GOES_FAR, LOSE_WHAT_THE_RECEIPT_COMPUTER_ASKS,
    REFUSE_THE_CLOUD_S_SERVICE, REFUSE_THE_PREFIX, REFUSE_THE_SERVICE,
};
use super::world::{Certificate, Disk, Folder, Gateway, Home, Internet, Maintained, Names};
use crate::plan::Host;

/// Every fault that can be made, in the catalogue's order.
pub const CATALOGUE: &[Fault] = &[
    Fault {
        code: "WAN-01",
        what: "the line's cable is out: the box has no carrier",
        makes: |world| world.line_plugged = false,
    },
    Fault {
        code: "WAN-02",
        what: "router advertisements are lost, and the last one has expired (9 s)",
        makes: |world| world.drop(Host::Ngn, "WAN_02", LOSE_ADVERTISEMENTS),
    },
    Fault {
        code: "WAN-02:dhcp",
        what: "the home gateway answers nobody who asks for an address, and the box's has run out (10 s)",
        makes: |world| world.drop(Host::Home, "WAN_02", LOSE_DHCP),
    },
    Fault {
        code: "WAN-03",
        what: "the router says goodbye (an advertisement with lifetime 0)",
        makes: |world| world.router = false,
    },
    Fault {
        code: "WAN-04",
        what: "the line's kind changed: what was given by advertisement is delegated, or what was delegated advertised",
        makes: |world| world.other_kind = true,
    },
    Fault {
        code: "WAN-05",
        what: "the line gives another prefix, and no longer the one it gave",
        makes: |world| world.renumbered = true,
    },
    Fault {
        code: "WAN-06",
        what: "a second router advertises itself and a prefix on the line's segment",
        makes: |world| world.home = Home::Router,
    },
    Fault {
        code: "WAN-06:thief",
        what: "a second router on the line's segment draws the traffic to itself, and hands nothing on",
        makes: |world| world.home = Home::Thief,
    },
    Fault {
        code: "WAN-07",
        what: "another host on the line's segment has the box's address",
        makes: |world| world.home = Home::Twin,
    },
    Fault {
        code: "WAN-08",
        what: "the router advertises itself and answers no neighbour solicitation",
        makes: |world| world.drop(Host::Ngn, "WAN_08", LOSE_NEIGHBOUR_ADVERTISEMENTS),
    },
    Fault {
        code: "WAN-08:arp",
        what: "the home gateway lends an address and answers no ARP",
        makes: |world| world.drop(Host::Home, "WAN_08_arp", LOSE_ARP_REPLIES),
    },
    Fault {
        code: "WAN-09",
        what: "nobody on the line hands a prefix on: the home gateway keeps what it was given",
        makes: |world| world.undelegated = true,
    },
    Fault {
        code: "WAN-10",
        what: "the line's cable goes out and in, again and again",
        makes: |world| world.flapping = true,
    },
    Fault {
        code: "WAN-11",
        what: "a third of the packets on the line is lost, each way",
        makes: |world| world.wire = Some(&["--loss", "33"]),
    },
    Fault {
        code: "WAN-11:delay",
        what: "everything on the line takes 0.4 s longer, each way",
        makes: |world| world.wire = Some(&["--delay-ms", "400", "--jitter-ms", "50"]),
    },
    Fault {
        code: "WAN-12",
        what: "packets above 1280 bytes are lost on the line, without a word",
        makes: |world| {
            world.narrow = true;
            world.drop(Host::Ngn, "WAN_12", LOSE_PACKET_TOO_BIG);
        },
    },
    Fault {
        code: "DNS-01",
        what: "both resolvers are silent",
        makes: |world| world.drop(Host::Ngn, "DNS_01", LOSE_QUERIES),
    },
    Fault {
        code: "DNS-02",
        what: "the first resolver is silent",
        makes: |world| world.drop(Host::Ngn, "DNS_02", LOSE_QUERIES_TO_THE_FIRST),
    },
    Fault {
        code: "DNS-02:second",
        what: "the second resolver is silent",
        makes: |world| world.drop(Host::Ngn, "DNS_02_second", LOSE_QUERIES_TO_THE_SECOND),
    },
    Fault {
        code: "DNS-03",
        what: "the resolvers know the other area's distribution host only",
        makes: |world| world.names = Names::OtherArea,
    },
    Fault {
        code: "DNS-03:centre",
        what: "the resolvers know the other area's distribution host only, and not the centre",
        makes: |world| world.names = Names::OtherAreaOnly,
    },
    Fault {
        code: "DNS-04",
        what: "the centre's name does not exist",
        makes: |world| world.names = Names::NoCentre,
    },
    Fault {
        code: "DNS-05",
        what: "a stranger answers: every name has an address outside the closed network",
        makes: |world| world.names = Names::Stranger,
    },
    Fault {
        code: "IKE-01",
        what: "UDP 500 is lost on the way to the provider, whose gateway started anew",
        makes: |world| {
            world.gateway = Gateway::Anew;
            world.drop(Host::Isp, "IKE_01", LOSE_IKE);
        },
    },
    Fault {
        code: "IKE-02",
        what: "UDP 4500 is lost on the way to the provider",
        makes: |world| world.drop(Host::Isp, "IKE_02", LOSE_IKE_BY_NAT),
    },
    Fault {
        code: "IKE-01:home",
        what: "UDP 500 is lost at the home gateway, and the provider's gateway started anew",
        makes: |world| {
            world.gateway = Gateway::Anew;
            world.drop(Host::Home, "IKE_01_home", LOSE_IKE);
        },
    },
    Fault {
        code: "IKE-02:home",
        what: "UDP 4500 is lost at the home gateway",
        makes: |world| world.drop(Host::Home, "IKE_02_home", LOSE_IKE_BY_NAT),
    },
    Fault {
        code: "IKE-03",
        what: "nobody speaks IKE on the provider's gateway",
        makes: |world| world.gateway = Gateway::Stopped,
    },
    Fault {
        code: "IKE-04",
        what: "the provider's gateway takes other transforms than the box offers",
        makes: |world| world.gateway = Gateway::OtherProposal,
    },
    Fault {
        code: "IKE-05",
        what: "the provider's gateway has another key than the box",
        makes: |world| world.gateway = Gateway::OtherSecret,
    },
    Fault {
        code: "IKE-06",
        what: "the box has a certificate for its tunnel that has expired",
        makes: |world| world.tunnel_certificate_expired = true,
    },
    Fault {
        code: "IKE-07",
        what: "what comes out of the tunnel is lost at the provider",
        makes: |world| world.drop(Host::Ipsec, "IKE_07", LOSE_WHAT_COMES_OUT_OF_THE_TUNNEL),
    },
    Fault {
        code: "AUTH-01",
        what: "line authentication and service refuse the box's prefix",
        makes: |world| world.drop(Host::Ngn, "AUTH_01", REFUSE_THE_PREFIX),
    },
    Fault {
        code: "AUTH-01:silent",
        what: "line authentication is silent, and the service refuses (TCP reset)",
        makes: |world| {
            world.drop(Host::Ngn, "AUTH_01_silent", LOSE_LINE_AUTHENTICATION);
            world.drop(Host::Ngn, "AUTH_01_refused", REFUSE_THE_SERVICE);
        },
    },
    Fault {
        code: "CTR-01",
        what: "the centre's service refuses (TCP reset)",
        makes: |world| world.drop(Host::Ngn, "CTR_01", REFUSE_THE_SERVICE),
    },
    Fault {
        code: "CTR-02",
        what: "the centre's service is silent",
        makes: |world| world.drop(Host::Ngn, "CTR_02", LOSE_THE_SERVICE),
    },
    Fault {
        code: "CTR-02:all",
        what: "the centre's service is silent, and line authentication and distribution are too",
        makes: |world| world.drop(Host::Ngn, "CTR_02_all", LOSE_THE_NEIGHBOURS_TOO),
    },
    Fault {
        code: "CTR-03",
        what: "the centre's certificate has expired",
        makes: |world| world.centre.shows = Certificate::Expired,
    },
    Fault {
        code: "CTR-04",
        what: "the centre shows a certificate for another name",
        makes: |world| world.centre.shows = Certificate::OtherName,
    },
    Fault {
        code: "CTR-04:issuer",
        what: "the centre shows a certificate of another authority",
        makes: |world| world.centre.shows = Certificate::OtherIssuer,
    },
    Fault {
        code: "CTR-05:alert",
        what: "the centre refuses the missing client certificate by a TLS alert: proof of reach, no fault",
        makes: |world| world.centre.refusal = Some("alert"),
    },
    Fault {
        code: "CTR-05:http400",
        what: "the centre refuses the missing client certificate by HTTP 400: proof of reach, no fault",
        makes: |world| world.centre.refusal = Some("http400"),
    },
    Fault {
        code: "CTR-06",
        what: "the centre's service refuses (TCP reset), as it announced",
        makes: |world| {
            world.dates.maintenance = true;
            world.drop(Host::Ngn, "CTR_06", REFUSE_THE_SERVICE);
        },
    },
    Fault {
        code: "CTR-07",
        what: "the distribution host is silent",
        makes: |world| world.drop(Host::Ngn, "CTR_07", LOSE_DISTRIBUTION),
    },
    Fault {
        code: "TIME-01",
        what: "the box's clock is 400 days behind",
        makes: |world| world.clock = Some("-400d"),
    },
    Fault {
        code: "TIME-01:ahead",
        what: "the box's clock is 800 days ahead",
        makes: |world| world.clock = Some("+800d"),
    },
    Fault {
        code: "TERM-01",
        what: "the terminal is silent, with carrier",
        makes: |world| world.drop(Host::Terminal, "TERM_01", HEAR_NOTHING),
    },
    Fault {
        code: "TERM-01:cable",
        what: "the terminal's cable is out: the box has no carrier",
        makes: |world| world.terminal_plugged = false,
    },
    Fault {
        code: "TERM-02",
        what: "file sharing on the terminal is stopped",
        makes: |world| world.share = false,
    },
    Fault {
        code: "TERM-02:silent",
        what: "the terminal drops what comes to its file sharing",
        makes: |world| world.drop(Host::Terminal, "TERM_02", LOSE_FILE_SHARING),
    },
    Fault {
        code: "TERM-03",
        what: "the share's password on the terminal was changed",
        makes: |world| world.password_changed = true,
    },
    Fault {
        code: "TERM-04",
        what: "the terminal's shared folder is gone",
        makes: |world| world.folder = Folder::Gone,
    },
    Fault {
        code: "TERM-04:req",
        what: "the folder for requests in the terminal's share is gone",
        makes: |world| world.folder = Folder::WithoutRequests,
    },
    Fault {
        code: "TERM-05",
        what: "the terminal's share lies on a disk that is mounted read-only",
        makes: |world| world.disk = Disk::ReadOnly,
    },
    Fault {
        code: "TERM-05:right",
        what: "the account of the terminal's share may not write",
        makes: |world| world.disk = Disk::NoRight,
    },
    Fault { code: "TERM-06", what: "the terminal's disk is full", makes: |world| world.disk = Disk::Full },
    Fault {
        code: "TERM-07",
        what: "the link application does not run: requests stay where they are",
        makes: |world| world.oqs.stopped = true,
    },
    Fault {
        code: "TERM-08",
        what: "the link application takes requests and gives nothing",
        makes: |world| world.oqs.mute = true,
    },
    Fault {
        code: "TERM-08:way",
        what: "the link application takes requests and gives nothing: its own calls of the centre are lost on the line",
        makes: |world| {
            (world.oqs.mute, world.oqs.calls) = (true, true);
            world.drop(Host::Ngn, "TERM_08_way", LOSE_THE_TERMINAL_S_CALLS);
        },
    },
    Fault {
        code: "TERM-09",
        what: "every answer says that the processing failed (SegmentOfResult 9)",
        makes: |world| world.oqs.answer = "error",
    },
    Fault {
        code: "TERM-09:refused",
        what: "every answer refuses what was asked for (ProcessingResultStatus 2)",
        makes: |world| world.oqs.answer = "refused",
    },
    Fault {
        code: "TERM-10",
        what: "the terminal is silent, with carrier, at the hour of its nightly restart",
        makes: |world| {
            world.dates.quiet = true;
            world.drop(Host::Terminal, "TERM_10", HEAR_NOTHING);
        },
    },
    Fault {
        code: "TERM-11",
        what: "the link application takes requests and gives nothing, and the typed date of the certificate has passed",
        makes: |world| {
            world.dates.certificate = Some(-1);
            world.oqs.mute = true;
        },
    },
    Fault {
        code: "TERM-12",
        what: "the terminal asks a resolver elsewhere, again and again, and gives no answers without the name",
        makes: |world| world.oqs.asks_elsewhere = true,
    },
    Fault {
        code: "CAL-01",
        what: "the typed date of the terminal's certificate is five days away",
        makes: |world| world.dates.certificate = Some(5),
    },
    Fault {
        code: "CAL-01:noted",
        what: "the typed date of the terminal's certificate is eighty days away, between the days on which it is told",
        makes: |world| world.dates.certificate = Some(80),
    },
    Fault {
        code: "CLIN-01",
        what: "the receipt computer does not come for its answers",
        makes: |world| world.drop(Host::Clinic, "CLIN_01", LOSE_WHAT_THE_RECEIPT_COMPUTER_ASKS),
    },
    Fault {
        code: "CLIN-02",
        what: "the receipt computer is silent, with carrier",
        makes: |world| world.drop(Host::Clinic, "CLIN_02", HEAR_NOTHING),
    },
    Fault {
        code: "CLIN-02:cable",
        what: "the receipt computer's cable is out: the box has no carrier",
        makes: |world| world.clinic_plugged = false,
    },
    Fault {
        code: "CLIN-03",
        what: "another host of the clinic has the box's address there",
        makes: |world| world.twin_in_clinic = true,
    },
    Fault {
        code: "CLIN-04",
        what: "the terminal has a second port, which hangs on the clinic's network",
        makes: |world| world.terminal_in_clinic = true,
    },
    Fault {
        code: "CLIN-05",
        what: "the terminals' port and the clinic's port of the box hang on one hub",
        makes: |world| world.joined = true,
    },
    Fault {
        code: "ISP-01",
        what: "nobody on the internet line lends an address, and the one that was lent is gone",
        makes: |world| {
            world.internet = Internet::Unlent;
            world.drop(Host::Isp, "ISP_01", LEND_NOTHING);
        },
    },
    Fault {
        code: "ISP-01:cable",
        what: "the internet line's cable is out: the box has no carrier there",
        makes: |world| world.internet = Internet::Unplugged,
    },
    Fault {
        code: "ISP-02",
        what: "the internet line's gateway answers, and everybody behind it is silent",
        makes: |world| {
            world.internet = Internet::Dead;
            world.drop(Host::Isp, "ISP_02", LOSE_WHAT_GOES_FAR);
        },
    },
    Fault {
        code: "CLD-01",
        what: "the cloud's service is silent behind its tunnel, which stands",
        makes: |world| world.drop(Host::Cloud, "CLD_01", LOSE_THE_CLOUD_S_SERVICE),
    },
    Fault {
        code: "CLD-01:refused",
        what: "the cloud's service refuses (TCP reset)",
        makes: |world| world.drop(Host::Cloud, "CLD_01_refused", REFUSE_THE_CLOUD_S_SERVICE),
    },
    Fault {
        code: "CLD-02",
        what: "nobody speaks IKE on the cloud's gateway",
        makes: |world| world.cloud.gateway = Gateway::Stopped,
    },
    Fault {
        code: "CLD-02:silent",
        what: "what goes to the cloud's gateway is lost on the internet",
        makes: |world| world.drop(Host::Isp, "CLD_02_silent", LOSE_THE_WAY_TO_THE_CLOUD),
    },
    Fault {
        code: "CLD-02:secret",
        what: "the cloud's gateway has another key than the box",
        makes: |world| world.cloud.gateway = Gateway::OtherSecret,
    },
    Fault {
        code: "CLD-03",
        what: "the certificate of the cloud's service has expired",
        makes: |world| world.cloud.shows = Certificate::Expired,
    },
    Fault {
        code: "CLD-03:own",
        what: "the box has a certificate for its tunnel to the cloud that has expired",
        makes: |world| world.cloud.own_expired = true,
    },
    Fault {
        code: "MNT-01",
        what: "somebody in the clinic has consented to a maintainer whose gateway, called by the line, is silent",
        makes: |world| {
            world.maintained = Maintained::ByLine;
            world.drop(Host::Ngn, "MNT_01", LOSE_CALLS_TO_THE_MAINTAINER);
        },
    },
    Fault {
        code: "MNT-01:internet",
        what: "the same, called by the internet line",
        makes: |world| {
            world.maintained = Maintained::ByInternet;
            world.drop(Host::Isp, "MNT_01_internet", LOSE_CALLS_BY_THE_INTERNET);
        },
    },
    Fault {
        code: "BOX-01",
        what: "the disk that the box's state lies on says that it has no more than 64 KiB",
        makes: |world| world.own_disk_full = true,
    },
    Fault {
        code: "BOX-02",
        what: "somebody adds a rule to the ruleset the box has proved",
        makes: |world| world.tampered = true,
    },
    Fault {
        code: "BOX-03",
        what: "the box's memory of the line was damaged while the box was off",
        makes: |world| world.memory_damaged = true,
    },
    Fault {
        code: "BOX-05",
        what: "the relay dies as soon as it is ready, again and again (each role a process)",
        makes: |world| world.crashing = Some("relayd"),
    },
    Fault {
        code: "BOX-06",
        what: "the certificate of the box's page ends in five days",
        makes: |world| world.own_certificate_ends = true,
    },
    Fault {
        code: "BOX-07",
        what: "a newer version of sekisho has run on the box before",
        makes: |world| world.fell_back = true,
    },
    Fault {
        code: "BOX-08",
        what: "the board's sensor says 97 degrees",
        makes: |world| {
            world.sensors = &[("class/thermal/thermal_zone0/temp", "97000"), ("block/vda/size", "1")];
        },
    },
    Fault {
        code: "BOX-08:worn",
        what: "the eMMC says that nine tenths of its life are used",
        makes: |world| {
            world.sensors = &[
                ("class/thermal/thermal_zone0/temp", "40000"),
                ("block/mmcblk0/device/life_time", "0x03 0x0a"),
                ("block/mmcblk0/device/pre_eol_info", "0x01"),
            ];
        },
    },
    Fault {
        code: "RLY-01",
        what: "a file of a kind nobody knows lies on the terminal where answers are",
        makes: |world| world.stranger = true,
    },
];
