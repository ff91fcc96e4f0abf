//! The device's side of a vendor's own protocol: scripted answers, and an echo.

use ecat_wire::mailbox::voe::Message;
use ecat_wire::mailbox::{ErrorDetail, Kind};

use super::Outbox;

/// What a device does with such mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VoeSettings {
    /// The vendor.
    pub vendor_id: u32,
    /// Which of its protocols; none: any.
    pub vendor_type: Option<u16>,
    /// Whether it sends back what no answer is described for.
    pub echo: bool,
    /// What it answers to which data.
    pub answers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Takes one mail. Another vendor's is a protocol that the device does not have (assumed: no document at hand says
/// what devices do with it).
pub(super) fn receive(
    settings: &VoeSettings,
    body: &[u8],
    outbox: &mut Outbox,
) -> Result<(), ErrorDetail> {
    let message = Message::parse(body).map_err(|_| ErrorDetail::SizeTooShort)?;
    let known = message.vendor_id == settings.vendor_id
        && settings.vendor_type.is_none_or(|known| known == message.vendor_type);
    if !known {
        return Err(ErrorDetail::UnsupportedProtocol);
    }
    let scripted = settings.answers.iter().find(|(request, _)| request == message.data);
    let data = scripted.map(|(_, answer)| answer.as_slice());
    if let Some(data) = data.or(settings.echo.then_some(message.data)) {
        let answer = Message { data, ..message };
        outbox.push(Kind::Voe, |buffer| answer.emit(buffer));
    }
    Ok(())
}
