//! What an ADS device is asked.

use super::super::MailError;
use super::super::cursor::Reader;
use super::{Header, command};

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Name and version.
    DeviceInfo,
    /// Read so many bytes.
    Read {
        /// Index group.
        group: u32,
        /// Index offset.
        offset: u32,
        /// At most so many bytes.
        length: u32,
    },
    /// Write.
    Write {
        /// Index group.
        group: u32,
        /// Index offset.
        offset: u32,
        /// What.
        data: &'a [u8],
    },
    /// The states.
    ReadState,
    /// Take these states.
    WriteControl {
        /// ADS state ([`super::state`]).
        ads_state: u16,
        /// The device's own.
        device_state: u16,
        /// What goes with it.
        data: &'a [u8],
    },
    /// Tell changes.
    AddNotification {
        /// Index group.
        group: u32,
        /// Index offset.
        offset: u32,
        /// Bytes of the value.
        length: u32,
        /// When to tell: 3 in cycles, 4 on change.
        mode: u32,
        /// Tell at the latest after this, in 100 ns.
        maximum_delay: u32,
        /// Look so often, in 100 ns.
        cycle_time: u32,
    },
    /// Tell them no longer.
    DeleteNotification {
        /// From the answer to the request for it.
        handle: u32,
    },
    /// Write, then read.
    ReadWrite {
        /// Index group.
        group: u32,
        /// Index offset.
        offset: u32,
        /// At most so many bytes come back.
        read_length: u32,
        /// What to write.
        data: &'a [u8],
    },
}

const RESERVED: [u8; 16] = [0; 16];

impl<'a> Request<'a> {
    /// Reads the data of a request with this command.
    ///
    /// # Errors
    /// When it is short, or the command is no request's.
    pub fn parse(code: u16, data: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(data);
        let mut number = || reader.u32("ADS request");
        let sized = |reader: &mut Reader<'a>, length: u32| {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            reader.bytes(length, "ADS data")
        };
        Ok(match code {
            command::READ_DEVICE_INFO => Self::DeviceInfo,
            command::READ => Self::Read { group: number()?, offset: number()?, length: number()? },
            command::WRITE => {
                let (group, offset, length) = (number()?, number()?, number()?);
                Self::Write { group, offset, data: sized(&mut reader, length)? }
            }
            command::READ_STATE => Self::ReadState,
            command::WRITE_CONTROL => {
                let (ads_state, device_state) =
                    (reader.u16("ADS request")?, reader.u16("ADS request")?);
                let length = reader.u32("ADS request")?;
                Self::WriteControl { ads_state, device_state, data: sized(&mut reader, length)? }
            }
            command::ADD_NOTIFICATION => {
                let request = Self::AddNotification {
                    group: number()?,
                    offset: number()?,
                    length: number()?,
                    mode: number()?,
                    maximum_delay: number()?,
                    cycle_time: number()?,
                };
                reader.bytes(RESERVED.len(), "ADS request")?;
                request
            }
            command::DELETE_NOTIFICATION => Self::DeleteNotification { handle: number()? },
            command::READ_WRITE => {
                let (group, offset, read_length, length) =
                    (number()?, number()?, number()?, number()?);
                Self::ReadWrite { group, offset, read_length, data: sized(&mut reader, length)? }
            }
            value => {
                return Err(MailError::Unknown { what: "ADS command", value: u32::from(value) });
            }
        })
    }

    /// Its command.
    #[must_use]
    pub const fn command(&self) -> u16 {
        match self {
            Self::DeviceInfo => command::READ_DEVICE_INFO,
            Self::Read { .. } => command::READ,
            Self::Write { .. } => command::WRITE,
            Self::ReadState => command::READ_STATE,
            Self::WriteControl { .. } => command::WRITE_CONTROL,
            Self::AddNotification { .. } => command::ADD_NOTIFICATION,
            Self::DeleteNotification { .. } => command::DELETE_NOTIFICATION,
            Self::ReadWrite { .. } => command::READ_WRITE,
        }
    }

    /// Writes the body of a mail; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, header: &Header, buffer: &mut [u8]) -> Result<usize, MailError> {
        let length = |data: &[u8]| u32::try_from(data.len()).map_err(|_| MailError::NoRoom);
        header.emit_with(self.command(), buffer, |writer| {
            match *self {
                Self::DeviceInfo | Self::ReadState => {}
                Self::Read { group, offset, length } => {
                    writer.u32(group)?.u32(offset)?.u32(length)?;
                }
                Self::Write { group, offset, data } => {
                    writer.u32(group)?.u32(offset)?.u32(length(data)?)?.bytes(data)?;
                }
                Self::WriteControl { ads_state, device_state, data } => {
                    writer.u16(ads_state)?.u16(device_state)?.u32(length(data)?)?.bytes(data)?;
                }
                Self::AddNotification {
                    group,
                    offset,
                    length,
                    mode,
                    maximum_delay,
                    cycle_time,
                } => {
                    for number in [group, offset, length, mode, maximum_delay, cycle_time] {
                        writer.u32(number)?;
                    }
                    writer.bytes(&RESERVED)?;
                }
                Self::DeleteNotification { handle } => {
                    writer.u32(handle)?;
                }
                Self::ReadWrite { group, offset, read_length, data } => {
                    writer.u32(group)?.u32(offset)?.u32(read_length)?.u32(length(data)?)?;
                    writer.bytes(data)?;
                }
            }
            Ok(())
        })
    }
}
