//! The operating system's calls that the engine needs, behind safe functions. Linux.
//!
//! Every `unsafe` block of the engine outside the shared memory is in this file. Errors are the
//! system's own error numbers, as [`std::io::Error`].
#![expect(unsafe_code, reason = "system calls")]

use std::cell::Cell;
use std::ffi::CString;
use std::io::{Error, ErrorKind, Result};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;

use ecat_wire::ethernet::ETHERTYPE;

const NS_PER_S: u64 = 1_000_000_000;
/// Pages are this large or a multiple of it; where they are larger, what is not a multiple of one is refused or
/// touched more often than needed.
const PAGE_BYTES: usize = 4096;

// From <linux/if_packet.h>; the libc crate does not have them.
const PACKET_ADD_MEMBERSHIP: libc::c_int = 1;
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;
const PACKET_MR_PROMISC: libc::c_ushort = 1;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

/// System calls of the calling thread so far, of those that a cycle can contain: waits, doorbells, frames, the
/// carrier, futexes. Readings of the clock are none: they do not enter the kernel.
#[must_use]
pub fn calls() -> u64 {
    CALLS.get()
}

/// Counts a system call of the calling thread.
#[inline]
pub(crate) fn count_call() {
    CALLS.set(CALLS.get() + 1);
}

#[repr(C)]
struct PacketMembership {
    interface: libc::c_int,
    kind: libc::c_ushort,
    address_length: libc::c_ushort,
    address: [u8; 8],
}

/// Nanoseconds of `CLOCK_MONOTONIC`.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec to write to for the duration of the call. The call cannot fail
    // with a clock that exists and a valid pointer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec.cast_unsigned() * NS_PER_S + now.tv_nsec.cast_unsigned()
}

/// Sleeps until `deadline_ns` of `CLOCK_MONOTONIC`; signals do not shorten it.
pub fn sleep_until(deadline_ns: u64) {
    let deadline = timespec(deadline_ns);
    loop {
        count_call();
        // SAFETY: `deadline` is a valid timespec for the duration of the call, and with TIMER_ABSTIME
        // the remaining time is not written, so that null is allowed for it.
        let error = unsafe {
            libc::clock_nanosleep(
                libc::CLOCK_MONOTONIC,
                libc::TIMER_ABSTIME,
                &raw const deadline,
                ptr::null_mut(),
            )
        };
        if error != libc::EINTR {
            return;
        }
    }
}

