//! What an ADS device answers. Every answer begins with a result; what follows an error says nothing.

use super::super::MailError;
use super::super::cursor::Reader;
use super::{AdsError, Header, command};

const NAME_BYTES: usize = 16;

/// Who a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Version.
    pub major: u8,
    /// Version.
    pub minor: u8,
    /// Build.
    pub build: u16,
    /// Name, with zeros behind it.
    pub name: [u8; NAME_BYTES],
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// Name and version.
    DeviceInfo(AdsError, DeviceInfo),
    /// What was read.
    Read(AdsError, &'a [u8]),
    /// Whether it was written.
    Write(AdsError),
    /// The states: ADS' and the device's own.
    ReadState(AdsError, u16, u16),
    /// Whether the states were taken.
    WriteControl(AdsError),
    /// The handle of what is told.
    AddNotification(AdsError, u32),
    /// Whether it is told no longer.
    DeleteNotification(AdsError),
    /// What was read after a write.
    ReadWrite(AdsError, &'a [u8]),
}

impl<'a> Response<'a> {
    /// Reads the data of an answer with this command.
    ///
    /// # Errors
    /// When it is short, or the command has no answer.
    pub fn parse(code: u16, data: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(data);
        let result = AdsError(reader.u32("ADS result")?);
        let sized = |mut reader: Reader<'a>| -> Result<&'a [u8], MailError> {
            let length = reader.u32("ADS answer")?;
            reader.bytes(usize::try_from(length).unwrap_or(usize::MAX), "ADS data")
        };
        Ok(match code {
            command::READ_DEVICE_INFO => Self::DeviceInfo(
                result,
                DeviceInfo {
                    major: reader.u8("ADS answer")?,
                    minor: reader.u8("ADS answer")?,
                    build: reader.u16("ADS answer")?,
                    name: reader.array("ADS answer")?,
                },
            ),
            command::READ => Self::Read(result, sized(reader)?),
            command::WRITE => Self::Write(result),
            command::READ_STATE => {
                Self::ReadState(result, reader.u16("ADS answer")?, reader.u16("ADS answer")?)
            }
            command::WRITE_CONTROL => Self::WriteControl(result),
            command::ADD_NOTIFICATION => Self::AddNotification(result, reader.u32("ADS answer")?),
            command::DELETE_NOTIFICATION => Self::DeleteNotification(result),
            command::READ_WRITE => Self::ReadWrite(result, sized(reader)?),
            value => {
                return Err(MailError::Unknown { what: "ADS command", value: u32::from(value) });
            }
        })
    }

    /// Its command.
    #[must_use]
    pub const fn command(&self) -> u16 {
        match self {
            Self::DeviceInfo(..) => command::READ_DEVICE_INFO,
            Self::Read(..) => command::READ,
            Self::Write(_) => command::WRITE,
            Self::ReadState(..) => command::READ_STATE,
            Self::WriteControl(_) => command::WRITE_CONTROL,
            Self::AddNotification(..) => command::ADD_NOTIFICATION,
            Self::DeleteNotification(_) => command::DELETE_NOTIFICATION,
            Self::ReadWrite(..) => command::READ_WRITE,
        }
    }

    /// Writes the body of a mail behind the header of the answer to a request ([`Header::answer`]); returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, header: &Header, buffer: &mut [u8]) -> Result<usize, MailError> {
        header.emit_with(self.command(), buffer, |writer| {
            match *self {
                Self::DeviceInfo(result, info) => {
                    writer.u32(result.0)?.u8(info.major)?.u8(info.minor)?.u16(info.build)?;
                    writer.bytes(&info.name)?;
                }
                Self::Read(result, data) | Self::ReadWrite(result, data) => {
                    let length = u32::try_from(data.len()).map_err(|_| MailError::NoRoom)?;
                    writer.u32(result.0)?.u32(length)?.bytes(data)?;
                }
                Self::Write(result)
                | Self::WriteControl(result)
                | Self::DeleteNotification(result) => {
                    writer.u32(result.0)?;
                }
                Self::ReadState(result, ads_state, device_state) => {
                    writer.u32(result.0)?.u16(ads_state)?.u16(device_state)?;
                }
                Self::AddNotification(result, handle) => {
                    writer.u32(result.0)?.u32(handle)?;
                }
            }
            Ok(())
        })
    }
}
