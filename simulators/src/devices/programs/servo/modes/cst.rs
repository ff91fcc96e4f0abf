//! Cyclic synchronous torque: what comes is what the current controller gets.

use super::super::controller::Demand;
use super::View;

pub(in super::super) fn tick(view: &View<'_>) -> (Demand, bool) {
    let wanted = view.commands.target_torque + view.commands.torque_offset;
    let torque_nm = wanted * view.rated_nm * 1e-3;
    // Too fast, or against a limit switch, it pushes no further.
    let beyond = view.actual.1.abs() > view.limits.velocity && torque_nm * view.actual.1 > 0.0;
    if beyond || view.limits.forbid(torque_nm) {
        return (Demand::torque(0.0), true);
    }
    (Demand::torque(torque_nm), false)
}
