//! What devices do by themselves: a file a program, each on one device that a [`machine`] brings to OP.

mod accelerometer;
mod analogue_inputs;
mod counters;
mod machine;
mod objects;
mod oversampling;
mod safety;
mod servo;
mod servo_homing;
mod servo_modes;
mod servo_options;
mod servo_plant;
mod servo_states;
mod stepper;
mod stress;
