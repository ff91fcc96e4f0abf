//! Who is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ecat_wire::register::{DC_RECEIVE_TIME, FEATURES, TYPE};
use ecat_wire::{Command, Link};
use ethercrab::{
    MainDevice, MainDeviceConfig, PduStorage, RetryBehaviour, SubDeviceGroup, Timeouts,
};

use super::diagnosis::{diagnose, unnamed};
use super::driver::{Driver, Interrupted};
use super::exchange::{Exchanger, Reply, Request, aborted, link_failure};
use super::identity::identify;
use super::watch::{FEATURE_CLOCK, Watch};
use crate::clock::{self, Clock};
use crate::error::{EngineError, ErrorCode};
use crate::network::Network;

/// SubDevices that the largest size class holds.
pub const SUB_DEVICES_MAX: u16 = 512;

/// Stack of a thread that calls [`discover`]. The largest size class takes 610 KiB of it in a debug build,
/// 170 KiB in a release build; a factor of 4 is held by `tests/stack.rs`.
pub const DISCOVER_STACK_BYTES: usize = 8 << 20;

/// One frame is in flight at a time; the rest is room for those whose answer is late.
type Storage = PduStorage<8, { PduStorage::element_size(128) }>;

/// How to bring a segment up.
#[derive(Clone, Copy, Debug)]
pub struct BringUpOptions {
    /// Whether a SubDevice's clock becomes the reference of the others.
    pub distributed_clocks: bool,
    /// Everything until PRE-OP, in nanoseconds of the thread's clock.
    pub timeout_ns: u64,
    /// Frames that settle the clocks before PRE-OP, where distributed clocks are used.
    pub dc_static_sync_iterations: u32,
}

impl Default for BringUpOptions {
    fn default() -> Self {
        Self {
            distributed_clocks: true,
            timeout_ns: 120_000_000_000,
            dc_static_sync_iterations: 1_000,
        }
    }
}

/// How far the bring-up has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many SubDevices answer.
    Counted(u16),
    /// All of them are in PRE-OP.
    PreOp,
    /// Their SII images are read.
    Identified,
}

/// Why ethercrab's `init` did not end well, and where it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What went wrong.
    pub(super) what: What,
    /// The SubDevice that was addressed last.
    pub(super) position: Option<u16>,
    /// The state that this SubDevice was waited for to reach.
    pub(super) awaited_state: Option<u8>,
    /// The state that it was asked for with the last frame.
    pub(super) asked_state: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// ethercrab's error.
    Error(ethercrab::error::Error),
    /// Given up by our own loop.
    Interrupted(Interrupted),
    /// A panic inside ethercrab, with its message.
    Panic(String),
}

