//! Power-on to a configured PRE-OP on the simulated segment, in virtual time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ecat_engine::EngineError;
use ecat_engine::bringup::{
    BringUpOptions, DISCOVER_STACK_BYTES, Exchanger, Progress, Request, compute_layout, configure,
    discover,
};
use ecat_engine::clock;
use ecat_engine::error::ErrorCode;
use ecat_engine::network::Network;
use ecat_simulator::description::DeviceDescription;
use ecat_simulator::esc::{ClockLevel, Esc, Profile, Refusal, RefusalCondition};
use ecat_simulator::{
    Device, Segment, SegmentCommand, SegmentControl, SegmentDescription, SegmentLink,
};
use ecat_wire::{Link, LinkError, register};

fn image(name: &str) -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../test/fixtures/eeprom/");
    std::fs::read(format!("{path}{name}.bin")).unwrap()
}

fn real(name: &str) -> DeviceDescription {
    DeviceDescription { sii: Some(image(name)), ..DeviceDescription::default() }
}

fn segment(devices: impl IntoIterator<Item = DeviceDescription>) -> (SegmentLink, SegmentControl) {
    let description = SegmentDescription {
        devices: devices.into_iter().collect(),
        ..SegmentDescription::default()
    };
    SegmentLink::new(Segment::new(&description).unwrap())
}

/// A device with a real image, whose ESC or application differs from the ordinary one.
fn special(name: &str, adjust: impl FnOnce(&mut Profile)) -> Device {
    let mut profile = Profile::default();
    adjust(&mut profile);
    Device { name: name.to_owned(), esc: Esc::new(profile, image(name)) }
}

fn ordinary(name: &str) -> Device {
    special(name, |_| ())
}

fn segment_of(devices: Vec<Device>) -> SegmentLink {
    SegmentLink::new(Segment::from_parts(devices, Vec::new())).0
}

/// Runs `body` on a thread of its own, whose virtual time starts at 0.
fn in_virtual_time<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    on_enough_stack(|| {
        clock::enter_virtual(0);
        body()
    })
}

fn on_enough_stack<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(DISCOVER_STACK_BYTES);
    thread.spawn(body).unwrap().join().unwrap()
}

fn bring_up(link: &mut dyn Link) -> Result<Network, EngineError> {
    discover(link, &BringUpOptions::default(), &AtomicBool::new(false), &mut |_| ())
}

/// The error of a bring-up that must fail; a network would print pages.
fn failed(outcome: Result<Network, EngineError>) -> EngineError {
    outcome.map(|network| network.sub_devices.len()).unwrap_err()
}

fn failure_of(devices: Vec<DeviceDescription>) -> EngineError {
    in_virtual_time(move || failed(bring_up(&mut segment(devices).0)))
}

#[test]
fn real_images_come_to_a_configured_pre_op() {
    in_virtual_time(|| {
        let (mut link, _control) =
            segment([real("ek1100"), real("el2889"), real("el2828"), real("el2004"), real("akd")]);
        let mut steps = Vec::new();
        let stop = AtomicBool::new(false);
        let network =
            discover(&mut link, &BringUpOptions::default(), &stop, &mut |step| steps.push(step))
                .unwrap();
        assert_eq!(steps, [Progress::Counted(5), Progress::PreOp, Progress::Identified]);
        let names: Vec<_> = network.sub_devices.iter().map(|sd| sd.name.as_str()).collect();
        assert_eq!(names, ["EK1100", "EL2889", "EL2828", "EL2004", "AKD"]);
        let stations: Vec<_> = network.sub_devices.iter().map(|sd| sd.station_address).collect();
        assert_eq!(stations, [0x1000, 0x1001, 0x1002, 0x1003, 0x1004]);
        let akd = &network.sub_devices[4];
        assert_eq!((akd.identity.vendor_id, akd.identity.product_code), (0x6A, 0x0041_4B44));
        assert_eq!(akd.description, "AKD EtherCAT Drive (CoE)");
        assert!(!akd.device_emulation && network.sub_devices[1].device_emulation);
        assert!(network.sub_devices.iter().all(|sd| sd.lrw && sd.fmmu_count > 0));

        let layout = compute_layout(&network).unwrap();
        assert_eq!((layout.output_bytes, layout.input_bytes), (10, 6));
        configure(&mut link, &network, &layout, &stop).unwrap();

        let deadline = clock::now_ns() + 1_000_000_000;
        let read = Exchanger::new(&mut link, &stop, deadline)
            .exchange(&[
                Request::read(0x1001, register::fmmu(1), 16),
                Request::read(0x1001, register::sync_manager(1), 8),
                Request::read(0x1004, register::fmmu(2), 16),
                Request::read(0x1004, register::AL_STATUS, 2),
                Request::read(0x1004, register::EEPROM_OWNER, 1),
            ])
            .unwrap();
        let expected = layout.devices[1].fmmus[1].to_bytes();
        assert_eq!(read[0].one(), Some(&expected[..]));
        assert_eq!(read[1].one().map(|bytes| &bytes[..5]), Some(&[0x01, 0x0F, 1, 0, 0x44][..]));
        assert_eq!(read[1].one().map(|bytes| bytes[6]), Some(0), "on in OP only");
        assert_eq!(read[2].one(), Some(&[0; 16][..]));
        assert_eq!(read[3].word(), Some(2));
        assert_eq!(read[4].one(), Some(&[1][..]), "the device has its EEPROM back");
    });
}

