use std::fmt;

use serde_path_to_error::{Error, Segment};

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionError {
    /// JSON pointer (RFC 6901) to the value, for example `/devices/3/type`; empty for the whole.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

impl DescriptionError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    pub(super) fn from_serde(error: &Error<serde_json::Error>) -> Self {
        let mut path = String::new();
        for segment in error.path() {
            path.push('/');
            match segment {
                Segment::Seq { index } => path.push_str(&index.to_string()),
                Segment::Map { key } => path.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Segment::Enum { variant } => path.push_str(variant),
                Segment::Unknown => path.push('?'),
            }
        }
        Self { path, message: error.inner().to_string() }
    }
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

impl std::error::Error for DescriptionError {}
