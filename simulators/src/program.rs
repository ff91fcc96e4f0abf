//! What a device's microcontroller runs beside its mailbox: a drive, a stepper, a filter, a counter.
//!
//! A program sees its device as a real one sees its own: by its objects. What a PDO carries and what an SDO
//! writes are the same values to it, so that it works with every mapping that the device accepts. It runs at
//! SYNC0 where the MainDevice has set the SYNC unit up, and else before each frame, always in the segment's
//! time; it has no other clock.

use ecat_wire::mailbox::coe::emergency::Emergency;

use crate::device::Device;
use crate::esc::{Direction, Esc, SyncPulse};
use crate::mailbox::modules::Fit;
use crate::plant::{Behaviour, Plant};

/// AL state OP, as in register 0x0130.
pub const OP: u8 = 8;

/// Why a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A frame is about to pass, and time has passed since the last one.
    Frame,
    /// A pulse of SYNC0, and of SYNC1 for programs that want it; where both come together, SYNC0 does first. While the
    /// SYNC unit runs, nothing else makes the program run.
    Pulse(SyncPulse),
}

/// A device's program.
pub trait Program: Send {
    /// After power-on: objects have their values of that time. May be called again, after each power-on and reset.
    fn start(&mut self, device: &mut ProgramIo<'_>, now_ns: u64);

    /// Runs once. `now_ns` is the segment's clock; at a pulse, the time of the pulse. It never goes back, and may
    /// jump by seconds where nothing was sent. Allocates nothing.
    fn run(&mut self, device: &mut ProgramIo<'_>, now_ns: u64, trigger: Trigger);

    /// Whether it runs at SYNC1, too.
    fn wants_sync1(&self) -> bool {
        false
    }
}

/// One value of a device, found once by its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    index: u16,
    subindex: u8,
    input: Option<Place>,
    output: Option<Place>,
    signed: bool,
    in_dictionary: bool,
}

/// Bits of a device's inputs or outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    bit_offset: u32,
    bit_length: u8,
}

/// A device as its program sees it.
pub struct ProgramIo<'a> {
    esc: &'a mut Esc,
    now_ns: u64,
}

impl<'a> ProgramIo<'a> {
    pub(crate) fn new(esc: &'a mut Esc, now_ns: u64) -> Self {
        Self { esc, now_ns }
    }

    /// AL state without flags, as in register 0x0130: 1, 2, 3, 4 or 8.
    #[must_use]
    pub fn al_state(&self) -> u8 {
        self.esc.state()
    }

    /// Whether outputs are valid: OP, and the SyncManager watchdog has not expired.
    #[must_use]
    pub fn drives_outputs(&self) -> bool {
        self.esc.drives_outputs()
    }

    /// Whether the MainDevice has set the SYNC unit up.
    #[must_use]
    pub fn is_synchronised(&self) -> bool {
        self.esc.sync_active()
    }

    /// When the next pulse comes, of SYNC0 or SYNC1 (0, 1), by the device's system time; none: it does not run.
    #[must_use]
    pub fn next_pulse_ns(&self, number: u8) -> Option<u64> {
        self.esc.next_pulse_ns(number)
    }

    /// Finds an object; none where the device has it neither among its process data nor in its dictionary.
    #[must_use]
    pub fn cell(&self, index: u16, subindex: u8) -> Option<Cell> {
        let place = |direction| {
            let mut points = self.esc.profile().application.points.iter();
            points
                .find(|p| p.direction == direction && (p.index, p.subindex) == (index, subindex))
                .map(|p| Place { bit_offset: p.bit_offset, bit_length: p.bit_length })
        };
        let entry = self.esc.objects().and_then(|objects| objects.entry(index, subindex));
        let cell = Cell {
            index,
            subindex,
            input: place(Direction::Input),
            output: place(Direction::Output),
            signed: entry.is_some_and(crate::mailbox::object_dictionary::Entry::is_signed),
            in_dictionary: entry.is_some(),
        };
        (cell.in_dictionary || cell.input.is_some() || cell.output.is_some()).then_some(cell)
    }

    /// A value: of an output that a PDO carries in OP what the MainDevice sent last, else what the object holds.
    /// 0 of more than 64 bits.
    #[must_use]
    pub fn get(&self, cell: Cell) -> i64 {
        if let Some(place) = cell.output
            && self.esc.drives_outputs()
            && self.esc.carries_output(place.bit_offset)
        {
            return number(self.esc.output(place.bit_offset, place.bit_length), place, cell.signed);
        }
        if let Some(place) = cell.input {
            return number(self.esc.input(place.bit_offset, place.bit_length), place, cell.signed);
        }
        let entry = self.esc.objects().and_then(|objects| objects.entry(cell.index, cell.subindex));
        entry.map_or(0, crate::mailbox::object_dictionary::Entry::integer)
    }