/// Waits until one of the descriptors is readable, or until `deadline_ns` of `CLOCK_MONOTONIC`.
/// Returns for each whether it is readable (or in error, which its next read tells). A deadline that
/// has passed makes it a poll.
///
/// # Errors
/// As `ppoll(2)`, without `EINTR`.
pub fn wait_readable<const N: usize>(
    descriptors: [Option<BorrowedFd<'_>>; N],
    deadline_ns: u64,
) -> Result<[bool; N]> {
    let mut polled = descriptors.map(|descriptor| libc::pollfd {
        // poll(2) skips negative descriptors.
        fd: descriptor.map_or(-1, |descriptor| descriptor.as_raw_fd()),
        events: libc::POLLIN,
        revents: 0,
    });
    loop {
        let timeout = timespec(deadline_ns.saturating_sub(monotonic_ns()));
        count_call();
        // SAFETY: `polled` holds `N` initialised entries, whose descriptors are borrowed for longer
        // than the call; `timeout` is a valid timespec; a null mask leaves the signal mask alone.
        let ready = unsafe {
            libc::ppoll(polled.as_mut_ptr(), N as libc::nfds_t, &raw const timeout, ptr::null())
        };
        if ready >= 0 {
            return Ok(polled.map(|entry| entry.revents != 0));
        }
        let error = Error::last_os_error();
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn timespec(ns: u64) -> libc::timespec {
    #[expect(
        clippy::cast_possible_wrap,
        reason = "2^64 ns are 585 years, and a second has 30 bits"
    )]
    libc::timespec { tv_sec: (ns / NS_PER_S) as i64, tv_nsec: (ns % NS_PER_S) as i64 }
}

/// An eventfd: rung from any thread, waited on with [`wait_readable`], drained by its owner.
#[derive(Debug)]
pub struct Doorbell(OwnedFd);

impl Doorbell {
    /// A doorbell that has not been rung.
    ///
    /// # Errors
    /// As `eventfd(2)`.
    pub fn new() -> Result<Self> {
        // SAFETY: no memory is involved.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        owned(fd).map(Self)
    }

    /// Makes the descriptor readable. Any number of rings count as one until it is drained.
    pub fn ring(&self) {
        let one = 1u64.to_ne_bytes();
        count_call();
        // SAFETY: `one` is valid for reads of its eight bytes. The only failure of a valid eventfd,
        // EAGAIN on an overflow, leaves it readable, which is all that a ring promises.
        unsafe { libc::write(self.0.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    /// Makes the descriptor unreadable again; returns whether it had been rung.
    #[must_use]
    pub fn drain(&self) -> bool {
        let mut count = [0u8; 8];
        count_call();
        // SAFETY: `count` is valid for writes of its eight bytes.
        let read =
            unsafe { libc::read(self.0.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
        read == 8
    }
}

impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Index of a network interface of the calling thread's network namespace.
///
/// # Errors
/// `ENODEV` where there is none of that name.
pub fn interface_index(name: &str) -> Result<u32> {
    let name = CString::new(name).map_err(|_| Error::from_raw_os_error(libc::ENODEV))?;
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
    if index == 0 { Err(Error::last_os_error()) } else { Ok(index) }
}

/// Whether an interface is administratively up and has a carrier (`IFF_UP` and `IFF_RUNNING`).
/// `socket` is any socket of the interface's network namespace.
///
/// # Errors
/// `ENODEV` where the interface is gone.
pub fn interface_is_up(socket: BorrowedFd<'_>, name: &str) -> Result<bool> {
    // SAFETY: `ifreq` is a plain C structure, for which all zeroes is a valid value.
    let mut request: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
    let room = request.ifr_name.len() - 1;
    if name.len() > room {
        return Err(Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from.cast_signed();
    }
    count_call();
    // SAFETY: SIOCGIFFLAGS reads the NUL-terminated name of a valid ifreq and writes its flags.
    let outcome =
        unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFFLAGS as _, &raw mut request) };
    if outcome < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: after a successful SIOCGIFFLAGS the flags are the union's live field.
    let flags = libc::c_int::from(unsafe { request.ifr_ifru.ifru_flags });
    let wanted = libc::IFF_UP | libc::IFF_RUNNING;
    Ok(flags & wanted == wanted)
}

/// Opens a non-blocking raw socket for EtherCAT frames on an interface. It does not see the frames
/// that are sent through the interface, and receives whatever the destination address is.
///
/// # Errors
/// `EPERM` without `CAP_NET_RAW`; otherwise as `socket(2)`, `bind(2)` and `setsockopt(2)`.
pub fn packet_socket(interface: u32) -> Result<OwnedFd> {
    let protocol = ETHERTYPE.to_be();
    // SAFETY: no memory is involved.
    let fd = unsafe {
        libc::socket(
            libc::AF_PACKET,
            libc::SOCK_RAW | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            libc::c_int::from(protocol),
        )
    };
    let socket = owned(fd)?;
    let interface = interface.cast_signed();
    set_option(&socket, PACKET_IGNORE_OUTGOING, &1 as &libc::c_int)?;
    let membership =
        PacketMembership { interface, kind: PACKET_MR_PROMISC, address_length: 0, address: [0; 8] };
    set_option(&socket, PACKET_ADD_MEMBERSHIP, &membership)?;
    // SAFETY: `sockaddr_ll` is a plain C structure, for which all zeroes is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { MaybeUninit::zeroed().assume_init() };
    #[expect(clippy::cast_possible_truncation, reason = "AF_PACKET is 17")]
    let family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_family = family;
    address.sll_protocol = protocol;
    address.sll_ifindex = interface;
    // SAFETY: `address` is an initialised sockaddr_ll, and its true size is given.
    let outcome = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            length_of::<libc::sockaddr_ll>(),
        )
    };
    if outcome < 0 { Err(Error::last_os_error()) } else { Ok(socket) }
}

fn set_option<T>(socket: &OwnedFd, option: libc::c_int, value: &T) -> Result<()> {
    // SAFETY: `value` is an initialised value of the type that the option takes (the two callers give a
    // c_int and a packet_mreq), and its true size is given.
    let outcome = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            ptr::from_ref(value).cast(),
            length_of::<T>(),
        )
    };
    if outcome < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

const fn length_of<T>() -> libc::socklen_t {
    #[expect(clippy::cast_possible_truncation, reason = "socket structures are small")]
    let length = size_of::<T>() as libc::socklen_t;
    length
}

/// Sends one frame without blocking.
///
/// # Errors
/// As `send(2)`; `EAGAIN` or `ENOBUFS` when there is no room at the moment.
pub fn send(socket: BorrowedFd<'_>, frame: &[u8]) -> Result<()> {
    count_call();
    // SAFETY: `frame` is valid for reads of its length.
    let sent = unsafe {
        libc::send(
            socket.as_raw_fd(),
            frame.as_ptr().cast(),
            frame.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
        )
    };
    if sent < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// Takes one frame without blocking. Returns its true length, which is larger than the buffer where
/// the frame did not fit.
///
/// # Errors
/// As `recv(2)`; `EAGAIN` when none waits.
pub fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize> {
    count_call();
    // SAFETY: `buffer` is valid for writes of its length; with MSG_TRUNC no more than that is written,
    // whatever length is returned.
    let received = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_DONTWAIT | libc::MSG_TRUNC,
        )
    };
    usize::try_from(received).map_err(|_| Error::last_os_error())
}

/// Puts the calling thread under SCHED_FIFO with `priority` (1–99).
///
/// # Errors
/// `EPERM` without `CAP_SYS_NICE` or an rtprio limit, `EINVAL` for another priority.
pub fn set_fifo(priority: u8) -> Result<()> {
    // Threads and processes that this thread starts begin under the default class.
    set_scheduler(libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, priority)
}

/// Lets timers of the calling thread be late by `ns` at most beyond what the system needs, where it is not
/// under a real-time class (there it is 0; elsewhere 50 µs by default).
pub fn set_timer_slack(ns: u32) {
    // SAFETY: no memory is involved; a refusal leaves the slack as it was.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, libc::c_ulong::from(ns)) };
}

/// Puts the calling thread back under the default scheduling class.
///
/// # Errors
/// As `sched_setscheduler(2)`.
pub fn reset_scheduler() -> Result<()> {
    set_scheduler(libc::SCHED_OTHER, 0)
}

fn set_scheduler(policy: libc::c_int, priority: u8) -> Result<()> {
    let parameter = libc::sched_param { sched_priority: libc::c_int::from(priority) };
    // SAFETY: `parameter` is a valid sched_param for the duration of the call; 0 is the calling thread.
    let outcome = unsafe { libc::sched_setscheduler(0, policy, &raw const parameter) };
    if outcome < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// Binds the calling thread to one processor.
///
/// # Errors
/// `EINVAL` for a processor that does not exist or that the process may not use.
pub fn set_affinity(cpu: usize) -> Result<()> {
    if cpu >= libc::CPU_SETSIZE as usize {
        return Err(Error::from_raw_os_error(libc::EINVAL));
    }
    // SAFETY: `cpu_set_t` is a plain bit set, for which all zeroes is a valid value.
    let mut set: libc::cpu_set_t = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: `cpu` is below CPU_SETSIZE, as checked above.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: `set` is initialised, and its true size is given; 0 is the calling thread.
    let outcome =
        unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) };
    if outcome < 0 { Err(Error::last_os_error()) } else { Ok(()) }
}

