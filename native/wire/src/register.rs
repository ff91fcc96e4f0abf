//! The registers of an ESC (EtherCAT SubDevice controller) by their addresses.
//!
//! Widths are in bytes, everything is little-endian. Source: Beckhoff's ESC data sheet, section II,
//! "Register description"; ETG1000.4, tables 31 to 61.

use crate::fmmu::FMMU_BYTES;
use crate::sync_manager::SYNC_MANAGER_BYTES;

macro_rules! registers {
    ($($(#[doc = $doc:literal])+ $name:ident = $address:literal, $bytes:literal, $text:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: u16 = $address;)+

        /// Address, width and name of every register above, ascending.
        const TABLE: &[(u16, u16, &str)] = &[$(($address, $bytes, $text)),+];
    };
}

registers! {
    /// 1 byte: type of the ESC (0x11 EK1100's, 0x12 ET1200, 0xC0 LAN9252 …).
    TYPE = 0x0000, 1, "type";
    /// 1 byte: revision of the ESC.
    REVISION = 0x0001, 1, "revision";
    /// 2 bytes: build of the ESC.
    BUILD = 0x0002, 2, "build";
    /// 1 byte: number of FMMUs.
    FMMU_COUNT = 0x0004, 1, "FMMU count";
    /// 1 byte: number of SyncManagers.
    SM_COUNT = 0x0005, 1, "SyncManager count";
    /// 1 byte: process RAM in KB, from 0x1000 on.
    RAM_SIZE = 0x0006, 1, "RAM size";
    /// 1 byte: two bits a port; 0 not there, 1 not configured, 2 E-bus, 3 MII or RMII.
    PORT_DESCRIPTOR = 0x0007, 1, "port descriptor";
    /// 2 bytes: bit 0 FMMUs not bitwise, 2 distributed clocks, 3 64-bit clocks, 7 separate FCS counting,
    /// 8 enhanced SYNC activation, 9 no LRW, 10 no BRW/APRW/FPRW, 11 fixed FMMUs and SyncManagers.
    FEATURES = 0x0008, 2, "features";
    /// 2 bytes: station address, given by the MainDevice; 0 after power-on.
    STATION_ADDRESS = 0x0010, 2, "station address";
    /// 2 bytes: station alias, loaded from the SII at power-on.
    STATION_ALIAS = 0x0012, 2, "station alias";
    /// 1 byte: writing it, whatever the value, allows writes to protected registers within this frame.
    REGISTER_WRITE_ENABLE = 0x0020, 1, "register write enable";
    /// 1 byte: bit 0 protects registers 0x0000–0x0F7F.
    REGISTER_WRITE_PROTECTION = 0x0021, 1, "register write protection";
    /// 1 byte: writing it, whatever the value, allows writes within this frame.
    ESC_WRITE_ENABLE = 0x0030, 1, "ESC write enable";
    /// 1 byte: bit 0 protects all memory.
    ESC_WRITE_PROTECTION = 0x0031, 1, "ESC write protection";
    /// 1 byte: "R", "E", "S" one after another reset the ESC.
    RESET_ECAT = 0x0040, 1, "ESC reset by the MainDevice";
    /// 1 byte: the same from the device's side.
    RESET_PDI = 0x0041, 1, "ESC reset by the device";
    /// 4 bytes: bit 0 no forwarding of non-EtherCAT frames, bit 1 temporary; byte 0x0101 two bits a port
    /// (auto, auto-close, open, closed); 0x0102 RX FIFO; 0x0103 bit 0 station alias enable.
    DL_CONTROL = 0x0100, 4, "DL control";
    /// 2 bytes: offset added between read and write of a frame.
    RW_OFFSET = 0x0108, 2, "read/write offset";
    /// 2 bytes: bit 0 PDI operational, 1 PDI watchdog, 2 enhanced link detection, 4–7 link per port, then
    /// per port from bit 8 a pair (loop closed, communication).
    DL_STATUS = 0x0110, 2, "DL status";
    /// 2 bytes: bits 0–3 requested AL state, 4 acknowledge, 5 request identification.
    AL_CONTROL = 0x0120, 2, "AL control";
    /// 2 bytes: bits 0–3 AL state, 4 error, 5 identification loaded.
    AL_STATUS = 0x0130, 2, "AL status";
    /// 2 bytes: why the last request was refused, or the identification. See [`crate::al`].
    AL_STATUS_CODE = 0x0134, 2, "AL status code";
    /// 1 byte: process-data interface (0 none, 4 digital I/O, 5 SPI, 8 16-bit µC …).
    PDI_CONTROL = 0x0140, 1, "PDI control";
    /// 1 byte: bit 0 device emulation (AL status follows AL control), 1 enhanced link detection on all
    /// ports, 2 SYNC unit, 3 latch unit, 4–7 enhanced link detection per port.
    ESC_CONFIGURATION = 0x0141, 1, "ESC configuration";
    /// 4 bytes: configuration of the process-data interface.
    PDI_CONFIGURATION = 0x0150, 4, "PDI configuration";
    /// 2 bytes: which ECAT events show in the IRQ field of a datagram.
    ECAT_EVENT_MASK = 0x0200, 2, "ECAT event mask";
    /// 4 bytes: which events interrupt the device.
    PDI_EVENT_MASK = 0x0204, 4, "PDI event mask";
    /// 2 bytes: bit 0 DC latch, 2 DL status, 3 AL status, 4–11 mirrors of the SyncManager status.
    ECAT_EVENT = 0x0210, 2, "ECAT event";
    /// 4 bytes: events for the device.
    PDI_EVENT = 0x0220, 4, "PDI event";
    /// 8 bytes: per port an invalid-frame counter and an RX-error counter. A write clears 0x0300–0x030B.
    RX_ERRORS = 0x0300, 8, "RX error counters";
    /// 4 bytes: per port a counter of errors found by an ESC before this one.
    FORWARDED_ERRORS = 0x0308, 4, "forwarded RX error counters";
    /// 1 byte: errors of the processing unit.
    PROCESSING_ERRORS = 0x030C, 1, "processing unit error counter";
    /// 1 byte: errors of the process-data interface.
    PDI_ERRORS = 0x030D, 1, "PDI error counter";
    /// 4 bytes: per port a counter of lost links.
    LOST_LINKS = 0x0310, 4, "lost link counters";
    /// 2 bytes: watchdog unit is (value + 2) · 40 ns; 2498 after power-on, which is 100 µs.
    WATCHDOG_DIVIDER = 0x0400, 2, "watchdog divider";
    /// 2 bytes: PDI watchdog in watchdog units; 1000 after power-on, 0 is off.
    WATCHDOG_TIME_PDI = 0x0410, 2, "PDI watchdog time";
    /// 2 bytes: SyncManager watchdog in watchdog units; 1000 after power-on (100 ms), 0 is off.
    WATCHDOG_TIME_SM = 0x0420, 2, "SyncManager watchdog time";
    /// 2 bytes: bit 0 is 0 when the SyncManager watchdog has expired.
    WATCHDOG_STATUS = 0x0440, 2, "SyncManager watchdog status";
    /// 1 byte: how often the SyncManager watchdog expired.
    WATCHDOG_COUNTER_SM = 0x0442, 1, "SyncManager watchdog counter";
    /// 1 byte: how often the PDI watchdog expired.
    WATCHDOG_COUNTER_PDI = 0x0443, 1, "PDI watchdog counter";
    /// 1 byte: bit 0 gives the EEPROM to the device, bit 1 takes it from the device by force.
    EEPROM_OWNER = 0x0500, 1, "EEPROM owner";
    /// 1 byte: bit 0, the device is accessing the EEPROM.
    EEPROM_PDI_ACCESS = 0x0501, 1, "EEPROM access of the device";
    /// 2 bytes: bit 0 write enable, 5 emulated by the device, 6 eight bytes a read, 7 two address bytes, 8
    /// read, 9 write, 10 reload, 11 checksum error, 12 not loaded, 13 no acknowledge, 14 write-enable
    /// error, 15 busy.
    EEPROM_CONTROL = 0x0502, 2, "EEPROM control and status";
    /// 4 bytes: word address.
    EEPROM_ADDRESS = 0x0504, 4, "EEPROM address";
    /// 4 or 8 bytes, by bit 6 of [`EEPROM_CONTROL`].
    EEPROM_DATA = 0x0508, 8, "EEPROM data";
    /// First FMMU; see [`fmmu`].
    FMMU = 0x0600, 256, "FMMU";
    /// First SyncManager; see [`sync_manager`].
    SYNC_MANAGER = 0x0800, 128, "SyncManager";
    /// 4 bytes a port: local time in ns at which the latching datagram passed the port. A write latches.
    DC_RECEIVE_TIME = 0x0900, 16, "DC receive times";
    /// 8 bytes: system time in ns; a write is compared with it and drives the control loop.
    DC_SYSTEM_TIME = 0x0910, 8, "DC system time";
    /// 8 bytes: local time in ns at which the latching datagram was processed.
    DC_RECEIVE_TIME_PROCESSING = 0x0918, 8, "DC receive time of the processing unit";
    /// 8 bytes: system time minus local time in ns.
    DC_SYSTEM_TIME_OFFSET = 0x0920, 8, "DC system time offset";
    /// 4 bytes: delay from the reference clock in ns.
    DC_SYSTEM_TIME_DELAY = 0x0928, 4, "DC system time delay";
    /// 4 bytes, read-only: bits 0–30 mean difference to the reference clock in ns, 31 its sign.
    DC_SYSTEM_TIME_DIFFERENCE = 0x092C, 4, "DC system time difference";
    /// 2 bytes: a write resets the filters of the control loop.
    DC_SPEED_START = 0x0930, 2, "DC speed counter start";
    /// 2 bytes: deviation of the local clock from the reference clock.
    DC_SPEED_DIFFERENCE = 0x0932, 2, "DC speed counter difference";
    /// 1 byte: filter depth for the time difference.
    DC_FILTER_DIFFERENCE = 0x0934, 1, "DC time difference filter depth";
    /// 1 byte: filter depth for the speed.
    DC_FILTER_SPEED = 0x0935, 1, "DC speed counter filter depth";
    /// 1 byte: bit 0 SYNC unit, 4 and 5 latch units belong to the device (0: to the MainDevice).
    DC_UNIT_CONTROL = 0x0980, 1, "DC unit control";
    /// 1 byte: bit 0 SYNC unit, 1 SYNC0, 2 SYNC1, 3 auto-activation, 4 extend a 32-bit start time, 5
    /// plausibility check of the start time.
    DC_SYNC_ACTIVATION = 0x0981, 1, "DC SYNC activation";
    /// 2 bytes: pulse length in 10 ns, from SII word 2; 0: acknowledged by reading 0x098E.
    DC_PULSE_LENGTH = 0x0982, 2, "DC pulse length";
    /// 1 byte: bit 2, the start time was not plausible.
    DC_ACTIVATION_STATUS = 0x0984, 1, "DC activation status";
    /// 1 byte: state of SYNC0; reading acknowledges.
    DC_SYNC0_STATUS = 0x098E, 1, "DC SYNC0 status";
    /// 1 byte: state of SYNC1; reading acknowledges.
    DC_SYNC1_STATUS = 0x098F, 1, "DC SYNC1 status";
    /// 8 bytes: system time in ns of the first SYNC0 pulse; writable while 0x0981 bit 0 is 0.
    DC_START_TIME = 0x0990, 8, "DC start time";
    /// 8 bytes: system time in ns of the next SYNC1 pulse.
    DC_NEXT_SYNC1 = 0x0998, 8, "DC next SYNC1 pulse";
    /// 4 bytes: SYNC0 cycle in ns; 0 is a single shot.
    DC_SYNC0_CYCLE = 0x09A0, 4, "DC SYNC0 cycle time";
    /// 4 bytes: SYNC1 cycle or shift in ns.
    DC_SYNC1_CYCLE = 0x09A4, 4, "DC SYNC1 cycle time";
    /// 2 bytes: control of the latch units.
    DC_LATCH_CONTROL = 0x09A8, 2, "DC latch control";
    /// 2 bytes: status of the latch units.
    DC_LATCH_STATUS = 0x09AE, 2, "DC latch status";
    /// 32 bytes: times of the edges of latch 0 and 1, 8 bytes each.
    DC_LATCH_TIMES = 0x09B0, 32, "DC latch times";
    /// 16 bytes: times of buffer changes and SyncManager events.
    DC_EVENT_TIMES = 0x09F0, 16, "DC event times";
    /// 4 bytes: digital outputs, reached by FMMUs bit by bit.
    DIGITAL_OUTPUTS = 0x0F00, 4, "digital outputs";
    /// 128 bytes: user RAM.
    USER_RAM = 0x0F80, 128, "user RAM";
    /// Process RAM, [`RAM_SIZE`] KB of it.
    PROCESS_RAM = 0x1000, 0xF000, "process RAM";
}

/// Address of the `n`-th FMMU's registers.
#[must_use]
pub const fn fmmu(n: u8) -> u16 {
    FMMU + n as u16 * FMMU_BYTES as u16
}

/// Address of the `n`-th SyncManager's registers.
#[must_use]
pub const fn sync_manager(n: u8) -> u16 {
    SYNC_MANAGER + n as u16 * SYNC_MANAGER_BYTES as u16
}

/// Name of the register that holds the byte at `address`, for messages; `None` where none is known.
#[must_use]
pub fn name(address: u16) -> Option<&'static str> {
    let next = TABLE.partition_point(|&(start, _, _)| start <= address);
    let &(start, bytes, text) = TABLE.get(next.checked_sub(1)?)?;
    (address - start < bytes).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_ascends_without_overlaps() {
        for pair in TABLE.windows(2) {
            assert!(
                pair[0].0 + pair[0].1 <= pair[1].0,
                "{:#06x} reaches into {:#06x}",
                pair[0].0,
                pair[1].0
            );
        }
    }

    #[test]
    fn every_byte_of_a_register_has_its_name() {
        assert_eq!(name(AL_STATUS_CODE), Some("AL status code"));
        assert_eq!(name(AL_STATUS_CODE + 1), Some("AL status code"));
        assert_eq!(name(AL_STATUS_CODE + 2), None);
        assert_eq!(name(fmmu(15) + 15), Some("FMMU"));
        assert_eq!(name(sync_manager(15) + 7), Some("SyncManager"));
        assert_eq!(name(0x0880), None);
        assert_eq!(name(0xFFFF), Some("process RAM"));
    }

    #[test]
    fn fmmus_and_sync_managers_follow_one_another() {
        assert_eq!((fmmu(0), fmmu(2)), (0x0600, 0x0620));
        assert_eq!((sync_manager(0), sync_manager(3)), (0x0800, 0x0818));
    }
}
