//! Broadcast logs: whole records in order, or the word that one was lapped.

use std::sync::Arc;

use ecat_engine::shared::change_log::{Drained, LogMemory, LogReader, LogWriter};
use ecat_engine::shared::layout::{LogCursor, RECEIPT_RECORDS};
use ecat_engine::shared::receipts::{Reach, ReceiptReader, ReceiptWriter};

use crate::atomics::{Loom, explore, race, words};

pub fn log(records: usize) -> LogMemory<Loom> {
    LogMemory { cursor: Arc::new(LogCursor::zeroed()), words: words(2 * records) }
}

#[test]
fn a_drain_gets_whole_records_in_order_or_is_told_that_it_was_lapped() {
    explore(2, || {
        let log = log(2);
        let mut writer = LogWriter::new(log.clone());
        let reader = LogReader::new(log);
        let writing = move || (1..=4).for_each(|n| writer.publish(&[n; 16]).unwrap());
        race(writing, move || {
            let mut tail = 0;
            for _ in 0..2 {
                let before = tail;
                let mut out = [0; 32];
                match reader.drain(&mut tail, &mut out) {
                    Drained::Records(count) => {
                        assert_eq!(tail, before + count as u32);
                        for (record, expected) in out.chunks(16).zip(before + 1..=tail) {
                            let whole = record.iter().all(|&byte| u32::from(byte) == expected);
                            assert!(whole, "parts of two laps");
                        }
                    }
                    Drained::Lapped => assert!(tail > before, "stands still"),
                    Drained::Empty => assert_eq!(tail, before),
                }
            }
        });
    });
}

#[test]
fn a_batch_is_seen_as_a_whole_or_not_at_all() {
    explore(3, || {
        let log = log(4);
        let mut writer = LogWriter::new(log.clone());
        let reader = LogReader::new(log);
        let writing = move || (1..=2).for_each(|n| writer.publish(&[n; 32]).unwrap());
        race(writing, move || {
            let mut tail = 0;
            let mut out = [0; 64];
            match reader.drain(&mut tail, &mut out) {
                Drained::Records(count) => assert!(count == 2 || count == 4),
                Drained::Empty => {}
                Drained::Lapped => panic!("nothing was overwritten"),
            }
        });
    });
}

#[test]
fn receipts_arrive_whole_and_in_order() {
    explore(3, || {
        let log = log(RECEIPT_RECORDS);
        let mut writer = ReceiptWriter::new(log.clone());
        let reader = ReceiptReader::new(log);
        writer.carry(1, 11);
        writer.carry(2, 12);
        let settling = move || assert_eq!(writer.settle(20, Reach::Arrived), 0);
        race(settling, move || {
            let mut tail = 0;
            let mut expected = 1;
            for _ in 0..2 {
                let mut out = [[0; 4]; 4];
                if let Drained::Records(count) = reader.drain(&mut tail, &mut out) {
                    for receipt in &out[..count] {
                        assert_eq!(*receipt, [expected, 10 + expected, 20, 1]);
                        expected += 1;
                    }
                }
            }
        });
    });
}

#[test]
fn partitions_have_a_publisher_each_and_none_disturbs_another() {
    explore(2, || {
        let logs = [log(2), log(2)];
        let readers = logs.clone().map(LogReader::new);
        let publishing = |log: LogMemory<Loom>, first: u8| {
            let mut writer = LogWriter::new(log);
            loom::thread::spawn(move || {
                writer.publish(&[first; 16]).unwrap();
                writer.publish(&[first + 1; 16]).unwrap();
            })
        };
        let [one, other] = logs;
        let publishers = [publishing(one, 1), publishing(other, 11)];
        let mut tails = [0; 2];
        let mut drain = move || {
            for ((reader, tail), first) in readers.iter().zip(&mut tails).zip([1, 11]) {
                let (mut out, before) = ([0; 32], *tail as u8);
                match reader.drain(tail, &mut out) {
                    Drained::Records(count) => {
                        for (record, expected) in out.chunks(16).zip(first + before..).take(count) {
                            assert_eq!(record, [expected; 16], "of another partition, or torn");
                        }
                    }
                    Drained::Empty => {}
                    Drained::Lapped => panic!("nothing was overwritten"),
                }
            }
            tails
        };
        drain();
        for publisher in publishers {
            publisher.join().unwrap();
        }
        assert_eq!(drain(), [2, 2], "a batch was lost");
    });
}
