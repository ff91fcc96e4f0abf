//! The devices of a segment: from their description to what an ESC is made of.
//!
//! A description becomes a [`DeviceImage`]: the bytes of an SII EEPROM (built for the built-in types, or
//! those that were given), the [`Profile`] of the ESC and its application, and the channels that signals
//! and wires reach it by. Everything that can be read from the SII is read from it, so that a device with
//! a real image and a built-in one go the same way.
//!
//! A family of built-in devices is a file. Those that a dump, a recording or a device description shows are
//! called after the real ones and have their identities. The others are *like* the real ones that their
//! order texts name, in their objects and their process data, as far as public documents tell, and carry the
//! vendor [`SIMULATED_VENDOR_ID`]: nobody shall take them for it.

mod akd;
mod analogue_inputs;
mod analogue_outputs;
mod application;
mod ax5206;
pub mod behaviour;
mod boxes;
mod counters;
mod coupler;
mod digital_inputs;
mod digital_outputs;
mod directory;
mod ek1914;
mod el3632;
mod el7041;
mod esi;
mod ethernet_terminals;
mod generic;
mod junction;
mod known;
mod lan9252;
mod mail;
mod modular_coupler;
mod objects;
mod overrides;
mod process_data;
pub mod programs;
mod protocols;
mod safety;
mod servo;
mod state;
mod stress;
mod terminal;
mod wiring;

#[cfg(test)]
mod built_in_tests;
#[cfg(test)]
mod tests;

pub use directory::directory;
pub use process_data::{Channel, ChannelType};

use ecat_wire::sii::{self, Sii};

use crate::description::mailbox::MailboxDescription;
use crate::description::{
    DescriptionError, DeviceDescription, DeviceType, ProgramDescription, SegmentDescription,
};
use crate::device::Device;
use crate::esc::{ClockLevel, Esc, Profile, Start, mixed};
use crate::ethernet::Cables;
use crate::plant::Behaviour;
use crate::program::Programs;
use crate::topology::{Attachment, Outlet, Ring};
use behaviour::Wiring;
use boxes::Expanded;
use esi::Library;
use terminal::Built;

/// Vendor of the built-in terminals that are no copy of a real one. Chosen by this project; assigned to
/// nobody that we know of.
pub const SIMULATED_VENDOR_ID: u32 = 0xE0B1_F057;

/// Makes the seeds of programs others than those of clocks.
const PROGRAMS: u64 = 0x7072_6F67_7261_6D73;

/// Size of the EEPROM of built-in devices, as in the real terminals whose images are known.
const EEPROM_BYTES: usize = 2048;

/// What a description is built into.
pub(crate) struct Parts {
    pub(crate) devices: Vec<Device>,
    pub(crate) behaviours: Vec<Box<dyn Behaviour>>,
    /// In what state each device begins.
    pub(crate) starts: Vec<Start>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) ring: Option<Ring>,
    /// Ports with a link to something that is not described.
    pub(crate) outside: Vec<Outlet>,
    /// What chance is made of.
    pub(crate) seed: u64,
}

/// Builds the devices of a description, and what moves their process data.
pub(crate) fn build(description: &SegmentDescription) -> Result<Parts, DescriptionError> {
    let expanded = Expanded::new(description);
    let mut images = expanded.images()?;
    let description = &expanded.description;
    let wiring = Wiring::new(description, &images)?;
    let mut behaviours: Vec<Box<dyn Behaviour>> =
        if wiring.is_empty() { Vec::new() } else { vec![Box::new(wiring)] };
    let programs = images.iter().enumerate().map(|(index, image)| {
        let Some(program) = &image.program else { return Ok(None) };
        let seed = mixed(description.seed ^ mixed(PROGRAMS ^ index as u64));
        programs::program(program, image, seed).map(Some).map_err(|error| {
            let path = format!("/devices/{index}/program{}", error.path);
            expanded.place(DescriptionError { path, ..error })
        })
    });
    if let Some(programs) = Programs::of(programs.collect::<Result<_, _>>()?) {
        behaviours.push(Box::new(programs));
    }
    let cables = protocols::cables(description, &mut images)?;
    if !cables.is_empty() {
        behaviours.push(Box::new(Cables::new(&cables)));
    }
    let starts = images.iter().map(|image| image.start.clone()).collect();
    let (attachments, ring) =
        wiring::attachments(description, &images).map_err(|error| expanded.place(error))?;
    let outside = wiring::outside(description, &images, &attachments, ring.map(|ring| ring.outlet))
        .map_err(|error| expanded.place(error))?;
    let devices = images
        .into_iter()
        .map(|image| Device { name: image.name, esc: Esc::new(image.profile, image.sii) })
        .collect();
    let seed = description.seed;
    Ok(Parts { devices, behaviours, starts, attachments, ring, outside, seed })
}