    /// Sets a value: of an input for the next frame to find, and of an object for the next SDO.
    pub fn set(&mut self, cell: Cell, value: i64) {
        if let Some(Place { bit_offset, bit_length }) = cell.input {
            self.esc.set_input(bit_offset, bit_length, value.cast_unsigned());
        } else if cell.in_dictionary
            && let Some(objects) = self.esc.objects_mut()
        {
            objects.set_integer(cell.index, cell.subindex, value);
        }
    }

    /// Sets bits of its inputs, as a channel names them.
    pub fn set_input(&mut self, bit_offset: u32, bit_length: u8, value: u64) {
        self.esc.set_input(bit_offset, bit_length, value);
    }

    /// Reads bits of its inputs, or of the fields behind them that signals and wires set.
    #[must_use]
    pub fn input(&self, bit_offset: u32, bit_length: u8) -> u64 {
        self.esc.input(bit_offset, bit_length)
    }

    /// Reads bits that it drives at its outputs.
    #[must_use]
    pub fn output(&self, bit_offset: u32, bit_length: u8) -> u64 {
        self.esc.output(bit_offset, bit_length)
    }

    /// How often SDOs have written objects, or modules were plugged, since power-on: a program reads its parameters anew when it has changed.
    #[must_use]
    pub fn object_writes(&self) -> u64 {
        self.esc.objects().map_or(0, |objects| objects.writes)
    }

    /// Whether a PDO that is assigned carries the value from the MainDevice.
    #[must_use]
    pub fn carries(&self, cell: Cell) -> bool {
        cell.output.is_some_and(|place| self.esc.carries_output(place.bit_offset))
    }

    /// How many frames have brought outputs since power-on.
    #[must_use]
    pub fn output_writes(&self) -> u64 {
        self.esc.output_writes()
    }

    /// The module in a slot, from 1, by its number: where it is the one that is configured for it.
    #[must_use]
    pub fn module(&self, slot: u8) -> Option<u32> {
        self.esc.module(slot)
    }

    /// How the modules in its slots fit those that are configured; none: it has no slots.
    #[must_use]
    pub fn modules_fit(&self) -> Option<Fit> {
        self.esc.modules_fit()
    }

    /// Whether the modules are none that process data can be exchanged with.
    #[must_use]
    pub fn refuses_modules(&self) -> bool {
        self.esc.refuses_modules()
    }

    /// Sends an emergency.
    pub fn raise_emergency(&mut self, emergency: Emergency) {
        self.esc.raise_emergency(emergency, self.now_ns);
    }

    /// Something goes wrong with its mail from here on.
    pub fn disturb_mail(&mut self, fault: crate::mailbox::MailFault) {
        self.esc.disturb_mail(fault);
    }

    /// Takes a lower AL state by itself, with an AL status code.
    pub fn leave_state(&mut self, state: u8, code: u16) {
        self.esc.leave_state(state, code);
    }
}

fn number(bits: u64, place: Place, signed: bool) -> i64 {
    let unused = 64 - u32::from(place.bit_length.clamp(1, 64));
    if signed { (bits << unused).cast_signed() >> unused } else { bits.cast_signed() }
}

/// The programs of a segment's devices.
pub(crate) struct Programs {
    /// By device.
    programs: Vec<Option<Running>>,
}

struct Running {
    program: Box<dyn Program>,
    /// Which power-on it has seen.
    power_on: u32,
}

impl Programs {
    /// One or none for each device; `None` where there is no program at all.
    pub(crate) fn of(programs: Vec<Option<Box<dyn Program>>>) -> Option<Self> {
        let any = programs.iter().any(Option::is_some);
        let running = |program| Running { program, power_on: 0 };
        let programs = programs.into_iter().map(|program| program.map(running)).collect();
        any.then_some(Self { programs })
    }
}

impl Running {
    fn run(&mut self, device: &mut Device, now_ns: u64, trigger: Trigger) {
        let power_on = device.esc.power_ons();
        let mut io = ProgramIo::new(&mut device.esc, now_ns);
        if power_on != self.power_on {
            self.power_on = power_on;
            self.program.start(&mut io, now_ns);
        }
        self.program.run(&mut io, now_ns, trigger);
    }
}

impl Behaviour for Programs {
    fn step(&mut self, plant: &mut Plant<'_>, now_ns: u64) {
        for (device, program) in plant.devices_mut().iter_mut().zip(&mut self.programs) {
            if let Some(program) = program
                && !device.esc.sync_active()
            {
                program.run(device, now_ns, Trigger::Frame);
            }
        }
    }

    fn takes_pulses(&self) -> bool {
        true
    }

    fn pulse(&mut self, plant: &mut Plant<'_>, device: u16, pulse: SyncPulse) {
        let device = usize::from(device);
        if let Some(Some(program)) = self.programs.get_mut(device)
            && let Some(device) = plant.devices_mut().get_mut(device)
            && (pulse.number == 0 || program.program.wants_sync1())
        {
            program.run(device, pulse.at_ns, Trigger::Pulse(pulse));
        }
    }
}
