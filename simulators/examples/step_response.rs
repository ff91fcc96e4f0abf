//! Draws what a servo does with its set points: csp, csv, cst, pp and homing, as SVG.
//!
//! `cargo run --release -p ecat-simulator --example step_response [FOLDER]`, by default `docs/images`

#[path = "../tests/programs/machine.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod machine;
#[path = "../tests/programs/servo.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod servo;

use std::fmt::Write as _;
use std::path::Path;

use machine::Machine;
use servo::*;

const BLUE: &str = "#1f5fbf";
const ORANGE: &str = "#c8541c";
const GREEN: &str = "#2b7a3d";
const GREY: &str = "#777777";

/// A line of a panel.
struct Series {
    name: &'static str,
    colour: &'static str,
    dashed: bool,
    values: Vec<f64>,
}

/// One axis of values over time.
struct Panel {
    unit: &'static str,
    series: Vec<Series>,
}

/// What is recorded a cycle.
#[derive(Default)]
struct Record {
    step_ms: f64,
    target: Vec<f64>,
    position: Vec<f64>,
    velocity: Vec<f64>,
    torque: Vec<f64>,
    home: Vec<f64>,
    bits: [Vec<f64>; 2],
}

impl Record {
    fn cycle(&mut self, machine: &mut Machine, target: f64) {
        machine.cycle();
        self.step_ms = machine.cycle_ns as f64 * 1e-6;
        let turn = TURN as f64;
        self.target.push(target);
        self.position.push(machine.position() as f64 / turn);
        self.velocity.push(machine.velocity() as f64 / turn);
        self.torque.push(machine.torque() as f64 / 10.0);
        self.home.push(machine.input(DIGITAL_INPUTS, 0) as f64);
        for (bit, values) in [10, 12].into_iter().zip(&mut self.bits) {
            values.push(f64::from(u8::from(machine.has(bit))));
        }
    }
}

fn line(name: &'static str, colour: &'static str, values: &[f64]) -> Series {
    Series { name, colour, dashed: false, values: values.to_vec() }
}

fn dashed(name: &'static str, values: &[f64]) -> Series {
    Series { dashed: true, ..line(name, GREY, values) }
}

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "docs/images".to_owned());
    for (name, title, record, panels) in [csp(), csv(), cst(), pp(), homing()] {
        let path = Path::new(&folder).join(format!("servo-{name}.svg"));
        std::fs::write(&path, svg(title, record.step_ms, &panels))?;
        println!("{}", path.display());
    }
    Ok(())
}

type Figure = (&'static str, &'static str, Record, Vec<Panel>);