/// What a device is made of.
#[derive(Clone, Debug)]
pub struct DeviceImage {
    /// Its name in the description, or `device 3` by its place.
    pub name: String,
    /// Its EEPROM.
    pub sii: Vec<u8>,
    /// Its ESC and the application behind.
    pub profile: Profile,
    /// The state in which it begins.
    pub start: Start,
    /// Its inputs, in the order of the process image: channel 1 first.
    pub inputs: Vec<Channel>,
    /// Its outputs, in the order of the process image: channel 1 first.
    pub outputs: Vec<Channel>,
    /// What it runs.
    pub program: Option<ProgramDescription>,
    /// What was decided because its ESI file leaves it open, or contradicts itself.
    pub notes: Vec<String>,
}

impl DeviceImage {
    /// Makes every device of a segment; some descriptions stand for several.
    ///
    /// # Errors
    /// With the JSON pointer to what is contradictory or impossible.
    pub fn all(description: &SegmentDescription) -> Result<Vec<Self>, DescriptionError> {
        Expanded::new(description).images()
    }

    pub(super) fn seeded(mut self, seed: u64, index: usize) -> Self {
        self.profile.clock_seed = mixed(seed ^ mixed(index as u64));
        self
    }

    /// Whether it has an object, among its process data or in its dictionary.
    pub(crate) fn has_object(&self, index: u16, subindex: u8) -> bool {
        let application = &self.profile.application;
        let mailbox = application.mailbox.as_ref();
        let dictionary = mailbox.and_then(|mailbox| mailbox.dictionary.as_ref());
        let mut points = application.points.iter();
        points.any(|point| (point.index, point.subindex) == (index, subindex))
            || dictionary.is_some_and(|objects| objects.entry(index, subindex).is_some())
    }

    /// Makes the device at place `index` of the line; it is of no ESI file.
    ///
    /// # Errors
    /// With a JSON pointer that begins at the device.
    pub fn new(device: &DeviceDescription, index: usize) -> Result<Self, DescriptionError> {
        Self::of(device, index, &Library::default())
    }

    fn of(
        device: &DeviceDescription,
        index: usize,
        library: &Library,
    ) -> Result<Self, DescriptionError> {
        if device.r#type == Some(DeviceType::Stress) {
            return Self::of(&stress::described(device)?, index, library);
        }
        let (mut values_only, mut program, mut behind, mut slots) = (false, None, None, None);
        let mut mailbox = device.mailbox.clone();
        let sources = (&device.sii, &device.sii_words, &device.esi, device.r#type);
        let (sii, mut profile) = match sources {
            (Some(image), None, None, None) => given(device, image)?,
            (None, Some(words), None, None) => given(device, &state::sparse_image(words)?)?,
            (None, None, Some(esi), None) => {
                let built = esi::device(device, esi, library)?;
                mailbox = built.behind.mailbox(mailbox);
                slots = built.behind.slots(device.hot_swap.unwrap_or(false));
                behind = Some(built.behind);
                (built.sii, built.profile)
            }
            (None, None, None, Some(DeviceType::Generic)) => generic(device)?,
            (None, None, None, Some(kind)) => {
                let built = terminal::device(device, kind)?;
                values_only = built.values_only;
                program = built.program.clone();
                slots.clone_from(&built.slots);
                mailbox = mail::merge(built.mailbox.as_ref(), mailbox);
                terminal_image(device, built, mailbox.as_ref())?
            }
            _ => {
                const ONE: &str = "a device needs exactly one of type, sii, siiWords and esi";
                return Err(DescriptionError::new("", ONE));
            }
        };
        check_slots(device, slots.is_some())?;
        if let Some(esc) = &device.esc {
            state::apply_esc(esc, &mut profile)?;
        }
        profile.forward_port_ns = device.forward_ns.or(profile.forward_port_ns);
        profile.processing_ns = device.processing_ns.unwrap_or(profile.processing_ns);
        let start = device.start.as_ref().map(state::start).transpose()?.unwrap_or_default();
        let start = Start { known_words: state::known_words(device), ..start };
        // An image that does not parse is served as it is: finding that out is the MainDevice's part.
        let parsed = match &behind {
            // With the PDOs of its modules, which its EEPROM does not have.
            Some(behind) => behind.process_image.clone(),
            None => Sii::parse(&sii).unwrap_or_default(),
        };
        let emulated =
            profile.pdi_control.unwrap_or(parsed.configuration.pdi_control) & 0x0100 != 0;
        apply_clock(device, &mut profile)?;
        application::apply(device, &parsed, emulated, &mut profile.application)?;
        if let Some(behind) = &behind {
            behind.apply(emulated, &mut profile.application);
        }
        let mut process_data = process_data::of(&parsed);
        if values_only {
            process_data.keep_values();
        }
        let program = device.program.clone().or(program);
        if let Some(program) = &program {
            programs::add_fields(program, &mut process_data);
        }
        let (application, behind) = (&mut profile.application, behind.as_ref());
        let has = mail::Has { esi: behind, slots, sii: &parsed, index };
        mail::apply(mailbox.as_ref(), has, emulated, application, &mut process_data)?;
        profile.application.sync_managers = process_data.sync_managers;
        profile.application.inputs = process_data.input_areas;
        profile.application.outputs = process_data.output_areas;
        Ok(Self {
            name: device.name.clone().unwrap_or_else(|| format!("device {index}")),
            sii,
            profile,
            start,
            inputs: process_data.inputs,
            outputs: process_data.outputs,
            program,
            notes: behind.map_or_else(Vec::new, |behind| behind.notes().to_vec()),
        })
    }
}

