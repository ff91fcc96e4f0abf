//! Claims: plans change hands, and meet the commits that were made under them.

use std::sync::Arc;

use ecat_engine::shared::Seen;
use ecat_engine::shared::claims::{ClaimRegistry, Claims};
use ecat_engine::shared::lane::{LaneMemory, LaneWriter};
use ecat_engine::shared::layout::{Control, RECEIPT_RECORDS};
use ecat_engine::shared::merge::OutputMerger;
use ecat_engine::shared::plan::{LanePlan, Plan, PlanExchange, PlanWord};
use ecat_engine::shared::ring::RingReader;
use loom::cell::UnsafeCell;

use crate::atomics::{Loom, explore, race};
use crate::interlocks::runner;
use crate::lanes::lane;
use crate::logs::log;
use crate::ring::ring;

#[test]
fn plans_arrive_newest_first_and_every_one_is_dropped_once() {
    explore(3, || {
        let words: Arc<[PlanWord]> = Arc::new([]);
        {
            let exchange = Arc::new(PlanExchange::<Loom>::default());
            // Stands for the content of each plan: loom reports a read that is not ordered behind
            // the write.
            let contents: Arc<[UnsafeCell<u32>]> = (0..3).map(UnsafeCell::new).collect();
            let (cycle, content) = (Arc::clone(&exchange), Arc::clone(&contents));
            let held = Arc::clone(&words);
            let offering = move || {
                for generation in 1..=3 {
                    let lane = LanePlan { words: Arc::clone(&held), ..LanePlan::default() };
                    contents[generation as usize - 1].with_mut(|_| ());
                    exchange.offer(Box::new(Plan::new(generation, vec![lane], Arc::new([]))));
                }
            };
            race(offering, move || {
                let mut held: Option<Box<Plan>> = None;
                for _ in 0..3 {
                    let Some(plan) = cycle.take() else { continue };
                    content[plan.generation as usize - 1].with(|_| ());
                    if let Some(before) = held.replace(plan) {
                        assert!(before.generation < held.as_ref().unwrap().generation);
                        cycle.retire(before);
                    }
                }
            });
        }
        assert_eq!(Arc::strong_count(&words), 1, "a plan leaked");
    });
}

#[test]
fn a_commit_made_under_new_claims_is_merged_by_them() {
    explore(3, || {
        let control: Arc<Control<Loom>> = Arc::new(Control::zeroed());
        let lane = LaneMemory { output_bytes: 8, ..lane() };
        let registry = ClaimRegistry::new(8, &[], vec![lane.clone()], Arc::clone(&control));
        let lanes = vec![(lane.clone(), log(RECEIPT_RECORDS))];
        let mut merger = OutputMerger::new(8, lanes, control, registry.plans(), runner());
        let mut writer = LaneWriter::new(lane, RingReader::new(ring()));
        let owner = move || {
            let claims = |first: u8| Claims {
                mask: Box::new([first, 0xFF, 0, 0, 0, 0, 0, 0]),
                loss_mask: Box::new([0; 8]),
                loss_image: Box::new([0; 8]),
                ..Claims::default()
            };
            registry.claim(0, 7, &claims(0)).unwrap();
            writer.commit(&[1; 8]);
            registry.claim(0, 7, &claims(0xFF)).unwrap();
            writer.commit(&[2; 8]);
        };
        let mut merger = race(owner, move || {
            for cycle in 0..2 {
                let image: [u8; 8] = merger.merge(cycle, Seen::default()).try_into().unwrap();
                // The first byte was never claimed together with a 1.
                let possible = [[0, 0], [0, 1], [2, 2]];
                assert!(possible.contains(&[image[0], image[1]]), "{image:?}");
                assert_eq!(image[2..], [0; 6], "bits that nobody claimed");
            }
            merger
        });
        assert_eq!(merger.merge(2, Seen::default())[..2], [2, 2], "the newest commit was lost");
    });
}
