//! A network card: EtherCAT frames over an AF_PACKET socket.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use ecat_wire::{Link, LinkError};

use super::sys;
use crate::error::{EngineError, ErrorCode};

/// How long an answer about the carrier is believed.
const CARRIER_AGE_NS: u64 = 10_000_000;

/// An interface of this machine, owned by one MainDevice at a time.
#[derive(Debug)]
pub struct PacketLink {
    socket: OwnedFd,
    interface: String,
    carrier: Cell<bool>,
    carrier_until_ns: Cell<u64>,
    /// The name is taken for as long as the descriptor is open, and freed by the kernel however the
    /// process ends. Abstract names belong to a network namespace, as interfaces do.
    _ownership: UnixDatagram,
}

impl PacketLink {
    /// Opens an interface for EtherCAT and takes ownership of it.
    ///
    /// # Errors
    /// `LinkInterfaceMissing`, `LinkBusy` (another MainDevice of any process has it), `LinkPermission`
    /// (no `CAP_NET_RAW`), `LinkDown` (not up, or without a carrier), `LinkOs` for the rest.
    pub fn open(interface: &str) -> Result<Self, EngineError> {
        let fail = |error: Error| failure(interface, &error);
        let index = sys::interface_index(interface).map_err(fail)?;
        let name = SocketAddr::from_abstract_name(format!("bifrost-ethercat/{interface}"))
            .map_err(fail)?;
        let ownership = UnixDatagram::bind_addr(&name).map_err(fail)?;
        let socket = sys::packet_socket(index).map_err(fail)?;
        if !sys::interface_is_up(socket.as_fd(), interface).map_err(fail)? {
            return Err(EngineError::new(
                ErrorCode::LinkDown,
                format!("interface {interface} is not up or has no carrier"),
            ));
        }
        Ok(Self {
            socket,
            interface: interface.to_owned(),
            carrier: Cell::new(true),
            carrier_until_ns: Cell::new(0),
            _ownership: ownership,
        })
    }
}

impl Link for PacketLink {
    fn send(&mut self, frame: &[u8], _now_ns: u64) -> Result<(), LinkError> {
        loop {
            match sys::send(self.socket.as_fd(), frame) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(link_error(&error)),
            }
        }
    }

    fn receive(&mut self, buffer: &mut [u8], _now_ns: u64) -> Result<Option<usize>, LinkError> {
        loop {
            match sys::receive(self.socket.as_fd(), buffer) {
                Ok(length) if length <= buffer.len() => return Ok(Some(length)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(link_error(&error)),
            }
        }
    }

    fn poll_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn is_up(&self) -> bool {
        let now = sys::monotonic_ns();
        if now >= self.carrier_until_ns.get() {
            let up = sys::interface_is_up(self.socket.as_fd(), &self.interface);
            self.carrier.set(up.unwrap_or(false));
            self.carrier_until_ns.set(now + CARRIER_AGE_NS);
        }
        self.carrier.get()
    }
}

fn link_error(error: &Error) -> LinkError {
    match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => LinkError::Full,
        Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV | libc::ENETUNREACH) => LinkError::Down,
        other => LinkError::Os(other.unwrap_or(0)),
    }
}

fn failure(interface: &str, error: &Error) -> EngineError {
    let (code, what) = match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => (
            ErrorCode::LinkPermission,
            format!("a raw socket on interface {interface} needs CAP_NET_RAW"),
        ),
        Some(libc::ENODEV | libc::ENXIO) => {
            (ErrorCode::LinkInterfaceMissing, format!("there is no network interface {interface}"))
        }
        Some(libc::EADDRINUSE) => {
            (ErrorCode::LinkBusy, format!("another MainDevice has interface {interface} open"))
        }
        Some(libc::ENETDOWN) => (ErrorCode::LinkDown, format!("interface {interface} is down")),
        _ => (ErrorCode::LinkOs, format!("interface {interface}: {error}")),
    };
    EngineError::new(code, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_named() {
        let error = PacketLink::open("bifrost-none").unwrap_err();
        assert_eq!(error.first.code, ErrorCode::LinkInterfaceMissing);
        assert!(error.first.message.contains("bifrost-none"));
    }

    #[test]
    fn an_interface_has_one_owner_at_a_time() {
        match PacketLink::open("lo") {
            Ok(first) => {
                assert_eq!(PacketLink::open("lo").unwrap_err().first.code, ErrorCode::LinkBusy);
                assert!(first.is_up());
                drop(first);
                PacketLink::open("lo").unwrap();
            }
            Err(error) => assert!(
                matches!(error.first.code, ErrorCode::LinkPermission | ErrorCode::LinkBusy),
                "{error}"
            ),
        }
    }

    #[test]
    fn system_errors_become_link_errors() {
        let of = |number| link_error(&Error::from_raw_os_error(number));
        assert_eq!(of(libc::ENOBUFS), LinkError::Full);
        assert_eq!(of(libc::ENETDOWN), LinkError::Down);
        assert_eq!(of(libc::EMSGSIZE), LinkError::Os(libc::EMSGSIZE));
        let failed = |number| failure("eth0", &Error::from_raw_os_error(number)).first.code;
        assert_eq!(failed(libc::EPERM), ErrorCode::LinkPermission);
        assert_eq!(failed(libc::EACCES), ErrorCode::LinkPermission);
        assert_eq!(failed(libc::ENODEV), ErrorCode::LinkInterfaceMissing);
        assert_eq!(failed(libc::EADDRINUSE), ErrorCode::LinkBusy);
        assert_eq!(failed(libc::ENOMEM), ErrorCode::LinkOs);
    }
}
