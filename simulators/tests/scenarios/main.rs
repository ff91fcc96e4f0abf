//! Scenarios of `test/scenarios` that take more than this project's MainDevice does by now: mail and pulses of SYNC0, with
//! ethercrab in its place, and rings, files and Ethernet by frames of their own. Each stands beside its page, where its
//! fault is.

#[path = "../faults/bench/mod.rs"]
#[expect(dead_code, reason = "of another test, which uses more of it")]
mod bench;
#[path = "../faults/observation.rs"]
mod observation;
mod page;
mod plant;
mod post;
#[path = "../ethercrab/support.rs"]
#[expect(dead_code, reason = "of another test, which uses more of it")]
mod support;

#[path = "../../../test/scenarios/26-failing-files.rs"]
mod failing_files;
#[path = "../../../test/scenarios/27-lost-ethernet-fragment.rs"]
mod lost_ethernet_fragment;
#[path = "../../../test/scenarios/23-lost-mail.rs"]
mod lost_mail;
#[path = "../../../test/scenarios/35-missing-sync0.rs"]
mod missing_sync0;
#[path = "../../../test/scenarios/36-refused-by-the-drive.rs"]
mod refused_by_the_drive;
#[path = "../../../test/scenarios/34-ring-break.rs"]
mod ring_break;
#[path = "../../../test/scenarios/25-wrong-mail.rs"]
mod wrong_mail;
