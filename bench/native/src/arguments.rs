//! `name=value` arguments.

use std::str::FromStr;

use ecat_engine::link::sys;

use crate::Outcome;

/// What the command line says. Each argument is taken once; what is left over is an error.
pub struct Arguments {
    command: String,
    pairs: Vec<(String, String)>,
}

/// Where the measuring thread runs, as asked for.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Processor.
    pub cpu: usize,
    /// SCHED_FIFO priority; `None` leaves the default class.
    pub priority: Option<u8>,
}

impl Arguments {
    /// Reads the command line without the program's name.
    pub fn new(mut words: impl Iterator<Item = String>) -> Outcome<Self> {
        let command = words
            .next()
            .ok_or("what to measure? gaps, lateness, serve, exchange, open, path, urgent")?;
        let pairs = words
            .map(|word| match word.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => Err(format!("{word} is not name=value")),
            })
            .collect::<Outcome<_>>()?;
        Ok(Self { command, pairs })
    }

    /// What to measure.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// Takes a text, where it is given.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(given, _)| given == name)?;
        Some(self.pairs.swap_remove(at).1)
    }

    /// Takes a number, or its default.
    pub fn number<T: FromStr>(&mut self, name: &str, default: T) -> Outcome<T> {
        match self.text(name) {
            None => Ok(default),
            Some(value) => value.parse().map_err(|_| format!("{name}={value} is not a number")),
        }
    }

    /// Takes the processor and the priority. `priority=0` is the default class.
    pub fn place(&mut self) -> Outcome<Place> {
        let last = std::thread::available_parallelism().map_or(0, |count| count.get() - 1);
        let cpu = self.number("cpu", last)?;
        let priority = self.number("priority", 80)?;
        Ok(Place { cpu, priority: (priority > 0).then_some(priority) })
    }

    /// Refuses what nobody took.
    pub fn finish(&mut self) -> Outcome {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(format!("{} takes no {name}", self.command)),
        }
    }
}

/// What the system granted of a place.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Granted {
    /// Whether the thread is bound to the processor.
    pub pinned: bool,
    /// Whether the thread is under SCHED_FIFO.
    pub fifo: bool,
}

impl Place {
    /// Takes the calling thread there, as far as the system lets it.
    pub fn take(self) -> Granted {
        let pinned = sys::set_affinity(self.cpu).is_ok();
        let fifo = self.priority.is_some_and(|priority| sys::set_fifo(priority).is_ok());
        Granted { pinned, fifo }
    }
}
