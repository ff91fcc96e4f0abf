//! Resistance thermometers: from ohms to degrees.

/// Elements, by 0x80n0:19 of EL32xx: Pt100, Ni100, Pt1000, Pt500, Pt200, Ni1000.
const PLATINUM: [(i64, f64); 4] = [(0, 100.0), (2, 1_000.0), (3, 500.0), (4, 200.0)];
const NICKEL: [(i64, f64); 2] = [(1, 100.0), (5, 1_000.0)];
/// Where a converter ends, of an element of 100 Ω: "approx. 500 Ω for Pt100" in the vendor's documentation.
const END_OHMS: f64 = 500.0;

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) degrees: f64,
    pub(super) below: bool,
    pub(super) above: bool,
}

/// What a resistance means, of an element by its number; of one that is not known here, as of a Pt100.
pub(super) fn reading(element: i64, ohms: f64) -> Reading {
    let nominal = |list: &[(i64, f64)]| {
        list.iter().find(|(number, _)| *number == element).map(|(_, ohms)| *ohms)
    };
    let of_nickel = nominal(&NICKEL);
    let range = if of_nickel.is_some() { (-60.0, 250.0) } else { (-200.0, 850.0) };
    let at_zero = of_nickel.or_else(|| nominal(&PLATINUM)).unwrap_or(100.0);
    let ratio = (ohms / at_zero).clamp(0.0, END_OHMS / 100.0);
    let degrees = inverse(if of_nickel.is_some() { nickel } else { platinum }, ratio);
    // To a tenth of a degree, as it is shown.
    let (below, above) = (degrees < range.0 - 0.05, degrees > range.1 + 0.05);
    Reading { degrees, below, above }
}

/// Resistance of platinum by temperature, of one ohm at 0 °C (IEC 60751, Callendar–Van Dusen).
fn platinum(t: f64) -> f64 {
    const A: f64 = 3.9083e-3;
    const B: f64 = -5.775e-7;
    const C: f64 = -4.183e-12;
    let below = if t < 0.0 { C * (t - 100.0) * t.powi(3) } else { 0.0 };
    1.0 + A * t + B * t * t + below
}

/// The same of nickel (DIN 43760).
fn nickel(t: f64) -> f64 {
    1.0 + 5.485e-3 * t + 6.65e-6 * t * t + 2.805e-11 * t.powi(4) - 2e-17 * t.powi(6)
}

/// Where a curve that rises has a value, by halving.
fn inverse(curve: impl Fn(f64) -> f64, value: f64) -> f64 {
    let (mut low, mut high) = (-273.15, 1_500.0);
    for _ in 0..48 {
        let middle = f64::midpoint(low, high);
        if curve(middle) < value {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platinum_and_nickel_have_the_resistances_of_their_tables() {
        // IEC 60751 and DIN 43760, in Ω of an element of 100 Ω.
        let platinums = [(-200.0, 18.52), (-100.0, 60.26), (100.0, 138.51), (850.0, 390.48)];
        let nickels = [(-60.0, 69.5), (100.0, 161.8), (180.0, 223.2)];
        for (degrees, ohms) in platinums {
            assert!((platinum(degrees) * 100.0 - ohms).abs() < 0.06, "{degrees} °C");
            assert!((inverse(platinum, ohms / 100.0) - degrees).abs() < 0.2, "{ohms} Ω");
        }
        for (degrees, ohms) in nickels {
            assert!((nickel(degrees) * 100.0 - ohms).abs() < 0.06, "{degrees} °C");
            assert!((inverse(nickel, ohms / 100.0) - degrees).abs() < 0.2, "{ohms} Ω");
        }
    }
}
