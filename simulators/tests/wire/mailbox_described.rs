//! What the descriptions of EoE, SoE, AoE and VoE refuse, and where they say it is.

use ecat_simulator::{Segment, SegmentDescription};

fn refused_at(json: &str) -> String {
    let description = SegmentDescription::from_json(json).unwrap();
    let Err(error) = Segment::new(&description) else { panic!("{json} is a segment") };
    assert!(!error.message.is_empty());
    error.path
}

#[test]
fn mail_of_the_other_protocols_that_cannot_be_is_refused_with_its_place() {
    let cases = [
        (r#""eoe":{"mac":"01:00:00:00:00:01"}"#, "/eoe/mac"),
        (r#""eoe":{"mac":"2"}"#, "/eoe/mac"),
        (r#""eoe":{"ip":"10.0.0"}"#, "/eoe/ip"),
        (
            r#""eoe":{"sockets":1,"behind":[{"socket":2,"mac":"02:00:00:00:00:01","ip":"10.0.0.1"}]}"#,
            "/eoe/behind/0/socket",
        ),
        (r#""soe":{"drives":[{},{"idns":[{"idn":"T-0-0001"}]}]}"#, "/soe/drives/1/idns/0/idn"),
        (
            r#""soe":{"drives":[{"idns":[{"idn":"S-0-0001"},{"idn":"S-0-0001"}]}]}"#,
            "/soe/drives/0/idns/1/idn",
        ),
        (
            r#""soe":{"drives":[{"idns":[{"idn":"S-0-0001","bytes":2,"value":65536}]}]}"#,
            "/soe/drives/0/idns/0/value",
        ),
        (r#""aoe":{"netId":"5.1.1"}"#, "/aoe/netId"),
        (r#""aoe":{"areas":[{"group":1,"bytes":0}]}"#, "/aoe/areas/0/bytes"),
        (
            r#""aoe":{"areas":[{"group":1,"bytes":4},{"group":1,"offset":3,"bytes":4}]}"#,
            "/aoe/areas/1",
        ),
        (
            r#""objects":[{"index":8192,"dataType":5}],"aoe":{"areas":[{"group":62210,"bytes":4}]}"#,
            "/aoe/areas/0/group",
        ),
    ];
    for (mailbox, path) in cases {
        let json =
            format!(r#"{{"devices":[{{"type":"generic","pdos":[],"mailbox":{{{mailbox}}}}}]}}"#);
        assert_eq!(refused_at(&json), format!("/devices/0/mailbox{path}"));
    }
}

#[test]
fn a_cable_needs_two_free_sockets() {
    let cases = [
        (r#"{"from":"a.1","to":"b.5"}"#, "/ethernet/0/to"),
        (r#"{"from":"c.1","to":"b.1"}"#, "/ethernet/0/from"),
        (r#"{"from":"plain.1","to":"b.1"}"#, "/ethernet/0/from"),
        (r#"{"from":"a.1","to":"a.1"}"#, "/ethernet/0/to"),
        (r#"{"from":"a.1","to":"b.1"},{"from":"b.1","to":"b.2"}"#, "/ethernet/1/from"),
    ];
    for (cables, path) in cases {
        let json = format!(
            r#"{{"devices":[{{"name":"plain","type":"EL1004"}},{{"name":"a","type":"EL6601-like"}},
                {{"name":"b","type":"EL6614-like"}}],"ethernet":[{cables}]}}"#
        );
        assert_eq!(refused_at(&json), path);
    }
}
