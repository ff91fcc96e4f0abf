//! Urgent commits: the request that wakes the cycle thread, and the check that a commit may be one.

use std::ops::Range;
use std::sync::Arc;

use super::atomics::{Atomics, Native, Ordering, Word};
use crate::error::{EngineError, ErrorCode, Failure};

/// Why the outputs of a SubDevice may not be sent out of cycle, and what to do.
pub const NOT_URGENT: &str = "without device emulation a SubDevice may be synchronous to its SyncManager or \
     to SYNC0, which a frame between two cycles would disturb; use write(), or, where it runs free, declare \
     urgent: true at the device";

/// Says that there is a commit that should not wait for the next cycle. It names none: the cycle thread
/// takes whatever commits there are.
pub struct UrgentRequest<A: Atomics = Native> {
    raised: A::U32,
}

impl<A: Atomics> Default for UrgentRequest<A> {
    fn default() -> Self {
        Self { raised: Word::new(0) }
    }
}

impl<A: Atomics> UrgentRequest<A> {
    /// Raises the request, after the commit. The cycle thread is to be woken then.
    pub fn raise(&self) {
        // Release: whoever takes the request finds the commit.
        self.raised.store(1, Ordering::Release);
    }

    /// Whether it is raised. A look costs nothing.
    #[inline]
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Relaxed) != 0
    }

    /// Takes the request, before the commits are taken: one made later raises it again.
    #[must_use]
    pub fn take(&self) -> bool {
        self.is_raised() && self.raised.swap(0, Ordering::Acquire) != 0
    }
}

/// Which outputs of an engine may be sent out of cycle.
#[derive(Clone, Debug, Default)]
pub struct UrgentAreas {
    /// Byte range of each SubDevice in the output image, and whether an extra frame does it no harm.
    pub areas: Arc<[(Range<usize>, bool)]>,
}

impl UrgentAreas {
    /// Whether any output may.
    #[must_use]
    pub fn any(&self) -> bool {
        self.areas.iter().any(|(outputs, allowed)| *allowed && !outputs.is_empty())
    }
}

/// Knows what a lane committed last, and so what a commit changes.
#[derive(Clone, Debug)]
pub struct UrgentGuard {
    areas: UrgentAreas,
    /// Claimed bits of SubDevices that do not allow it.
    forbidden: Box<[u8]>,
    last: Box<[u8]>,
}

impl UrgentGuard {
    /// For a lane that has claimed the bits of `mask`; its last image is all zeros until
    /// [`UrgentGuard::note`].
    #[must_use]
    pub fn new(areas: UrgentAreas, mask: &[u8]) -> Self {
        let last = vec![0; mask.len()].into();
        let mut guard = Self { areas, forbidden: Box::default(), last };
        guard.claim(mask);
        guard
    }

    /// The lane has other bits now.
    pub fn claim(&mut self, mask: &[u8]) {
        let mut forbidden: Box<[u8]> = mask.into();
        for (outputs, _) in self.areas.areas.iter().filter(|(_, allowed)| *allowed) {
            forbidden[outputs.clone()].fill(0);
        }
        self.forbidden = forbidden;
    }

    /// Takes note of what was committed, or of what a lane begins anew with.
    #[inline]
    pub fn note(&mut self, image: &[u8]) {
        self.last.copy_from_slice(image);
    }

    /// Checks that `image`, as long as the output image, changes nothing that must not be sent out of cycle.
    ///
    /// # Errors
    /// [`ErrorCode::UrgentNotAllowed`] with the position of the first SubDevice that does not allow it.
    pub fn check(&self, image: &[u8]) -> Result<(), EngineError> {
        let changed = image.iter().zip(&self.last).zip(&self.forbidden);
        let mut changed = changed.map(|((new, old), mask)| (new ^ old) & mask);
        let Some(byte) = changed.position(|bits| bits != 0) else { return Ok(()) };
        let position = self.areas.areas.iter().position(|(outputs, _)| outputs.contains(&byte));
        let position = position.and_then(|position| u16::try_from(position).ok());
        let who = position.map_or_else(String::new, |position| format!(" of SubDevice {position}"));
        let message = format!(
            "byte {byte} of the outputs{who} changes, which may not be sent out of cycle: {NOT_URGENT}"
        );
        Err(Failure { position, ..Failure::new(ErrorCode::UrgentNotAllowed, message) }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_and_is_claimed_must_be_allowed() {
        let areas = UrgentAreas { areas: Arc::new([(0..0, false), (0..2, true), (2..4, false)]) };
        assert!(areas.any());
        let mut guard = UrgentGuard::new(areas, &[0xFF, 0xFF, 0xFF, 0x0F]);
        guard.note(&[1, 2, 3, 4]);
        guard.check(&[9, 9, 3, 0xF4]).unwrap();
        let error = guard.check(&[1, 2, 3, 5]).unwrap_err();
        assert_eq!(
            (error.first.code, error.first.position),
            (ErrorCode::UrgentNotAllowed, Some(2))
        );
        assert!(error.first.message.contains("of SubDevice 2 changes"));
        assert!(error.first.message.ends_with(NOT_URGENT));
        guard.claim(&[0xFF, 0, 0, 0]);
        guard.check(&[1, 2, 9, 9]).unwrap();
        assert!(!UrgentAreas::default().any());
    }
}
