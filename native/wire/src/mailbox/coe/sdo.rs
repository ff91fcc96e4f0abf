//! SDO transfers (CoE services 2 and 3; ETG1000.6, "SDO services").
//!
//! ```text
//! first mail    command u8, index u16, subindex u8, then 4 bytes: the data, or its size (and the data
//!               behind, as far as the mailbox holds it)
//! segments      command u8, data: at least 7 bytes, the command says how many of 7 are padding
//! command       bits 5–7 what, 4 complete access or toggle, 2–3 (or 1–3) unused bytes, 1 expedited,
//!               0 size given, or last segment
//! ```
//! An abort is command 0x80 in service 2, whichever side sends it; devices that use service 3 are seen,
//! so both are read.

use super::{AbortCode, Address, Service};
use crate::mailbox::MailError;
use crate::mailbox::cursor::{Reader, Writer};

const EXPEDITED_BYTES: usize = 4;
const SEGMENT_BYTES_MIN: usize = 7;

const SIZE_GIVEN: u8 = 0x01;
const EXPEDITED: u8 = 0x02;
const LAST: u8 = 0x01;
const TOGGLE_OR_COMPLETE: u8 = 0x10;
const ABORT: u8 = 0x80;

/// Bytes of a first mail before data that does not fit into its four bytes, CoE header included.
pub const NORMAL_HEADER_BYTES: usize = 10;
/// Bytes of a segment before its data, CoE header included.
pub const SEGMENT_HEADER_BYTES: usize = 3;

/// The data that a first mail carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// Up to four bytes in the mail's fixed part. The length is that of the slice.
    Expedited(&'a [u8]),
    /// Four bytes without a size: the object's length counts.
    ExpeditedWithoutSize(&'a [u8]),
    /// As much of `size` bytes as the mail holds; segments follow if that is less.
    Normal {
        /// Bytes of the whole.
        size: u32,
        /// The first ones.
        data: &'a [u8],
    },
}

/// What a MainDevice asks (service 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Begin a download (write).
    Download(Address, Data<'a>),
    /// The next part of a download.
    DownloadSegment {
        /// Changes with every segment, 0 first.
        toggle: bool,
        /// No further one follows.
        last: bool,
        /// The part.
        data: &'a [u8],
    },
    /// Begin an upload (read).
    Upload(Address),
    /// The next part of an upload, please.
    UploadSegment {
        /// Changes with every segment, 0 first.
        toggle: bool,
    },
    /// No more of this transfer.
    Abort(Address, AbortCode),
}

/// What a SubDevice answers (service 3; an abort service 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// The download has begun, or is done if it was of one mail.
    Download(Address),
    /// The segment was taken.
    DownloadSegment {
        /// As in the request.
        toggle: bool,
    },
    /// The object, or its beginning.
    Upload(Address, Data<'a>),
    /// A part of the object.
    UploadSegment {
        /// As in the request.
        toggle: bool,
        /// No further one follows.
        last: bool,
        /// The part.
        data: &'a [u8],
    },
    /// No.
    Abort(Address, AbortCode),
}

impl<'a> Request<'a> {
    /// Reads what follows the CoE header of service 2.
    ///
    /// # Errors
    /// When it is short, or the command is unknown.
    pub fn parse(payload: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(payload);
        let command = reader.u8("SDO command")?;
        let flag = command & TOGGLE_OR_COMPLETE != 0;
        Ok(match command >> 5 {
            0 => Self::DownloadSegment {
                toggle: flag,
                last: command & LAST != 0,
                data: segment(command, reader.rest()),
            },
            1 => {
                let address = address(command, &mut reader)?;
                Self::Download(address, first_data(command, &mut reader)?)
            }
            2 => Self::Upload(address(command, &mut reader)?),
            3 => Self::UploadSegment { toggle: flag },
            4 => {
                let (address, code) = abort(command, &mut reader)?;
                Self::Abort(address, code)
            }
            _ => return Err(unknown(command)),
        })
    }

    /// Writes the body, CoE header included; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        writer.bytes(&Service::SdoRequest.header())?;
        match *self {
            Self::Download(address, data) => put_first(&mut writer, 0x20, address, data)?,
            Self::DownloadSegment { toggle, last, data } => {
                put_segment(&mut writer, toggle, last, data)?;
            }
            Self::Upload(address) => {
                put_address(&mut writer, 0x40, address)?.u32(0)?;
            }
            Self::UploadSegment { toggle } => {
                writer.u8(0x60 | flag(toggle))?.bytes(&[0; SEGMENT_BYTES_MIN])?;
            }
            Self::Abort(address, code) => put_abort(&mut writer, address, code)?,
        }
        Ok(writer.length())
    }
}

impl<'a> Response<'a> {
    /// Reads what follows the CoE header of service 3, or of service 2 with an abort.
    ///
    /// # Errors
    /// When it is short, or the command is unknown.
    pub fn parse(payload: &'a [u8]) -> Result<Self, MailError> {
        let mut reader = Reader(payload);
        let command = reader.u8("SDO command")?;
        let flag = command & TOGGLE_OR_COMPLETE != 0;
        Ok(match command >> 5 {
            0 => Self::UploadSegment {
                toggle: flag,
                last: command & LAST != 0,
                data: segment(command, reader.rest()),
            },
            1 => Self::DownloadSegment { toggle: flag },
            2 => {
                let address = address(command, &mut reader)?;
                Self::Upload(address, first_data(command, &mut reader)?)
            }
            3 => Self::Download(address(command, &mut reader)?),
            4 => {
                let (address, code) = abort(command, &mut reader)?;
                Self::Abort(address, code)
            }
            _ => return Err(unknown(command)),
        })
    }

