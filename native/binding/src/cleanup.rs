//! What ends with an environment (the main thread's or a worker's): one clean-up hook each.
//!
//! Finalisers alone are no end: at the end of an environment they run late and in any order, and a worker
//! that is terminated runs no JavaScript. The hook runs first, on the environment's own thread. (On
//! `process.exit()` and on an uncaught exception neither runs: `process.on('exit')` is JavaScript's part.)
//!
//! One hook an environment, not one an object: napi-rs leaks a hook's box when it is removed.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use napi::Env;

/// A thing that must not outlive the environment that made it.
pub trait EndsWithEnvironment {
    /// Asks it to end, without waiting: several engines then stop at the same time.
    fn ask(&self);
    /// Ends it, bounded. Idempotent.
    fn end(&self);
}

thread_local! {
    /// Things of this thread's environment, oldest first; `None` while no hook is registered.
    static OPEN: RefCell<Option<Vec<Weak<dyn EndsWithEnvironment>>>> = const { RefCell::new(None) };
}

/// Lets `thing` end with `env`, which is this thread's environment.
///
/// # Errors
/// What Node-API says when it takes no hook.
pub fn ends_with<T: EndsWithEnvironment + 'static>(env: &Env, thing: &Rc<T>) -> napi::Result<()> {
    let weak: Weak<dyn EndsWithEnvironment> = {
        let weak: Weak<T> = Rc::downgrade(thing);
        weak
    };
    OPEN.with_borrow_mut(|open| {
        let things = match open {
            Some(things) => things,
            None => {
                env.add_env_cleanup_hook((), |()| end_all())?;
                open.insert(Vec::new())
            }
        };
        things.retain(|thing| thing.strong_count() > 0);
        things.push(weak);
        Ok(())
    })
}

/// The hook. Newest first: attachments let go of their lanes before their engine closes.
fn end_all() {
    let things = OPEN.with_borrow_mut(Option::take).unwrap_or_default();
    let live: Vec<_> = things.iter().rev().filter_map(Weak::upgrade).collect();
    // A panic must not unwind into Node: `cleanup_env` of napi-rs is an `extern "C"` function.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        live.iter().for_each(|thing| thing.ask());
        live.iter().for_each(|thing| thing.end());
    }));
    if outcome.is_err() {
        eprintln!("bifrost-ethercat: a defect was caught while an environment ended");
    }
}