/// The kernel's number of the calling thread.
#[must_use]
pub fn thread_id() -> i32 {
    // SAFETY: no memory is involved, and the call cannot fail.
    unsafe { libc::gettid() }
}

/// Touches `bytes` of the calling thread's stack below the caller, so that the real-time part does not
/// fault them in. The stack must have them.
pub fn prefault_stack(bytes: usize) {
    let mut page = [MaybeUninit::<u8>::uninit(); PAGE_BYTES];
    // SAFETY: the first byte of a local array is valid for writes. Volatile, so that neither the write
    // nor the array, and with it the stack frame, is optimised away.
    unsafe { page.as_mut_ptr().write_volatile(MaybeUninit::new(0)) };
    if let Some(rest) = bytes.checked_sub(PAGE_BYTES) {
        prefault_stack(rest);
    }
    // Used after the recursion, so that it is no tail call that reuses this frame.
    std::hint::black_box(&page);
}

/// Gives back the pages of the calling thread's stack that lie more than `keep_bytes` below the caller: what
/// something deep has touched before. They come again, as zeros, when they are touched again. Where the
/// system does not say how far the stack goes, nothing happens.
pub fn release_stack(keep_bytes: usize) {
    /// More than this function's own frame and that of the call in it.
    const KEEP_BYTES_MIN: usize = 4 * PAGE_BYTES;
    let Some(lowest) = stack_start() else { return };
    let here = 0_u8;
    let end = ptr::from_ref(&here).addr().saturating_sub(keep_bytes.max(KEEP_BYTES_MIN));
    let (start, end) = (lowest.next_multiple_of(PAGE_BYTES), end / PAGE_BYTES * PAGE_BYTES);
    if let Some(bytes) = end.checked_sub(start).filter(|&bytes| bytes > 0) {
        // SAFETY: the range is of this thread's own stack, and deeper than any frame in use: `here` is in
        // the deepest one but the system call's, and the range ends `KEEP_BYTES_MIN` below it or more. A
        // refusal leaves the pages where they are.
        unsafe { libc::madvise(ptr::without_provenance_mut(start), bytes, libc::MADV_DONTNEED) };
    }
}

