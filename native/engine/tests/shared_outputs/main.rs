//! From `commit` to the output image and back to a receipt.

mod claims;
mod interlocks;
mod lanes;
mod plant;
mod receipts;
mod urgent;
