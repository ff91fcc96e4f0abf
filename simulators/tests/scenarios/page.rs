//! The page beside a scenario's test. Where the test is one of these, each fault of its YAML is written as in JSON, but for
//! the comma behind the last field.

use ecat_simulator::FaultDescription;
use serde_json::Value;

/// The fault of a name on a page.
pub fn fault(page: &str, name: &str) -> FaultDescription {
    let path = format!("{}/../test/scenarios/{page}.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let yaml = text.split("```").nth(1).and_then(|yaml| yaml.strip_prefix("yaml\nfaults:\n"));
    let fault = yaml
        .unwrap_or_else(|| panic!("{path}: its page has no faults"))
        .split("  - ")
        .skip(1)
        .map(|fault| {
            serde_json::from_str(&as_json(fault)).unwrap_or_else(|e| panic!("{path}: {e}"))
        })
        .find(|fault: &Value| fault["name"] == name)
        .unwrap_or_else(|| panic!("{path}: no fault is called {name}"));
    serde_json::from_value(camel_cased(fault)).expect("a fault")
}

fn as_json(fault: &str) -> String {
    let words: Vec<_> = fault.split_whitespace().collect();
    words.join(" ").replace(", }", " }")
}

/// Keys as the simulator reads them: the files of users have underscores.
fn camel_cased(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let renamed =
                fields.into_iter().map(|(key, value)| (camel_case(&key), camel_cased(value)));
            Value::Object(renamed.collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(camel_cased).collect()),
        other => other,
    }
}

fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| name + &word[..1].to_uppercase() + &word[1..])
}
