//! The device's side of file access over EtherCAT (ETG1000.6, "FoE").

use ecat_wire::mailbox::foe::{FoeError, HEADER_BYTES, Packet};
use ecat_wire::mailbox::{ErrorDetail, Kind, MailError};

use super::Outbox;

const BOOT: u8 = 3;
/// The most that a file may have, in bytes.
pub const FILE_BYTES_MAX: usize = 16 << 20;

/// One file of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Name, compared byte by byte.
    pub name: String,
    /// Content; empty until something is written.
    pub content: Vec<u8>,
    /// Whether it can be read.
    pub readable: bool,
    /// Whether it can be written.
    pub writable: bool,
    /// Only in BOOT, as firmware.
    pub boot_only: bool,
    /// What a request must carry; 0: none.
    pub password: u32,
    /// How many times the device says that it is busy before it takes a packet.
    pub busy_answers: u16,
}

#[derive(Clone, Debug, Default)]
enum Transfer {
    #[default]
    None,
    /// Sends `content`; packet `number` is on its way and ends at `end`.
    Read { content: Vec<u8>, number: u32, start: usize, end: usize },
    /// Takes packets; `number` was the last one.
    Write { file: usize, content: Vec<u8>, number: u32, busy: u16 },
}

/// The files, and the transfer under way.
#[derive(Clone, Debug)]
pub(super) struct Foe {
    pub(super) files: Vec<File>,
    transfer: Transfer,
}

impl Foe {
    pub(super) fn new(files: Vec<File>) -> Self {
        Self { files, transfer: Transfer::None }
    }

    /// Forgets a transfer, as the mailbox does when it stops.
    pub(super) fn stop(&mut self) {
        self.transfer = Transfer::None;
    }

    /// Takes one mail; what it answers goes to the outbox. `receive_bytes` is what a mail's body can have.
    pub(super) fn receive(
        &mut self,
        body: &[u8],
        state: u8,
        receive_bytes: usize,
        outbox: &mut Outbox,
    ) -> Result<(), ErrorDetail> {
        let packet = match Packet::parse(body) {
            Ok(packet) => packet,
            Err(MailError::Unknown { .. }) => {
                self.fail(FoeError::ILLEGAL, outbox);
                return Ok(());
            }
            Err(_) => return Err(ErrorDetail::SizeTooShort),
        };
        let result = match packet {
            Packet::ReadRequest { password, name } => {
                self.transfer = Transfer::None;
                self.open(password, name, state, |file| file.readable).map(|file| {
                    let content = self.files[file].content.clone();
                    self.transfer = Transfer::Read { content, number: 0, start: 0, end: 0 };
                    self.send_next(outbox);
                })
            }
            Packet::WriteRequest { password, name } => {
                self.transfer = Transfer::None;
                self.open(password, name, state, |file| file.writable).map(|file| {
                    let busy = self.files[file].busy_answers;
                    self.transfer = Transfer::Write { file, content: Vec::new(), number: 0, busy };
                    outbox.file(&Packet::Acknowledge { number: 0 });
                })
            }
            Packet::Data { number, data } => {
                self.take(number, data, receive_bytes.saturating_sub(HEADER_BYTES), outbox)
            }
            Packet::Acknowledge { number } => self.acknowledged(number, outbox),
            Packet::Busy { .. } => self.send_again(outbox),
            Packet::Error { .. } => {
                self.transfer = Transfer::None;
                Ok(())
            }
        };
        if let Err(code) = result {
            self.fail(code, outbox);
        }
        Ok(())
    }

    pub(super) fn fail(&mut self, code: FoeError, outbox: &mut Outbox) {
        self.transfer = Transfer::None;
        outbox.file(&Packet::Error { code, text: code.text().as_bytes() });
    }

    fn open(
        &self,
        password: u32,
        name: &[u8],
        state: u8,
        allowed: impl FnOnce(&File) -> bool,
    ) -> Result<usize, FoeError> {
        // Some MainDevices send the terminating zero of their strings along.
        let name = name.split(|&byte| byte == 0).next().unwrap_or(name);
        let place = self.files.iter().position(|file| file.name.as_bytes() == name);
        let file = place.ok_or(FoeError::NOT_FOUND)?;
        let known = &self.files[file];
        if known.boot_only && state != BOOT {
            return Err(FoeError::BOOTSTRAP_ONLY);
        }
        if known.password != 0 && known.password != password {
            return Err(FoeError::NO_RIGHTS);
        }
        if allowed(known) { Ok(file) } else { Err(FoeError::ACCESS) }
    }

    /// Sends the packet behind the one that was acknowledged.
    fn send_next(&mut self, outbox: &mut Outbox) {
        let Transfer::Read { content, number, start, end } = &mut self.transfer else { return };
        let room = outbox.body_bytes().saturating_sub(HEADER_BYTES);
        *start = *end;
        *end = content.len().min(*start + room);
        *number = number.wrapping_add(1);
        let packet = Packet::Data { number: *number, data: &content[*start..*end] };
        outbox.file(&packet);
    }

    fn send_again(&mut self, outbox: &mut Outbox) -> Result<(), FoeError> {
        let Transfer::Read { content, number, start, end } = &self.transfer else {
            return Err(FoeError::ILLEGAL);
        };
        outbox.file(&Packet::Data { number: *number, data: &content[*start..*end] });
        Ok(())
    }

    fn acknowledged(&mut self, packet: u32, outbox: &mut Outbox) -> Result<(), FoeError> {
        let Transfer::Read { number, start, end, .. } = &self.transfer else {
            return Err(FoeError::ILLEGAL);
        };
        if packet != *number {
            return Err(FoeError::PACKET_NUMBER);
        }
        if end - start < outbox.body_bytes().saturating_sub(HEADER_BYTES) {
            // A short packet was the last one, even an empty one.
            self.transfer = Transfer::None;
        } else {
            self.send_next(outbox);
        }
        Ok(())
    }

    fn take(
        &mut self,
        packet: u32,
        data: &[u8],
        room: usize,
        outbox: &mut Outbox,
    ) -> Result<(), FoeError> {
        let Transfer::Write { file, content, number, busy } = &mut self.transfer else {
            return Err(FoeError::ILLEGAL);
        };
        if packet != number.wrapping_add(1) {
            return Err(FoeError::PACKET_NUMBER);
        }
        if *busy > 0 {
            *busy -= 1;
            let entire = self.files[*file].busy_answers;
            outbox.file(&Packet::Busy { done: entire - *busy, entire, text: b"" });
            return Ok(());
        }
        if content.len() + data.len() > FILE_BYTES_MAX {
            return Err(FoeError::DISK_FULL);
        }
        content.extend_from_slice(data);
        *number = packet;
        *busy = self.files[*file].busy_answers;
        outbox.file(&Packet::Acknowledge { number: packet });
        if data.len() < room {
            self.files[*file].content = std::mem::take(content);
            self.transfer = Transfer::None;
        }
        Ok(())
    }
}

/// The device has no time for a packet.
pub(super) fn say_busy(outbox: &mut Outbox) {
    outbox.file(&Packet::Busy { done: 0, entire: 0, text: b"" });
}

impl Outbox {
    fn file(&mut self, packet: &Packet<'_>) {
        self.push(Kind::Foe, |buffer| packet.emit(buffer));
    }
}
