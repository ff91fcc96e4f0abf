//! Cyclic synchronous velocity: what comes is what is demanded.

use super::super::controller::Demand;
use super::View;

pub(in super::super) fn tick(view: &View<'_>) -> (Demand, bool) {
    let wanted = view.commands.target_velocity + view.commands.velocity_offset;
    let velocity = view.limits.velocity(wanted, view.actual.0);
    let mut demand = Demand::velocity(velocity);
    demand.torque_nm = view.commands.torque_offset * view.rated_nm * 1e-3;
    (demand, velocity != wanted)
}