fn csp() -> Figure {
    let mut machine = drive(r#", "control": { "velocityFeedForward": 0 }"#);
    machine.enable(CSP);
    let mut record = Record::default();
    for n in 0..120 {
        let target = if n < 10 { 0.0 } else { 0.01 };
        machine.set(TARGET_POSITION, 0, (target * TURN as f64) as i64);
        record.cycle(&mut machine, target);
    }
    let panels = vec![
        Panel {
            unit: "revolutions",
            series: vec![
                dashed("target position (0x607A)", &record.target),
                line("position (0x6064)", BLUE, &record.position),
            ],
        },
        Panel {
            unit: "torque in %",
            series: vec![line("torque (0x6077)", ORANGE, &record.torque)],
        },
    ];
    ("csp", "csp: a step of a hundredth of a revolution, without feed forward", record, panels)
}

fn csv() -> Figure {
    let mut machine = drive("");
    machine.enable(CSV);
    machine.cycle_ns = 250_000;
    let mut record = Record::default();
    for n in 0..240 {
        let target = if n < 20 { 0.0 } else { 0.5 };
        machine.set(TARGET_VELOCITY, 0, (target * TURN as f64) as i64);
        record.cycle(&mut machine, target);
    }
    let panels = vec![
        Panel {
            unit: "revolutions/s",
            series: vec![
                dashed("target velocity (0x60FF)", &record.target),
                line("velocity (0x606C)", GREEN, &record.velocity),
            ],
        },
        Panel {
            unit: "torque in %",
            series: vec![line("torque (0x6077)", ORANGE, &record.torque)],
        },
    ];
    ("csv", "csv: a step of half a revolution a second", record, panels)
}

fn cst() -> Figure {
    let mut machine = drive("");
    machine.enable(CST);
    machine.cycle_ns = 250_000;
    let mut record = Record::default();
    for n in 0..320 {
        let target = if (20..120).contains(&n) { 20.0 } else { 0.0 };
        machine.set(TARGET_TORQUE, 0, (target * 10.0) as i64);
        record.cycle(&mut machine, target);
    }
    let panels = vec![
        Panel {
            unit: "torque in %",
            series: vec![
                dashed("target torque (0x6071)", &record.target),
                line("torque (0x6077)", ORANGE, &record.torque),
            ],
        },
        Panel {
            unit: "revolutions/s",
            series: vec![line("velocity (0x606C)", GREEN, &record.velocity)],
        },
    ];
    ("cst", "cst: a pulse of torque, and friction afterwards", record, panels)
}

fn pp() -> Figure {
    let mut machine = drive("");
    machine.write(0x6081, 0, 4, 5 * TURN);
    machine.write(0x6083, 0, 4, 50 * TURN);
    machine.write(0x6084, 0, 4, 25 * TURN);
    machine.enable(PP);
    let mut record = Record::default();
    for n in 0..1_100 {
        let target = if n < 20 { 0.0 } else { 3.0 };
        machine.set(TARGET_POSITION, 0, 3 * TURN);
        machine.set(CONTROLWORD, 0, if (20..60).contains(&n) { 0x1F } else { 0x0F });
        record.cycle(&mut machine, target);
    }
    let panels = vec![
        Panel {
            unit: "revolutions",
            series: vec![
                dashed("target position (0x607A)", &record.target),
                line("position (0x6064)", BLUE, &record.position),
            ],
        },
        Panel {
            unit: "revolutions/s",
            series: vec![line("velocity (0x606C)", GREEN, &record.velocity)],
        },
        Panel {
            unit: "bits",
            series: vec![
                line("target reached (0x6041, bit 10)", BLUE, &record.bits[0]),
                line("set-point acknowledge (bit 12)", ORANGE, &record.bits[1]),
            ],
        },
    ];
    ("pp", "pp: three revolutions on a trapezoid of 0x6081, 0x6083 and 0x6084", record, panels)
}

fn homing() -> Figure {
    let settings = r#", "switches": { "home": { "from": 98304, "to": 150000 } },
        "encoder": { "indexPosition": 16384 }"#;
    let mut machine = drive(settings);
    for (subindex, speed) in [(1, 2 * TURN), (2, TURN / 2)] {
        machine.write(0x6099, subindex, 4, speed);
    }
    machine.write(0x6098, 0, 1, 8);
    machine.enable(HM);
    let mut record = Record::default();
    for n in 0..3_200 {
        machine.set(CONTROLWORD, 0, if n < 50 { 0x0F } else { 0x1F });
        record.cycle(&mut machine, 0.0);
    }
    record.home.iter_mut().for_each(|inputs| *inputs = f64::from(*inputs as u32 >> 2 & 1));
    let panels = vec![
        Panel {
            unit: "revolutions",
            series: vec![line("position (0x6064)", BLUE, &record.position)],
        },
        Panel {
            unit: "revolutions/s",
            series: vec![line("velocity (0x606C)", GREEN, &record.velocity)],
        },
        Panel {
            unit: "bits",
            series: vec![
                line("home switch (0x60FD, bit 2)", ORANGE, &record.home),
                line("homing attained (0x6041, bit 12)", BLUE, &record.bits[1]),
            ],
        },
    ];
    (
        "homing",
        "hm: method 8, to the first index behind the lower edge of the home switch",
        record,
        panels,
    )
}

const WIDTH: f64 = 720.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TITLE: f64 = 34.0;
const PANEL: f64 = 150.0;
const BITS: f64 = 70.0;
const GAP: f64 = 46.0;

fn height(panel: &Panel) -> f64 {
    if panel.unit == "bits" { BITS } else { PANEL }
}

/// Panels one below the other over one axis of time.
fn svg(title: &str, step_ms: f64, panels: &[Panel]) -> String {
    let count = panels[0].series[0].values.len();
    let total_ms = count as f64 * step_ms;
    let all: f64 = panels.iter().map(|panel| height(panel) + GAP).sum();
    let bottom = TITLE + all + 18.0;
    let x = |ms: f64| LEFT + ms / total_ms * (WIDTH - LEFT - RIGHT);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {bottom}\" \
         font-family=\"Helvetica, Arial, DejaVu Sans, sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{bottom}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\" fill=\"#111111\">{title}</text>"
    );
    let mut top = TITLE;
    for panel in panels {
        top += GAP - 26.0;
        draw(&mut out, panel, top, step_ms, &x, total_ms);
        top += height(panel) + 26.0;
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444444\">time in ms</text>\n</svg>",
        WIDTH - RIGHT,
        bottom - 4.0
    );
    out
}