    /// Writes the body, CoE header included; returns its bytes.
    ///
    /// # Errors
    /// [`MailError::NoRoom`].
    pub fn emit(&self, buffer: &mut [u8]) -> Result<usize, MailError> {
        let mut writer = Writer::new(buffer);
        let service = match self {
            Self::Abort(..) => Service::SdoRequest,
            _ => Service::SdoResponse,
        };
        writer.bytes(&service.header())?;
        match *self {
            Self::Download(address) => {
                put_address(&mut writer, 0x60, address)?.u32(0)?;
            }
            Self::DownloadSegment { toggle } => {
                writer.u8(0x20 | flag(toggle))?.bytes(&[0; SEGMENT_BYTES_MIN])?;
            }
            Self::Upload(address, data) => put_first(&mut writer, 0x40, address, data)?,
            Self::UploadSegment { toggle, last, data } => {
                put_segment(&mut writer, toggle, last, data)?;
            }
            Self::Abort(address, code) => put_abort(&mut writer, address, code)?,
        }
        Ok(writer.length())
    }
}

const fn flag(set: bool) -> u8 {
    if set { TOGGLE_OR_COMPLETE } else { 0 }
}

fn address(command: u8, reader: &mut Reader<'_>) -> Result<Address, MailError> {
    Ok(Address {
        index: reader.u16("object index")?,
        subindex: reader.u8("subindex")?,
        complete: command & TOGGLE_OR_COMPLETE != 0,
    })
}

fn first_data<'a>(command: u8, reader: &mut Reader<'a>) -> Result<Data<'a>, MailError> {
    let rest = reader.0;
    if command & EXPEDITED == 0 {
        let size = reader.u32("SDO size")?;
        let data = reader.rest();
        return Ok(Data::Normal {
            size,
            data: &data[..data.len().min(usize::try_from(size).unwrap_or(usize::MAX))],
        });
    }
    let data = rest.get(..EXPEDITED_BYTES).ok_or(MailError::Short("SDO data"))?;
    if command & SIZE_GIVEN == 0 {
        return Ok(Data::ExpeditedWithoutSize(data));
    }
    Ok(Data::Expedited(&data[..EXPEDITED_BYTES - usize::from(command >> 2 & 0x03)]))
}

/// Only a body of seven bytes may have padding; a shorter one is taken as it is.
fn segment(command: u8, data: &[u8]) -> &[u8] {
    let unused = usize::from(command >> 1 & 0x07);
    if data.len() == SEGMENT_BYTES_MIN { &data[..SEGMENT_BYTES_MIN - unused] } else { data }
}

fn put_address<'w, 'b>(
    writer: &'w mut Writer<'b>,
    command: u8,
    address: Address,
) -> Result<&'w mut Writer<'b>, MailError> {
    writer.u8(command | flag(address.complete))?.u16(address.index)?.u8(address.subindex)
}

fn put_first(
    writer: &mut Writer<'_>,
    command: u8,
    address: Address,
    data: Data<'_>,
) -> Result<(), MailError> {
    match data {
        Data::Expedited(bytes) => {
            let length = bytes.len();
            if length == 0 || length > EXPEDITED_BYTES {
                return Err(MailError::NoRoom);
            }
            let unused = (EXPEDITED_BYTES - length) as u8;
            put_address(writer, command | EXPEDITED | SIZE_GIVEN | unused << 2, address)?;
            let mut four = [0; EXPEDITED_BYTES];
            four[..length].copy_from_slice(bytes);
            writer.bytes(&four)?;
        }
        Data::ExpeditedWithoutSize(bytes) => {
            let four = bytes.first_chunk::<EXPEDITED_BYTES>().ok_or(MailError::NoRoom)?;
            put_address(writer, command | EXPEDITED, address)?.bytes(four)?;
        }
        Data::Normal { size, data } => {
            put_address(writer, command | SIZE_GIVEN, address)?.u32(size)?.bytes(data)?;
        }
    }
    Ok(())
}

fn put_segment(
    writer: &mut Writer<'_>,
    toggle: bool,
    last: bool,
    data: &[u8],
) -> Result<(), MailError> {
    let unused = SEGMENT_BYTES_MIN.saturating_sub(data.len());
    let last = if last { LAST } else { 0 };
    let command = flag(toggle) | (unused as u8) << 1 | last;
    writer.u8(command)?.bytes(data)?.bytes(&[0; SEGMENT_BYTES_MIN][..unused])?;
    Ok(())
}

/// The address and the code of an abort, which has no complete access.
fn abort(command: u8, reader: &mut Reader<'_>) -> Result<(Address, AbortCode), MailError> {
    let address = Address { complete: false, ..address(command, reader)? };
    Ok((address, AbortCode(reader.u32("abort code")?)))
}

fn unknown(command: u8) -> MailError {
    MailError::Unknown { what: "SDO command", value: u32::from(command) }
}

fn put_abort(writer: &mut Writer<'_>, address: Address, code: AbortCode) -> Result<(), MailError> {
    put_address(writer, ABORT, Address { complete: false, ..address })?.u32(code.0)?;
    Ok(())
}
