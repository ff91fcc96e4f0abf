//! Urgent commits: taken out of cycle or by the next cycle, once, with one receipt.

use std::sync::Arc;

use ecat_engine::shared::Seen;
use ecat_engine::shared::claims::{ClaimRegistry, Claims};
use ecat_engine::shared::lane::{LaneMemory, LaneWriter};
use ecat_engine::shared::layout::{Control, RECEIPT_RECORDS};
use ecat_engine::shared::merge::OutputMerger;
use ecat_engine::shared::receipts::{Reach, ReceiptReader};
use ecat_engine::shared::ring::{RingReader, RingWriter};
use ecat_engine::shared::urgent::UrgentRequest;

use crate::atomics::{Loom, explore, race};
use crate::interlocks::runner;
use crate::lanes::lane;
use crate::logs::log;
use crate::ring::ring;

#[test]
fn an_urgent_commit_is_carried_once_and_never_waits_for_a_second_request() {
    explore(2, || {
        let control: Arc<Control<Loom>> = Arc::new(Control::zeroed());
        let lane = LaneMemory { output_bytes: 8, ..lane() };
        let receipts = log(RECEIPT_RECORDS);
        let registry = ClaimRegistry::new(8, &[], vec![lane.clone()], Arc::clone(&control));
        let lanes = vec![(lane.clone(), receipts.clone())];
        let mut merger = OutputMerger::new(8, lanes, control, registry.plans(), runner());
        let mut ring_writer = RingWriter::new(ring());
        let request: Arc<UrgentRequest<Loom>> = Arc::default();
        let raise = Arc::clone(&request);
        let claims = Claims {
            mask: Box::new([0xFF; 8]),
            loss_mask: Box::new([0; 8]),
            loss_image: Box::new([0; 8]),
            ..Claims::default()
        };
        registry.claim(0, 7, &claims).unwrap();
        let mut writer = LaneWriter::new(lane, RingReader::new(ring()));
        let writing = move || {
            writer.commit(&[5; 8]);
            raise.raise();
        };
        let cycling = move || {
            // Between two cycles, as the doorbell may find it.
            if request.take() {
                merger.merge_urgent(1, Seen::default());
                assert_eq!(merger.next(&(0..8)), [5; 8], "the request was there before the commit");
                assert!(merger.differs(&(0..8)));
                merger.mark_sent(&(0..8));
                assert_eq!(merger.settle_urgent(|_| true), 1);
            }
            let mut image = [0; 8];
            image.copy_from_slice(merger.merge(1, Seen::default()));
            let published = {
                let mut slot = ring_writer.begin(1);
                slot.outputs(&image);
                slot.publish()
            };
            merger.settle(published, true, |_| Reach::Arrived, |_| ());
            (merger, request, image)
        };
        let (mut merger, request, image) = race(writing, cycling);
        // Whatever came too late is there for the next cycle, and nobody has to ask again.
        assert!(request.take() || image == [5; 8]);
        assert_eq!(merger.merge(2, Seen::default()), [5; 8]);
        let (reader, mut tail, mut out) = (ReceiptReader::new(receipts), 0, [[0; 4]; 4]);
        reader.drain(&mut tail, &mut out);
        assert!(tail <= 1, "two receipts for one commit");
        assert!(tail == 0 || out[0][..2] == [1, 1], "{out:?}");
    });
}