fn draw(
    out: &mut String,
    panel: &Panel,
    top: f64,
    step_ms: f64,
    x: &dyn Fn(f64) -> f64,
    total_ms: f64,
) {
    let values = || panel.series.iter().flat_map(|series| series.values.iter().copied());
    let (mut least, mut most) =
        values().fold((0.0f64, 0.0f64), |(least, most), v| (least.min(v), most.max(v)));
    let margin = (most - least).max(1e-9) * 0.08;
    (least, most) = (least - margin, most + margin);
    let tall = height(panel);
    let y = |value: f64| top + (most - value) / (most - least) * tall;
    let spacing = if panel.unit == "bits" { 1.0 } else { round_step((most - least) / 4.0) };
    let mut tick = (least / spacing).ceil() * spacing;
    while tick <= most {
        let at = y(tick);
        let label = format_number(tick, spacing);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{:.1}\" stroke=\"#dddddd\"/><text x=\"{:.1}\" y=\"{:.1}\" \
             text-anchor=\"end\" fill=\"#444444\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
        tick += spacing;
    }
    let spacing = round_step(total_ms / 8.0);
    let mut tick = 0.0;
    while tick <= total_ms {
        let at = x(tick);
        let _ = writeln!(
            out,
            "<path d=\"M{at:.1} {top:.1}V{:.1}\" stroke=\"#dddddd\"/><text x=\"{at:.1}\" y=\"{:.1}\" \
             text-anchor=\"middle\" fill=\"#444444\">{}</text>",
            top + tall,
            top + tall + 14.0,
            format_number(tick, spacing)
        );
        tick += spacing;
    }
    let _ = writeln!(
        out,
        "<text transform=\"translate(16 {:.1}) rotate(-90)\" text-anchor=\"middle\" fill=\"#444444\">{}</text>",
        top + tall / 2.0,
        panel.unit
    );
    for series in &panel.series {
        let place = |n: usize| (x(n as f64 * step_ms), y(series.values[n]));
        let count = series.values.len();
        let (mut path, mut last) = (String::new(), 0);
        for n in 0..count {
            // What lies on a line from the last point to the next one needs none of its own.
            if n > 0 && n + 1 < count {
                let (from, to) = (place(last), place(n + 1));
                let is_near = |between: usize| {
                    let at = place(between);
                    let on_line = from.1 + (to.1 - from.1) * (at.0 - from.0) / (to.0 - from.0);
                    (on_line - at.1).abs() < 0.1
                };
                if (last + 1..=n).all(is_near) {
                    continue;
                }
            }
            let (right, down) = place(n);
            let _ = write!(path, "{}{right:.1} {down:.1}", if n == 0 { "M" } else { "L" });
            last = n;
        }
        let dash = if series.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let _ = writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.6\"{dash}/>",
            series.colour
        );
    }
    let mut from = LEFT;
    for series in &panel.series {
        let _ = writeln!(
            out,
            "<text x=\"{from:.1}\" y=\"{:.1}\" fill=\"{}\">{}</text>",
            top - 5.0,
            series.colour,
            series.name
        );
        from += 7.0 * series.name.len() as f64 + 24.0;
    }
}

/// The next of 1, 2, 5, 10 … above.
fn round_step(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    steps.into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(10.0 * power)
}

fn format_number(value: f64, spacing: f64) -> String {
    let digits = (-spacing.log10().floor()).max(0.0) as usize;
    let text = format!("{value:.digits$}");
    if text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.') {
        "0".to_owned()
    } else {
        text
    }
}