#[test]
fn the_second_bring_up_of_a_segment_is_as_good_as_the_first() {
    in_virtual_time(|| {
        let (mut link, _control) = segment([real("ek1100"), real("akd"), real("el2889")]);
        let stop = AtomicBool::new(false);
        let mut layouts = Vec::new();
        for _ in 0..2 {
            let network = bring_up(&mut link).unwrap();
            let layout = compute_layout(&network).unwrap();
            configure(&mut link, &network, &layout, &stop).unwrap();
            layouts.push(layout.datagrams);
        }
        assert_eq!(layouts[0], layouts[1]);
    });
}

#[test]
fn a_hundred_sub_devices_come_up_in_the_order_of_the_wire() {
    in_virtual_time(|| {
        let devices = (0..100).map(|n| real(["ek1100", "el2889", "akd"][n.min(1 + n % 2)]));
        let (mut link, _control) = segment(devices);
        let network = bring_up(&mut link).unwrap();
        assert_eq!(network.sub_devices.len(), 100);
        let layout = compute_layout(&network).unwrap();
        configure(&mut link, &network, &layout, &AtomicBool::new(false)).unwrap();
        assert!(network.sub_devices.iter().zip(0u16..).all(|(sd, n)| sd.position == n));
        assert_eq!(layout.input_bytes, 6 * 49);
    });
}

#[test]
fn segments_beyond_the_size_classes_are_counted_and_refused() {
    let outcome = |count: usize| {
        in_virtual_time(move || {
            let (mut link, _control) = segment((0..count).map(|_| real("ek1100")));
            bring_up(&mut link).map(|network| network.sub_devices.len())
        })
    };
    assert_eq!(outcome(130), Ok(130));
    let error = outcome(513).unwrap_err();
    assert_eq!(error.first.code, ErrorCode::TooManySubDevices);
    assert!(error.first.message.contains("513"));
}

#[test]
fn a_segment_without_sub_devices_says_so() {
    let error = failure_of(Vec::new());
    assert_eq!(error.first.code, ErrorCode::NoSubDevices);
}

#[test]
fn a_blank_eeprom_is_named_by_its_position() {
    for blank in [image("empty"), vec![0xFF; 2048], vec![0; 2048]] {
        let blank = DeviceDescription { sii: Some(blank), ..DeviceDescription::default() };
        let error = failure_of(vec![real("ek1100"), real("el2889"), blank, real("el2828")]);
        assert_eq!(error.first.code, ErrorCode::EepromInvalid, "{error}");
        assert_eq!((error.first.position, error.others.len()), (Some(2), 0), "{error}");
        assert!(error.first.message.contains("blank"), "{error}");
    }
}

