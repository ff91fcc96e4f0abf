//! To come.
/// SII image.
#[derive(Clone, Debug, Default)] pub struct Sii;
