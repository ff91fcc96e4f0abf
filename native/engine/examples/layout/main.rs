//! Prints what both sides of the shared memory must agree on, from the Rust structs that define it:
//! `cargo run -p ecat-engine --example layout -- ts` prints `src/core/generated/layout.ts`, `… -- md`
//! prints `docs/shared-memory.md`. `npm run generate` writes both; CI compares them.

mod markdown;
mod typescript;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("ts") => print!("{}", typescript::print()),
        Some("md") => print!("{}", markdown::print()),
        _ => {
            eprintln!("usage: layout ts|md");
            std::process::exit(2);
        }
    }
}

/// `LaneCycleLine` → `LANE_CYCLE_LINE`.
fn upper_snake(camel: &str) -> String {
    let mut out = String::new();
    for (i, c) in camel.char_indices() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}

/// Doc comments without their leading blanks and without rustdoc's link brackets.
fn plain(doc: &str) -> Vec<String> {
    let text = doc.trim_end().replace("[`", "`").replace("`]", "`");
    text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned()).collect()
}
