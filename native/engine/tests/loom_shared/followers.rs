//! A consumer that begins to follow loses no change to a decode worker that has not noticed it.

use std::sync::Arc;

use ecat_engine::shared::atomics::{Ordering, Word};
use ecat_engine::shared::followers::Followers;
use ecat_engine::shared::ring::{Copied, RingReader, RingWriter};

use crate::atomics::{Loom, U32, explore};
use crate::ring::{FIRST, publish, ring};

fn newest(reader: &RingReader<Loom>) -> Option<u32> {
    match reader.copy_newest(&mut [0; 24]) {
        Copied::Fresh { cycle } => Some(cycle),
        _ => None,
    }
}

#[test]
fn what_a_worker_does_not_publish_is_in_the_slot_that_a_new_follower_finds() {
    explore(3, || {
        let ring = ring();
        let mut writer = RingWriter::new(ring.clone());
        publish(&mut writer, FIRST);
        let (working, following) = (RingReader::new(ring.clone()), RingReader::new(ring));
        let followers: Arc<Followers<Loom>> = Arc::new(Followers::default());
        let published: Arc<U32> = Arc::new(Word::new(0));
        let second = FIRST.wrapping_add(1);
        let cycling = loom::thread::spawn(move || publish(&mut writer, second));
        let work = {
            let (followers, published) = (Arc::clone(&followers), Arc::clone(&published));
            loom::thread::spawn(move || {
                let looked = newest(&working) == Some(second);
                if looked && followers.any() {
                    published.store(1, Ordering::Release);
                }
                looked
            })
        };
        let follow = loom::thread::spawn(move || {
            followers.join();
            newest(&following)
        });
        cycling.join().unwrap();
        let (looked, began_with) = (work.join().unwrap(), follow.join().unwrap());
        // A worker that has not looked yet does so later, and finds the follower.
        let told = published.load(Ordering::Acquire) == 1;
        assert!(!looked || told || began_with == Some(second), "the second cycle was lost");
    });
}
