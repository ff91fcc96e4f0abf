//! Panics of cycle threads: noted with message and place, and not printed.
//!
//! The default hook prints, and symbolises a backtrace where the environment asks for one, which takes a
//! tenth of a second and megabytes. A cycle thread's panic becomes a failure with the same words instead.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

thread_local! {
    static NOTES: Cell<bool> = const { Cell::new(false) };
    static NOTE: RefCell<Option<String>> = const { RefCell::new(None) };
}

static INSTALL: Once = Once::new();

/// From now on, panics of the calling thread are noted and not printed. Those of all other threads go to the
/// hook that was there before.
pub fn on_this_thread() {
    INSTALL.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if NOTES.get() {
                NOTE.set(Some(words(info)));
            } else {
                before(info);
            }
        }));
    });
    NOTES.set(true);
}

/// What the caught panic of the calling thread said, and where.
#[must_use]
pub fn take(payload: &(dyn Any + Send)) -> String {
    NOTE.take().unwrap_or_else(|| message(payload).to_owned())
}

fn words(info: &PanicHookInfo<'_>) -> String {
    match info.location() {
        Some(place) => {
            format!("{} at {}:{}", message(info.payload()), place.file(), place.line())
        }
        None => message(info.payload()).to_owned(),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    match payload.downcast_ref::<&str>() {
        Some(message) => message,
        None => {
            payload.downcast_ref::<String>().map_or("a panic without a message", String::as_str)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_has_message_and_place() {
        let noted = std::thread::spawn(|| {
            on_this_thread();
            let caught = panic::catch_unwind(|| panic!("frame {} is odd", 7)).unwrap_err();
            take(&*caught)
        })
        .join()
        .unwrap();
        assert!(noted.starts_with("frame 7 is odd at "), "{noted}");
        assert!(noted.contains("panic_note.rs:"), "{noted}");
    }
}