#[test]
fn a_refused_pre_op_is_named_with_its_state_and_code() {
    let error = in_virtual_time(|| {
        let refusing = special("akd", |profile| {
            profile.application.refusals =
                vec![Refusal { to: 2, code: 0x0016, condition: RefusalCondition::Always }];
        });
        failed(bring_up(&mut segment_of(vec![ordinary("ek1100"), refusing, ordinary("el2889")])))
    });
    assert_eq!(error.first.code, ErrorCode::StateRefused, "{error}");
    assert_eq!(error.first.position, Some(1));
    assert_eq!(error.first.sub_device.as_deref(), Some("AKD"));
    assert_eq!((error.first.requested_state, error.first.state), (Some(2), Some(0x11)));
    assert_eq!(error.first.al_status_code, Some(0x0016));
    assert!(error.first.message.contains("PRE-OP") && error.first.message.contains("mailbox"));
    assert_eq!(error.others, []);
}

/// A coupler and a drive that takes its time over every transition.
fn slow(transition_ms: u64) -> SegmentLink {
    let slow = special("akd", |profile| {
        profile.application.transition_delay_ns = transition_ms * 1_000_000;
        profile.application.read_delay_ns = 7_400_000;
    });
    segment_of(vec![ordinary("ek1100"), slow])
}

#[test]
fn a_sub_device_that_takes_too_long_is_named() {
    let error = in_virtual_time(|| failed(bring_up(&mut slow(8_000))));
    assert_eq!(error.first.code, ErrorCode::StateTimeout, "{error}");
    assert_eq!((error.first.position, error.first.requested_state), (Some(1), Some(2)));
    assert_eq!(error.first.state, Some(1));
}

#[test]
fn a_slow_sub_device_is_waited_for() {
    assert!(in_virtual_time(|| bring_up(&mut slow(300)).is_ok()));
}

#[test]
fn slow_and_narrow_eeproms_and_absent_clocks_are_no_obstacle() {
    let network = in_virtual_time(|| {
        let narrow = special("el2889", |profile| {
            profile.eeprom_status = 0x00;
            profile.clock = ClockLevel::None;
        });
        let late = special("el2828", |profile| {
            profile.eeprom_access_ns = 5_000_000;
            profile.clock = ClockLevel::ReceiveTimes;
            profile.features |= 0x0200;
            profile.fmmu_count = 3;
        });
        bring_up(&mut segment_of(vec![ordinary("ek1100"), narrow, late])).unwrap()
    });
    let clocks: Vec<_> = network.sub_devices.iter().map(|sd| sd.has_distributed_clock).collect();
    assert_eq!(clocks, [true, false, false]);
    assert!(network.sub_devices[1].lrw && !network.sub_devices[2].lrw);
    assert_eq!(network.sub_devices[2].fmmu_count, 3);
    assert_eq!(network.sub_devices[1].sii.pdos.len(), 16);
}

/// A link that does something when a given number of frames has been sent.
struct After<F> {
    inner: SegmentLink,
    frames: u32,
    then: F,
}

impl<F: FnMut()> Link for After<F> {
    fn send(&mut self, frame: &[u8], now_ns: u64) -> Result<(), LinkError> {
        if self.frames == 0 {
            (self.then)();
        }
        self.frames = self.frames.wrapping_sub(1);
        self.inner.send(frame, now_ns)
    }

    fn receive(&mut self, buffer: &mut [u8], now_ns: u64) -> Result<Option<usize>, LinkError> {
        self.inner.receive(buffer, now_ns)
    }

    fn is_up(&self) -> bool {
        self.inner.is_up()
    }
}

/// Brings EK1100, AKD, EL2889 up; `command` happens with the frame of that number.
fn disturbed(frames: u32, command: SegmentCommand) -> Result<Network, EngineError> {
    in_virtual_time(move || {
        let (inner, control) = segment([real("ek1100"), real("akd"), real("el2889")]);
        let then = move || control.send(command).unwrap();
        bring_up(&mut After { inner, frames, then })
    })
}

#[test]
fn a_sub_device_that_is_lost_on_the_way_is_named() {
    for frames in [60, 150, 300, 500, 1_500] {
        let error = failed(disturbed(frames, SegmentCommand::Unplug { device: 1 }));
        assert_eq!(error.first.code, ErrorCode::SubDeviceLost, "after {frames}: {error}");
        assert_eq!((error.first.position, error.others.len()), (Some(1), 0), "{error}");
    }
}

