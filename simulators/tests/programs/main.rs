//! What devices do by themselves: a file a program, each on one device that a [`machine`] brings to OP.

mod accelerometer;
mod analogue_inputs;
mod machine;
mod objects;