/// Keys of slots belong to devices that have some.
fn check_slots(device: &DeviceDescription, has_slots: bool) -> Result<(), DescriptionError> {
    let of_type = device.r#type == Some(DeviceType::ModularCoupler);
    let keys = [
        ("/modules", device.modules.is_some() && !of_type),
        ("/hotSwap", device.hot_swap.is_some() && !has_slots),
    ];
    match keys.into_iter().find(|(_, wrong)| *wrong) {
        Some(("/modules", _)) if device.esi.is_some() => {
            Err(DescriptionError::new("/modules", "modules of an ESI file belong into esi"))
        }
        Some((path, _)) => {
            let message = "belongs to a modular-coupler, or a device of an ESI file with modules";
            Err(DescriptionError::new(path, message))
        }
        None => Ok(()),
    }
}

/// A device with an image of its own: the bytes as they are, but for overrides.
fn given(device: &DeviceDescription, image: &[u8]) -> Result<(Vec<u8>, Profile), DescriptionError> {
    let contradictions = [
        ("/channels", device.channels.is_some()),
        ("/pdos", device.pdos.is_some()),
        ("/orderName", device.order_name.is_some()),
        ("/dcModes", !device.dc_modes.is_empty()),
        ("/mailbox/bytes", device.mailbox.as_ref().is_some_and(|mailbox| mailbox.bytes.is_some())),
    ];
    if let Some((path, _)) = contradictions.into_iter().find(|(_, present)| *present) {
        return Err(DescriptionError::new(path, "is in the SII image already; it belongs to type"));
    }
    let mut sii = image.to_vec();
    overrides::patch(device, &mut sii)?;
    let mut profile = known::profile(image);
    if let Some(emulation) = device.device_emulation {
        let word = image.first_chunk().map_or(0, |bytes: &[u8; 2]| u16::from_le_bytes(*bytes));
        let control = profile.pdi_control.unwrap_or(word);
        profile.pdi_control = Some(overrides::with_emulation(control, emulation));
    }
    Ok((sii, profile))
}

/// A device with the PDOs of its description.
fn generic(device: &DeviceDescription) -> Result<(Vec<u8>, Profile), DescriptionError> {
    let (mut sii, profile) = generic::device(device)?;
    let built = image(device, sii.clone())?;
    sii.identity.product_code |= u32::from(generic::fingerprint(&built));
    // Unless the description names another one.
    Ok((image(device, sii)?, profile))
}

/// A device of another built-in type.
fn terminal_image(
    device: &DeviceDescription,
    mut built: Built,
    mailbox: Option<&MailboxDescription>,
) -> Result<(Vec<u8>, Profile), DescriptionError> {
    if let (Some(mailbox), true) = (mailbox, built.sii.mailbox.send_size > 0) {
        built.sii.protocols |= protocols::described(mailbox);
        if let Some(general) = &mut built.sii.general {
            protocols::announce(mailbox, general);
        }
    }
    let mut profile = built.profile;
    profile.application.refusals = built.refusals;
    if let (Some(emulation), Some(control)) = (device.device_emulation, profile.pdi_control) {
        profile.pdi_control = Some(overrides::with_emulation(control, emulation));
    }
    Ok((image(device, built.sii)?, profile))
}

fn image(device: &DeviceDescription, mut sii: Sii) -> Result<Vec<u8>, DescriptionError> {
    overrides::apply(device, &mut sii);
    sii::build(&sii).map_err(|error| DescriptionError::new("", error.to_string()))
}

fn apply_clock(device: &DeviceDescription, profile: &mut Profile) -> Result<(), DescriptionError> {
    const CLOCK_FEATURES: u16 = 0x010C;
    const DRIFT_PPM_MAX: f64 = 1_000.0;
    const JITTER_NS_MAX: u32 = 10_000;
    match device.distributed_clock {
        Some(true) => {
            profile.clock = ClockLevel::Full;
            profile.features |= CLOCK_FEATURES;
        }
        Some(false) => {
            profile.clock = ClockLevel::None;
            profile.features &= !CLOCK_FEATURES;
        }
        None => {}
    }
    let Some(clock) = &device.clock else { return Ok(()) };
    if !(-DRIFT_PPM_MAX..=DRIFT_PPM_MAX).contains(&clock.drift_ppm) {
        let message = format!("a clock drifts by at most {DRIFT_PPM_MAX} ppm");
        return Err(DescriptionError::new("/clock/driftPpm", message));
    }
    if clock.jitter_ns > JITTER_NS_MAX {
        let message = format!("is more than {JITTER_NS_MAX}");
        return Err(DescriptionError::new("/clock/jitterNs", message));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let drift_ppb = (clock.drift_ppm * 1e3).round() as i32;
    profile.clock_drift_ppb = drift_ppb;
    profile.clock_jitter_ns = clock.jitter_ns;
    profile.clock_offset_ns = clock.offset_ns;
    Ok(())
}