#[test]
fn sub_devices_behind_a_cut_cable_are_all_named() {
    let error = failed(disturbed(200, SegmentCommand::CutCable { after: 0 }));
    assert_eq!((error.first.code, error.first.position), (ErrorCode::SubDeviceLost, Some(1)));
    let others: Vec<_> = error.others.iter().map(|other| (other.code, other.position)).collect();
    assert_eq!(others, [(ErrorCode::SubDeviceLost, Some(2))]);
}

#[test]
fn lost_and_late_frames_do_not_fail_a_bring_up() {
    for command in [
        SegmentCommand::LoseFrames { count: 5 },
        SegmentCommand::DelayFrames { count: 3, by_frames: 2 },
    ] {
        for frames in [0, 40, 170, 800, 1_480] {
            let network = disturbed(frames, command).unwrap();
            assert_eq!(network.sub_devices.len(), 3);
        }
    }
}

#[test]
fn a_carrier_that_goes_is_link_down() {
    for frames in [0, 100, 1_480] {
        let error = failed(disturbed(frames, SegmentCommand::LinkDown));
        assert_eq!(error.first.code, ErrorCode::LinkDown, "after {frames}: {error}");
    }
}

#[test]
fn the_stop_flag_ends_a_bring_up_at_any_point() {
    for frames in [0, 10, 100, 400, 1_480] {
        let error = in_virtual_time(move || {
            let (inner, _control) = segment([real("ek1100"), real("akd"), real("el2889")]);
            let stop = AtomicBool::new(false);
            let then = || stop.store(true, Ordering::Relaxed);
            let mut link = After { inner, frames, then };
            failed(discover(&mut link, &BringUpOptions::default(), &stop, &mut |_| ()))
        });
        assert_eq!(error.first.code, ErrorCode::Aborted, "after {frames}: {error}");
    }
}

#[test]
fn a_bring_up_ends_at_its_timeout() {
    let error = in_virtual_time(|| {
        let options = BringUpOptions { timeout_ns: 1_000_000_000, ..BringUpOptions::default() };
        failed(discover(&mut slow(3_000), &options, &AtomicBool::new(false), &mut |_| ()))
    });
    assert_eq!(error.first.code, ErrorCode::StateTimeout, "{error}");
    assert_eq!(error.first.position, Some(1));
}

#[test]
fn the_same_bring_up_runs_on_the_wall_clock() {
    let found = on_enough_stack(|| {
        let (mut link, _control) = segment([real("ek1100"), real("el2889")]);
        bring_up(&mut link).map(|network| network.sub_devices.len())
    });
    assert_eq!(found, Ok(2));
}

#[test]
fn without_distributed_clocks_no_clock_is_the_reference() {
    let (with, without) = in_virtual_time(|| {
        let coupler = DeviceDescription { distributed_clock: Some(true), ..real("ek1100") };
        let mut link = segment([coupler, real("el2889")]).0;
        let with = bring_up(&mut link).unwrap();
        let options = BringUpOptions { distributed_clocks: false, ..BringUpOptions::default() };
        let without = discover(&mut link, &options, &AtomicBool::new(false), &mut |_| ()).unwrap();
        (with, without)
    });
    assert!(with.sub_devices[0].has_distributed_clock);
    assert_eq!((with.dc_reference, without.dc_reference), (Some(0), None));
}

#[test]
fn a_configuration_that_does_not_hold_is_named_by_its_register() {
    in_virtual_time(|| {
        let (mut link, control) = segment([real("ek1100"), real("el2889"), real("akd")]);
        let stop = AtomicBool::new(false);
        let network = bring_up(&mut link).unwrap();
        let mut layout = compute_layout(&network).unwrap();
        // No ESC has this SyncManager.
        layout.devices[1].sync_managers[1].0 = 15;
        let error = configure(&mut link, &network, &layout, &stop).unwrap_err();
        assert_eq!(error.first.code, ErrorCode::ConfigurationVerify, "{error}");
        assert_eq!((error.first.position, error.others.len()), (Some(1), 0));
        assert_eq!(error.first.register, Some(register::sync_manager(15)));

        let layout = compute_layout(&network).unwrap();
        control.send(SegmentCommand::Unplug { device: 1 }).unwrap();
        let error = configure(&mut link, &network, &layout, &stop).unwrap_err();
        assert_eq!((error.first.code, error.first.position), (ErrorCode::SubDeviceLost, Some(1)));
    });
}
