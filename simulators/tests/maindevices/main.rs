//! MainDevices that cannot run in a test: the datagrams by which each of them brings a bus up and works it, in
//! their order and with the working counters that its source insists on.
//!
//! They were read in the public sources of the IgH EtherCAT Master 1.6 and of KickCAT, and for TwinCAT in
//! recordings. What a MainDevice merely logs is not asserted.

mod bus;
mod igh;
mod kickcat;
mod twincat;