/// Brings the segment on `link` to PRE-OP and says who is there. Blocks the calling thread, on whose
/// clock it runs, and whose stack should have [`DISCOVER_STACK_BYTES`]; to be called before any cyclic frame,
/// since it resets the whole segment.
///
/// # Errors
/// `NoSubDevices`, `TooManySubDevices`, `LinkDown`, `LinkOs`, `Aborted` after `stop`; and what the
/// diagnosis found, with one failure a SubDevice: `EepromInvalid`, `EepromChecksum`, `EepromAccess`,
/// `EepromBusy`, `StateRefused`, `StateTimeout`, `SubDeviceLost`; `Timeout` or `BringUp` where it could name none.
pub fn discover(
    link: &mut dyn Link,
    options: &BringUpOptions,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Network, EngineError> {
    let deadline_ns = clock::now_ns().saturating_add(options.timeout_ns);
    let exchanger = &mut Exchanger::new(link, stop, deadline_ns);
    let count = count(exchanger)?;
    progress(Progress::Counted(count));
    let clockless = clockless(exchanger, count)?;
    reach_pre_op(link, count, &clockless, options, stop, deadline_ns)?;
    progress(Progress::PreOp);
    let network = identify(&mut Exchanger::new(link, stop, deadline_ns), count, options)?;
    progress(Progress::Identified);
    Ok(network)
}

/// Counts the SubDevices by a broadcast read.
fn count(exchanger: &mut Exchanger<'_>) -> Result<u16, EngineError> {
    let request = Request { command: Command::Brd { register: TYPE }, data: vec![0] };
    let nobody = |why: &str| Err(EngineError::new(ErrorCode::NoSubDevices, why));
    match exchanger.exchange(&[request]) {
        Ok(replies) => match replies[0].working_counter {
            0 => nobody("frames come back, but no SubDevice has worked on them"),
            count @ 1..=SUB_DEVICES_MAX => Ok(count),
            count => Err(EngineError::new(
                ErrorCode::TooManySubDevices,
                format!("{count} SubDevices answer, more than {SUB_DEVICES_MAX}"),
            )),
        },
        Err(error) if error.first.code == ErrorCode::Timeout => {
            nobody("no frame comes back from the wire")
        }
        Err(error) => Err(error),
    }
}

/// The positions whose feature register promises a distributed clock, but whose receive times do not
/// answer. Real terminals are like that.
fn clockless(exchanger: &mut Exchanger<'_>, count: u16) -> Result<Vec<u16>, EngineError> {
    let read = |position, register, length| Request {
        command: Command::Aprd { position: Command::position(position), register },
        data: vec![0; length],
    };
    let requests: Vec<_> =
        (0..count).flat_map(|n| [read(n, FEATURES, 2), read(n, DC_RECEIVE_TIME, 16)]).collect();
    let replies = exchanger.exchange(&requests)?;
    let promised = |features: &Reply| features.one().is_some_and(|f| f[0] & FEATURE_CLOCK != 0);
    Ok((0..count)
        .zip(replies.chunks_exact(2))
        .filter(|(_, replies)| promised(&replies[0]) && replies[1].one().is_none())
        .map(|(position, _)| position)
        .collect())
}

/// Runs ethercrab's `init`, and once more where the reason cannot be found and may have been a
/// disturbance on the wire.
fn reach_pre_op(
    link: &mut dyn Link,
    count: u16,
    clockless: &[u16],
    options: &BringUpOptions,
    stop: &AtomicBool,
    deadline_ns: u64,
) -> Result<(), EngineError> {
    let mut attempts = 2;
    loop {
        attempts -= 1;
        let trouble = match initialise(link, count, clockless, options, stop, deadline_ns) {
            Ok(()) => return Ok(()),
            Err(trouble) => trouble,
        };
        match trouble.what {
            What::Interrupted(Interrupted::Stopped) => return Err(aborted()),
            What::Interrupted(Interrupted::Link(error)) => return Err(link_failure(error)),
            _ => {}
        }
        if let Some(found) = diagnose(link, stop, count, &trouble)? {
            return Err(found);
        }
        if attempts == 0 || trouble.what == What::Interrupted(Interrupted::Overdue) {
            return Err(unnamed(&trouble));
        }
    }
}

fn initialise(
    link: &mut dyn Link,
    count: u16,
    clockless: &[u16],
    options: &BringUpOptions,
    stop: &AtomicBool,
    deadline_ns: u64,
) -> Result<(), Trouble> {
    let storage = Box::new(Storage::new());
    let Ok((tx, rx, pdu_loop)) = storage.try_split() else {
        unreachable!("a storage that was just made has not been split")
    };
    let static_sync =
        if options.distributed_clocks { options.dc_static_sync_iterations } else { 0 };
    let main_device = MainDevice::new(
        pdu_loop,
        // Generous, since hosts stall: none of these is waited for on a bus that is well.
        Timeouts {
            state_transition: Duration::from_secs(5),
            pdu: Duration::from_millis(100),
            eeprom: Duration::from_secs(1),
            wait_loop_delay: Duration::from_micros(50),
            ..Timeouts::default()
        },
        MainDeviceConfig {
            dc_static_sync_iterations: static_sync,
            retry_behaviour: RetryBehaviour::Count(20),
        },
    );
    let mut driver =
        Driver { link, tx, rx, stop, deadline_ns, watch: Watch::new(clockless.to_vec()) };
    let outcome = catch_unwind(AssertUnwindSafe(|| match count {
        0..=16 => initialise_class::<16>(&mut driver, &main_device),
        17..=128 => initialise_class::<128>(&mut driver, &main_device),
        _ => initialise_class::<{ SUB_DEVICES_MAX as usize }>(&mut driver, &main_device),
    }));
    let what = match outcome {
        Ok(Ok(Ok(()))) => return Ok(()),
        Ok(Ok(Err(error))) => What::Error(error),
        Ok(Err(interrupted)) => What::Interrupted(interrupted),
        Err(panic) => What::Panic(message(&*panic)),
    };
    Err(Trouble {
        what,
        position: driver.watch.position(),
        awaited_state: driver.watch.awaited_state(),
        asked_state: driver.watch.asked_state(),
    })
}

/// All SubDevices, without process data.
type Group<const SUB_DEVICES: usize> = SubDeviceGroup<SUB_DEVICES, 1>;

/// ethercrab's sizes are compile-time. Its future holds all SubDevices, and so does the group that they go
/// to. Both live on the heap, and are made in functions that have returned when the future is polled, so that
/// the stack does not carry what they were moved from.
fn initialise_class<const SUB_DEVICES: usize>(
    driver: &mut Driver<'_, '_>,
    main_device: &MainDevice<'_>,
) -> Result<Result<(), ethercrab::error::Error>, Interrupted> {
    let group = group::<SUB_DEVICES>();
    driver.run(initialisation(main_device, &group)).map(|group| group.map(drop))
}

#[inline(never)]
fn group<const SUB_DEVICES: usize>() -> Box<Group<SUB_DEVICES>> {
    Box::default()
}

#[inline(never)]
fn initialisation<'a, const SUB_DEVICES: usize>(
    main_device: &'a MainDevice<'_>,
    group: &'a Group<SUB_DEVICES>,
) -> Pin<Box<impl Future<Output = Result<&'a Group<SUB_DEVICES>, ethercrab::error::Error>>>> {
    Box::pin(main_device.init::<SUB_DEVICES, _>(dc_now_ns, group, |group, _| Ok(*group)))
}

/// Nanoseconds since 2000-01-01 (the epoch of distributed clocks); virtual time as it is.
fn dc_now_ns() -> u64 {
    const DC_EPOCH_S: u64 = 946_684_800;
    match clock::clock() {
        Clock::Virtual => clock::now_ns(),
        Clock::Wall => SystemTime::now()
            .duration_since(UNIX_EPOCH + Duration::from_secs(DC_EPOCH_S))
            .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