/// Lowest address of the calling thread's stack.
fn stack_start() -> Option<usize> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the number of the calling thread needs nothing and cannot fail.
    let thread = unsafe { libc::pthread_self() };
    // SAFETY: the thread lives, and `attributes` is valid to be initialised by the call.
    if unsafe { libc::pthread_getattr_np(thread, attributes.as_mut_ptr()) } != 0 {
        return None;
    }
    let (mut lowest, mut bytes) = (ptr::null_mut(), 0);
    // SAFETY: the call above has initialised `attributes`; the others are valid to write to.
    let outcome = unsafe {
        libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut bytes)
    };
    // SAFETY: initialised above, and used no more.
    unsafe { libc::pthread_attr_destroy(attributes.as_mut_ptr()) };
    (outcome == 0).then(|| lowest.addr())
}

fn owned(fd: libc::c_int) -> Result<OwnedFd> {
    if fd < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the system call that the caller has just made returned this descriptor, so it is open and
    // owned by nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_wait_ends_at_its_deadline_or_with_the_bell() {
        let bell = Doorbell::new().unwrap();
        let deadline = monotonic_ns() + 2_000_000;
        assert_eq!(wait_readable([Some(bell.as_fd()), None], deadline).unwrap(), [false, false]);
        assert!(monotonic_ns() >= deadline);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(2));
                bell.ring();
                bell.ring();
            });
            let far = monotonic_ns() + 60 * NS_PER_S;
            assert_eq!(wait_readable([None, Some(bell.as_fd())], far).unwrap(), [false, true]);
        });
        assert!(bell.drain());
        assert!(!bell.drain());
    }

    #[test]
    fn a_sleep_ends_no_earlier_than_its_deadline() {
        let deadline = monotonic_ns() + 1_000_000;
        sleep_until(deadline);
        assert!(monotonic_ns() >= deadline);
        sleep_until(0);
    }

    #[test]
    fn interfaces_are_found_by_name() {
        assert!(interface_index("lo").unwrap() > 0);
        for missing in ["bifrost-none", "", "a\0b"] {
            let error = interface_index(missing).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{missing:?}");
        }
    }

    #[test]
    fn a_stack_is_prefaulted_and_a_thread_has_a_number() {
        let (here, there) = (thread_id(), thread::spawn(thread_id).join().unwrap());
        assert_ne!(here, there);
        thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(|| prefault_stack(256 * 1024))
            .unwrap()
            .join()
            .unwrap();
    }

    #[test]
    fn a_stack_that_was_given_back_is_there_again() {
        fn deep(calls: usize) -> usize {
            let page = std::hint::black_box([calls as u8; PAGE_BYTES]);
            let below = calls.checked_sub(1).map_or(0, deep);
            below + usize::from(page[PAGE_BYTES - 1])
        }
        let body = || {
            let before = deep(100);
            release_stack(0);
            release_stack(usize::MAX);
            assert_eq!(deep(100), before);
        };
        thread::Builder::new().stack_size(2 << 20).spawn(body).unwrap().join().unwrap();
    }

    #[test]
    fn scheduling_and_affinity_are_per_thread_and_refuse_nonsense() {
        thread::spawn(|| {
            assert!(set_fifo(0).is_err());
            assert!(set_affinity(usize::MAX).is_err());
            if set_fifo(1).is_ok() {
                reset_scheduler().unwrap();
            }
        })
        .join()
        .unwrap();
    }
}
