use std::fmt;

/// Why bytes are no mail, or mail does not fit into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailError {
    /// The bytes end before this part does.
    Short(&'static str),
    /// This part has a value that no source defines.
    Unknown {
        /// Which part.
        what: &'static str,
        /// Its value.
        value: u32,
    },
    /// The buffer is too small for the mail.
    NoRoom,
}

impl fmt::Display for MailError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(what) => write!(f, "the mail ends before its {what}"),
            Self::Unknown { what, value } => {
                write!(f, "the mail has an unknown {what}: {value:#x}")
            }
            Self::NoRoom => f.write_str("the mail does not fit into the mailbox"),
        }
    }
}

impl std::error::Error for MailError {}
